"""`hookbin send`: an event through a running hookbin, or one signed request without any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from hookbin.client.remote import Remote
from hookbin.clock import Clock, Ids
from hookbin.delivery.targets import Policy
from hookbin.dispatch.event_factory import EventFactory
from hookbin.dispatch.sender import Sender
from hookbin.errors import OutOfResources
from hookbin.logs import printable
from hookbin.models.common import SECOND
from hookbin.models.webhooks import Webhook
from hookbin.wire.tls import trusting

Say = Callable[[str], None]


class Message(Struct, frozen=True, kw_only=True):
    """What is to be sent: JSON data that gets an envelope, or with a content type the body itself."""

    type: str
    content: bytes
    content_type: str | None = None
    idempotency_key: str | None = None


async def publish(remote: Remote, message: Message, *, wait: float, say: Say) -> bool:
    """Publish, tell of each attempt as it is made, and end when no delivery is pending or after `wait` seconds.

    Returns whether every delivery succeeded. Raises `RemoteError`.
    """
    event = await _post(remote, message)
    count = len(event["deliveries"])
    say(f"{event['id']}  {event['type']}  {_plural(count, 'delivery', 'deliveries')}")
    if not count:
        say("no webhook wants this type; GET /webhooks shows what each one wants")
        return True
    states: dict[str, str] = {delivery["id"]: delivery["state"] for delivery in event["deliveries"]}
    try:
        async with asyncio.timeout(wait):
            await _follow(remote, event, states, say=say)
    except TimeoutError:
        pending = sum(state == "pending" for state in states.values())
        say(f"{pending} of {count} still pending after {wait:g} s; see {remote.url}/ui/")
    return all(state == "succeeded" for state in states.values())


class DirectTarget(Struct, frozen=True, kw_only=True):
    """How to send one request without a running hookbin."""

    url: str
    secret: str
    style: str
    ca_file: Path | None


async def send_once(message: Message, how: DirectTarget, *, clock: Clock, wait: float, say: Say) -> bool:
    """Send one signed request and tell what came back; whether that was a 2xx. Raises `StartError` for the CA file."""
    webhook, ids = _webhook(how, timeout=wait, clock=clock), Ids(clock)
    event = EventFactory(clock=clock, ids=ids).event(message.type, message.content, content_type=message.content_type)
    tls = trusting(how.ca_file)
    sender = Sender(policy=Policy(allow_private=True, allowed=()), is_own=lambda _: False, tls=tls)
    started = clock.monotonic()
    try:
        sent = await sender.send(webhook, event, delivery_id=ids.delivery(), number=1, timestamp=clock.now() // SECOND)
    except OutOfResources as lack:
        say(lack.detail)
        return False
    finally:
        await sender.aclose()
    took = f"{(clock.monotonic() - started) * 1000:.0f} ms"
    say(f"{event.id}  {event.type}  {sent.url}")
    if sent.status is None:
        say(f"{sent.error} after {took}: {printable(sent.error_detail or '')}")
        return False
    say(f"{sent.status} in {took}")
    for name, value in sent.response_headers or ():
        say(f"{printable(name)}: {printable(value)}")
    if sent.response_body:
        say("")
        for line in sent.response_body.decode("utf-8", "replace").splitlines():
            say(printable(line))
    return 200 <= sent.status < 300


async def _post(remote: Remote, message: Message) -> Any:
    headers = {} if message.idempotency_key is None else {"idempotency-key": message.idempotency_key}
    if message.content_type is not None:
        headers["content-type"] = message.content_type
        return await remote.post_raw("/events", message.content, query={"type": message.type}, headers=headers)
    return await remote.post("/events", {"type": message.type, "data": msgspec.Raw(message.content)}, **headers)


async def _follow(remote: Remote, event: dict[str, Any], states: dict[str, str], *, say: Say) -> None:
    async for attempt in remote.follow("attempt", after=event["seq"]):
        if attempt["event_id"] == event["id"]:
            states[attempt["delivery_id"]] = attempt["delivery_state"]
            say(_told(attempt))
        if "pending" not in states.values():
            return


def _told(attempt: dict[str, Any]) -> str:
    outcome = attempt["status"] if attempt["error"] is None else attempt["error"]
    after = f"next at {attempt['next_attempt_at']}" if attempt["next_attempt_at"] else attempt["delivery_state"]
    took = f"{attempt['duration_ms']:.0f} ms"
    return f"  {printable(str(attempt['webhook_name']))}  attempt {attempt['number']}: {outcome} in {took}, {after}"


def _webhook(how: DirectTarget, *, timeout: float, clock: Clock) -> Webhook:
    return Webhook(
        id="",
        name="",
        destination=how.url,
        events=("*",),
        secret=how.secret,
        signature_style=how.style,
        retry_schedule=(),
        retry_on=(),
        timeout=timeout,
        max_in_flight=1,
        heartbeat=None,
        disabled=False,
        disabled_reason=None,
        created_at=clock.now(),
    )


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
