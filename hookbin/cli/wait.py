"""`hookbin wait`: until so many requests of a kind are there, for tests and scripts."""

from __future__ import annotations

from typing import Any

import click

from hookbin.cli.options import Where, json_option, remote_options, where_option, with_remote
from hookbin.cli.output import print_row, request_line, say
from hookbin.client.remote import Remote, RemoteError
from hookbin.text import wire


@click.command()
@click.argument("bin")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many must be there.")
@click.option("--timeout", type=click.FloatRange(0), default=30.0, show_default=True, help="Seconds to wait.")
@click.option("--after", metavar="REQUEST", help="Only what came later counts.")
@where_option
@json_option
@remote_options
def wait(*, bin: str, as_json: bool, where: Where, server: str, token: str | None, **query: Any) -> None:
    """Wait until BIN holds so many requests, those already there included, and print them.

    Ends with 1 when they did not come, and says what the nearest of the others lack.
    """
    given = {name: value for name, value in query.items() if value is not None}

    def wait_for(remote: Remote) -> list[Any]:
        try:
            return remote.wait(bin, **given, **where)
        except RemoteError as error:
            for miss in error.nearest or ():
                say(f"{miss['id']}  {miss['method']} {wire(miss['target'])}")
                for complaint in miss["failed"]:
                    say(f"  {complaint}")
            raise

    for row in with_remote(server, token, wait_for):
        print_row(row, request_line, as_json=as_json)
