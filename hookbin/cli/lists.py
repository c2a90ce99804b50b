"""`hookbin requests` and `hookbin deliveries`: what is there, newest first, narrowed down by `--where`."""

from __future__ import annotations

from collections.abc import Callable

import click

from hookbin.cli.options import Where, json_option, remote_options, where_option, with_remote
from hookbin.cli.output import Row, delivery_line, print_row, request_line
from hookbin.client.remote import Remote

limit_option = click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most, the newest."
)


@click.command()
@click.argument("bin")
@where_option
@limit_option
@json_option
@remote_options
def requests(*, bin: str, where: Where, limit: int, as_json: bool, server: str, token: str | None) -> None:
    """List what BIN captured, newest first."""
    with_remote(
        server, token, _printing(f"/bins/{bin}/requests", request_line, where=where, limit=limit, as_json=as_json)
    )


@click.command()
@where_option
@limit_option
@json_option
@remote_options
def deliveries(*, where: Where, limit: int, as_json: bool, server: str, token: str | None) -> None:
    """List deliveries, newest first: `--where state=failed`, `--where webhook=wh_…`."""
    with_remote(server, token, _printing("/deliveries", delivery_line, where=where, limit=limit, as_json=as_json))


def _printing(
    path: str, line: Callable[[Row], str], *, where: Where, limit: int, as_json: bool
) -> Callable[[Remote], None]:
    """What prints the rows of a list as they come."""

    def print_rows(remote: Remote) -> None:
        for row in remote.rows(path, limit=limit, **where):
            print_row(row, line, as_json=as_json)

    return print_rows
