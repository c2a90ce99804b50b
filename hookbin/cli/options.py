"""What the commands that speak to a running hookbin share: where it is, and how they end.

Exit codes: 0 it was done, 1 it was not (a delivery failed, nothing answers), 2 the input is wrong (a token, a name, an
option), 130 ctrl-C, 141 nobody reads the output any more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import click

from hookbin.cli.output import say
from hookbin.client.remote import Remote, RemoteError
from hookbin.config import Settings

T = TypeVar("T")
FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130
NO_READER = 141


def remote_options(command: Callable[..., None]) -> Callable[..., None]:
    token = click.option("--token", envvar="HOOKBIN_TOKEN", show_envvar=True, help="The token of an exposed hookbin.")
    server = click.option(
        "--server",
        envvar="HOOKBIN_SERVER",
        show_envvar=True,
        default=f"http://localhost:{Settings().port}",
        show_default=True,
        help="Where the running hookbin is.",
    )
    return server(token(command))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, a row a line.")


def with_remote(server: str, token: str | None, use: Callable[[Remote], T]) -> T:
    """What `use` returns. Ends with exit code 1 or 2 when the server refuses or is not there."""
    try:
        with Remote(server, token=token) as remote:
            return use(remote)
    except RemoteError as error:
        give_up(error.detail, code=WRONG_INPUT if error.wrong_input else FAILED)


def give_up(detail: str, *, code: int) -> NoReturn:
    say(detail)
    sys.exit(code)
