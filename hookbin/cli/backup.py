"""`hookbin backup`: the database of a running hookbin, as one file."""

from __future__ import annotations

import click

from hookbin.cli.files import save
from hookbin.cli.options import remote_options


@click.command()
@click.argument("file")
@remote_options
def backup(*, file: str, server: str, token: str | None) -> None:
    """Write all that a running hookbin holds at this moment to FILE, which `serve --database` takes.

    It has every secret in it, and is readable by its owner only.
    """
    save(server, token, "/backup", file)
