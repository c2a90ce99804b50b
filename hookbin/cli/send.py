"""`hookbin send`: an event through a running hookbin, or with --to one signed request without any."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
from click.core import ParameterSource
from msgspec.structs import replace

from hookbin.bodies import strict_json
from hookbin.cli.options import FAILED, WRONG_INPUT, give_up, json_option, remote_options, with_remote
from hookbin.cli.output import Row, print_row, say
from hookbin.client.remote import Remote
from hookbin.client.sending import Message, publish, told
from hookbin.clock import SystemClock
from hookbin.delivery.targets import parse_destination
from hookbin.dispatch.direct import DirectTarget, send_once
from hookbin.errors import FieldsInvalid, InvalidInput, OutOfResources, StartError
from hookbin.logs import printable
from hookbin.names import check_content_type, check_event_type
from hookbin.signatures.secrets import make_secret
from hookbin.signatures.styles import STYLES, check_secret

CLOCK = SystemClock()


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
@json_option
@remote_options
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
    as_json: bool,
    server: str,
    token: str | None,
) -> None:
    """Publish an event through a running hookbin, or send one request with --to, and tell what came of it.

    Ends with 0 when everything was delivered, with 1 when something was not.
    """
    message = _message(type, data, content_type, idempotency_key)
    if to is None:
        _refuse_without_to("secret", "signature_style", "ca_file")

        def publish_it(remote: Remote) -> bool:
            return publish(remote, message, clock=CLOCK, wait=wait, say=say if as_json else click.echo, tell=tell)

        def tell(attempt: Row) -> None:
            print_row(attempt, lambda row: f"  {printable(told(row))}", as_json=as_json)

        done = with_remote(server, token, publish_it)
    else:
        for flag, given in (("--idempotency-key", idempotency_key is not None), ("--json", as_json)):
            if given:
                raise click.UsageError(f"{flag} goes with a running hookbin, not with --to")
        target = _target(to, secret, signature_style or "standard")
        done = _send_to(replace(target, ca_file=ca_file, timeout=max(wait, 0.001)), message)
    sys.exit(0 if done else FAILED)


def _refuse_without_to(*names: str) -> None:
    """What was given on the command line though it says how to send without a hookbin."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --to; a webhook has its own")


def _target(url: str, secret: str | None, style: str) -> DirectTarget:
    """With a new secret if there is none. Ends with exit code 2 for what could not be sent."""
    try:
        parse_destination(url)
        checked = make_secret() if secret is None else check_secret(secret, style=style)
    except FieldsInvalid as error:
        loc, complaint = error.errors[0]
        raise click.UsageError(f"--{'to' if loc == 'destination' else loc}: {complaint}") from error
    if secret is None:
        click.echo(f"signed with {checked}, made for this call", err=True)
    return DirectTarget(url=url, secret=checked, style=style)


def _send_to(target: DirectTarget, message: Message) -> bool:
    """Send, and tell what came back; whether that was a 2xx."""
    started = CLOCK.monotonic()
    try:
        sending = send_once(target, message.type, message.content, content_type=message.content_type, clock=CLOCK)
        event, sent = asyncio.run(sending)
    except StartError as error:
        raise click.UsageError(error.detail) from error
    except OutOfResources as lack:
        click.echo(lack.detail)
        return False
    took = f"{(CLOCK.monotonic() - started) * 1000:.0f} ms"
    click.echo(f"{event.id}  {event.type}  {sent.url}")
    if sent.status is None:
        click.echo(f"{sent.error} after {took}: {printable(sent.error_detail or '')}")
        return False
    body = (sent.response_body or b"").decode("utf-8", "replace").splitlines()
    fields = [f"{name}: {value}" for name, value in sent.response_headers or ()]
    for line in [f"{sent.status} in {took}", *fields, *(["", *body] if body else [])]:
        click.echo(printable(line))
    return 200 <= sent.status < 300


def _message(type: str, data: str, content_type: str | None, idempotency_key: str | None) -> Message:
    """Ends with exit code 2 when it could not be sent."""
    content = _content(data)
    try:
        check_event_type(type)
        if content_type is not None:
            check_content_type(content_type)
        else:
            strict_json.check(content)
    except InvalidInput as error:
        give_up(error.detail, code=WRONG_INPUT)
    except strict_json.BrokenAt as error:
        raise click.UsageError(f"--data is not JSON: {error}; with --content-type any data is sent as it is") from error
    return Message(type=type, content=content, content_type=content_type, idempotency_key=idempotency_key)


def _content(data: str) -> bytes:
    if not data.startswith("@"):
        return data.encode("utf-8", "surrogateescape")
    try:
        return sys.stdin.buffer.read() if data == "@-" else Path(data[1:]).read_bytes()
    except OSError as error:
        raise click.UsageError(f"--data: can't read {data[1:]!r}: {error.strerror}") from error
