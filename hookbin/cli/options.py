"""What the commands that speak to a running hookbin share: where it is, and how they end.

Exit codes: 0 it was done, 1 it was not (a delivery failed, nothing answers), 2 the input is wrong (a token, a name, an
option), 130 ctrl-C, 141 nobody reads the output any more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias, TypeVar

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


Where: TypeAlias = dict[str, Any]
"""Lists of values by the parameter of the API's lists that they are for."""
_NO_CONDITIONS = frozenset({"limit", "cursor", "count", "timeout", "after", "format", "patience"})


def _conditions(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> Where:
    found: Where = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or name in _NO_CONDITIONS:
            raise click.BadParameter(f"{value!r} is no condition; write one as method=POST or json=data.id==7")
        found.setdefault(name, []).append(text)
    return found


where_option = click.option(
    "--where",
    multiple=True,
    callback=_conditions,
    metavar="NAME=VALUE",
    help="A condition, as lists of the API take them: method=POST, status=4xx, path=/orders/*, header=x-id:7,"
    " json=data.id==7, q=text. Give it again for more: all must hold.",
)
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
