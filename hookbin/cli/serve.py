"""`hookbin serve`: settings from flags and environment, and a server that says where it is.

Exit codes: 0 it was stopped, 1 it failed, 2 a flag or setting is wrong, 3 it could not start.
"""

from __future__ import annotations

import errno
import secrets
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import reduce
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import click
import msgspec

from hookbin import __version__, logs, server
from hookbin.app import create_app, default_database
from hookbin.config import Settings, check, descriptions
from hookbin.errors import FieldsInvalid, StartError
from hookbin.web.rest.addresses import Addresses

COULD_NOT_START = 3
BACKLOG = 2048
_ADVICE = (
    "Others can reach this server, and its bins answer at the same origin as its pages. Start it with\n"
    "--bin-port to give them one of their own."
)
_PLAIN_NAMES = {"host": "HOST", "port": "PORT"}
"""Settings that are also taken from the names that hosting platforms set."""
_CLICK_TYPES: dict[Any, Any] = {int: int, Path: click.Path(dir_okay=False, path_type=Path)}


def _settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """One option for each field of `Settings`: its flag, its environment name, its help."""
    return reduce(lambda done, name: _option(name)(done), reversed(Settings.__struct_fields__), command)


def _option(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    hint = get_type_hints(Settings, include_extras=True)[name]
    variables = [f"HOOKBIN_{name.upper()}", *([_PLAIN_NAMES[name]] if name in _PLAIN_NAMES else [])]
    flag = f"--{name.replace('_', '-')}"
    options: dict[str, Any] = {"envvar": variables, "show_envvar": True, "help": descriptions()[name], "default": None}
    if name == "auto_create":
        return click.option(f"{flag}/--no-auto-create", name, **options)
    if hint.__origin__ == tuple[str, ...]:
        return click.option(flag, name, multiple=True, **{**options, "default": ()})
    shown = _default_text(name)
    if shown is not None:
        options["help"] += f" [default: {shown}]"
    return click.option(flag, name, type=_CLICK_TYPES.get(_plain(hint), str), **options)


def _plain(hint: Any) -> Any:
    """`int` for `Annotated[Annotated[int, …] | None, …]`."""
    if get_origin(hint) in (Annotated, Union, UnionType):
        return _plain(get_args(hint)[0])
    return hint


def _default_text(name: str) -> str | None:
    defaults = dict(zip(Settings.__struct_fields__, msgspec.structs.astuple(Settings()), strict=True))
    value = default_database() if name == "database" else defaults[name]
    return None if value is None else str(value)


@click.command()
@_settings_options
def serve(**values: Any) -> None:
    """Serve the page, the API and the bins."""
    settings = _settings(values)
    made_token = settings.token is None and settings.exposed
    if made_token:
        settings = msgspec.structs.replace(settings, token=secrets.token_urlsafe(24))
    logs.configure(settings.log_format)
    try:
        with ExitStack() as stack:
            names = ("port",) if settings.bin_port is None else ("port", "bin_port")
            listeners = [stack.enter_context(_listen(settings, name)) for name in names]
            ports = dict(zip(names, (listener.getsockname()[1] for listener in listeners), strict=True))
            app = create_app(settings, **ports)
            where = _where(settings, app.services.site.addresses, made_token=made_token)
            server.run(app, listeners, on_started=lambda: click.echo(where))
    except StartError as error:
        click.echo(f"hookbin could not start: {error.detail}", err=True)
        sys.exit(COULD_NOT_START)


def _settings(values: dict[str, Any]) -> Settings:
    """The settings. Ends with exit code 2 when one is wrong."""
    given = {name: value for name, value in values.items() if value not in (None, ())}
    try:
        return check(msgspec.convert(given, Settings))
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        raise click.UsageError(f"--{where.rstrip('`').replace('_', '-')}: {what}") from error
    except FieldsInvalid as error:
        loc, message = error.errors[0]
        raise click.UsageError(f"--{loc.replace('_', '-')}: {message}") from error


def _listen(settings: Settings, name: str) -> socket.socket:
    """A socket that listens at the port that the setting of that name says. Raises `StartError`."""
    port: int = getattr(settings, name)
    try:
        family, *_, address = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"port {port} on {settings.host} is taken; "
                f"stop what listens there or choose another with --{name.replace('_', '-')}"
            ) from error
        raise StartError(f"can't listen on {settings.host} port {port}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener


def _where(settings: Settings, addresses: Addresses, *, made_token: bool) -> str:
    """What the owner wants to know after the start: where things are, and the first commands."""
    base, bins = addresses.base_url, addresses.bins_url
    lines = [
        f"hookbin {__version__} is listening.",
        "",
        f"  page   {base}/ui/",
        f"  bins   {bins}/b/NAME",
        f"  API    {base}/docs",
        *([f"  token  {settings.token}"] if made_token else []),
        "",
        *([_ADVICE, ""] if settings.exposed and settings.bin_port is None else []),
        "Register a webhook and see it arrive on the page:",
        "",
    ]
    header = ""
    if settings.token is not None:
        header = f"authorization: Bearer {settings.token if made_token else '$HOOKBIN_TOKEN'}"
    if not settings.creates_bins:
        lines += [_curl(f"{base}/bins", '{"name": "joe"}', header=header), ""]
    lines += [_curl(f"{base}/webhooks", f'{{"name": "joe", "destination": "{bins}/b/joe"}}', header=header), ""]
    return "\n".join(lines)


def _curl(url: str, data: str, *, header: str) -> str:
    lines = [f"  curl --request POST --url {url}", "--header 'content-type: application/json'"]
    if header:
        lines.append(f'--header "{header}"')
    return " \\\n    ".join([*lines, f"--data '{data}'"])
