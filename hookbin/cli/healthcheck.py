"""`hookbin healthcheck`: whether a running hookbin can write, for containers and scripts."""

from __future__ import annotations

import click

from hookbin.cli.options import json_option, remote_options, with_remote
from hookbin.cli.output import print_row


@click.command()
@json_option
@remote_options
def healthcheck(*, as_json: bool, server: str, token: str | None) -> None:
    """Ask a running hookbin to commit a write. Ends with 0 when it did."""
    row = with_remote(server, token, lambda remote: remote.get("/readyz"))
    print_row(row, lambda row: row["status"], as_json=as_json)
