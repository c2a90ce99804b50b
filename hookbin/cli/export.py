"""`hookbin export`: what a bin captured, a request, or a delivery, as a file."""

from __future__ import annotations

import click

from hookbin.cli.files import save
from hookbin.cli.options import Where, remote_options, where_option


@click.command()
@click.argument("what", metavar="BIN|REQUEST|DELIVERY")
@click.argument("file", required=False)
@click.option("--format", default="har", show_default=True, help="har, ndjson, csv; of a request also curl, raw, …")
@where_option
@remote_options
def export(*, what: str, file: str | None, format: str, where: Where, server: str, token: str | None) -> None:
    """Write what a BIN captured, or one REQUEST or DELIVERY, to FILE or standard output.

    FILE appears under its name when all of it is there.
    """
    kind = {"req_": "requests", "dlv_": "deliveries"}.get(what[:4], "bins")
    save(server, token, f"/{kind}/{what}/export", file, format=format, **where)
