"""The commands that speak to a running hookbin, or send a request by themselves.

Exit codes: 0 it was done, 1 it was not (a delivery failed, nothing answers), 2 the input is wrong.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import msgspec
from click.core import ParameterSource

from hookbin.client import demo as demonstration
from hookbin.client.remote import Remote, RemoteError
from hookbin.client.sending import DirectTarget, Message, publish, send_once
from hookbin.clock import SystemClock
from hookbin.config import Settings
from hookbin.delivery.targets import parse_destination
from hookbin.errors import FieldsInvalid, InvalidInput, StartError
from hookbin.logs import printable
from hookbin.names import check_content_type, check_event_type
from hookbin.signatures.secrets import make_secret
from hookbin.signatures.styles import STYLES, check_secret

T = TypeVar("T")
FAILED = 1
WRONG_INPUT = 2


def _remote_options(command: Callable[..., None]) -> Callable[..., None]:
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


@click.command()
@click.option("--type", "type", required=True, help="Type of the event, such as user.created.")
@click.option("--data", default="{}", show_default=True, help="JSON, @FILE with it, or @- for standard input.")
@click.option(
    "--content-type", help="Send the data as it is, with this content type, instead of as JSON in an envelope."
)
@click.option("--idempotency-key", help="The same key and data again is published once.")
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=30.0, show_default=True, help="Seconds to wait for outcomes."
)
@click.option("--to", "to", metavar="URL", help="Send once to this URL, without a running hookbin.")
@click.option(
    "--secret", envvar="HOOKBIN_SECRET", show_envvar=True, help="With --to: sign with this secret; one is made without."
)
@click.option(
    "--signature-style",
    type=click.Choice(tuple(STYLES)),
    help="With --to: whose signature headers to send.  [default: standard]",
)
@click.option(
    "--ca-file",
    envvar="HOOKBIN_CA_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="With --to: PEM file of certificates to trust besides the system's.",
)
@_remote_options
def send(
    *,
    type: str,
    data: str,
    content_type: str | None,
    idempotency_key: str | None,
    wait: float,
    to: str | None,
    secret: str | None,
    signature_style: str | None,
    ca_file: Path | None,
    server: str,
    token: str | None,
) -> None:
    """Publish an event through a running hookbin, or send one request with --to, and tell what came of it.

    Ends with 0 when everything was delivered, with 1 when something was not.
    """
    message = _message(type, data, content_type, idempotency_key)
    if to is None:
        _refuse_without_to("secret", "signature_style", "ca_file")
        done = _with_remote(server, token, lambda remote: publish(remote, message, wait=wait, say=click.echo))
    else:
        if idempotency_key is not None:
            raise click.UsageError("--idempotency-key goes with a running hookbin, not with --to")
        style = signature_style or "standard"
        done = _send_to(message, _once(to, secret, style, ca_file), wait=wait)
    sys.exit(0 if done else FAILED)


@click.command()
@click.option("--remove", is_flag=True, help="Delete what it made.")
@_remote_options
def demo(*, remove: bool, server: str, token: str | None) -> None:
    """Make a small living system in a running hookbin: a steady bin, a flaky one, a dead one, with heartbeats to each.

    The bins are named demo-steady, demo-flaky and demo-dead. Run it again to put things right.
    """
    if remove:
        count = _with_remote(server, token, demonstration.remove)
        click.echo(f"{count} bins and webhooks deleted" if count else "there was nothing to delete")
        return
    for line in _with_remote(server, token, demonstration.build):
        click.echo(line)
    click.echo(
        f"\nAll of it live: {server.rstrip('/')}/ui/    Take it away again: hookbin demo --remove{_elsewhere(server)}"
    )


def _elsewhere(server: str) -> str:
    """What has to be added to a command that is to reach the same server."""
    source = click.get_current_context().get_parameter_source("server")
    return f" --server {server}" if source is ParameterSource.COMMANDLINE else ""


def _with_remote(server: str, token: str | None, use: Callable[[Remote], Coroutine[Any, Any, T]]) -> T:
    """What `use` returns. Ends with exit code 1 or 2 when the server refuses or is not there."""

    async def used() -> T:
        async with Remote(server, token=token) as remote:
            return await use(remote)

    try:
        return asyncio.run(used())
    except RemoteError as error:
        _give_up(error.detail, code=WRONG_INPUT if error.wrong_input else FAILED)


def _refuse_without_to(*names: str) -> None:
    """What was given on the command line though it says how to send without a hookbin."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --to; a webhook has its own")


def _once(url: str, secret: str | None, style: str, ca_file: Path | None) -> DirectTarget:
    """With a new secret if there is none. Ends with exit code 2 for what could not be sent."""
    try:
        parse_destination(url)
        checked = make_secret() if secret is None else check_secret(secret, style=style)
    except FieldsInvalid as error:
        loc, complaint = error.errors[0]
        raise click.UsageError(f"--{'to' if loc == 'destination' else loc}: {complaint}") from error
    if secret is None:
        click.echo(f"signed with {checked}, made for this call", err=True)
    return DirectTarget(url=url, secret=checked, style=style, ca_file=ca_file)


def _send_to(message: Message, how: DirectTarget, *, wait: float) -> bool:
    try:
        return asyncio.run(send_once(message, how, clock=SystemClock(), wait=max(wait, 0.001), say=click.echo))
    except StartError as error:
        raise click.UsageError(error.detail) from error


def _message(type: str, data: str, content_type: str | None, idempotency_key: str | None) -> Message:
    """Ends with exit code 2 when it could not be sent."""
    content = _content(data)
    try:
        check_event_type(type)
        if content_type is not None:
            check_content_type(content_type)
        else:
            content.decode()
            msgspec.json.decode(content)
    except InvalidInput as error:
        _give_up(error.detail, code=WRONG_INPUT)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--data is not JSON: {error}; with --content-type any data is sent as it is") from error
    return Message(type=type, content=content, content_type=content_type, idempotency_key=idempotency_key)


def _content(data: str) -> bytes:
    if not data.startswith("@"):
        return data.encode("utf-8", "surrogateescape")
    try:
        return sys.stdin.buffer.read() if data == "@-" else Path(data[1:]).read_bytes()
    except OSError as error:
        raise click.UsageError(f"--data: can't read {data[1:]!r}: {error.strerror}") from error


def _give_up(detail: str, *, code: int) -> NoReturn:
    click.echo(printable(detail), err=True)
    sys.exit(code)
