"""One signed request to a URL, without a database: what is sent is made and signed as a webhook's attempts are."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from hookbin.clock import Clock, Ids
from hookbin.delivery.targets import Policy
from hookbin.dispatch.event_factory import EventFactory
from hookbin.dispatch.sender import Sender, Sent
from hookbin.models.common import SECOND
from hookbin.models.events import Event
from hookbin.models.webhooks import Webhook
from hookbin.wire.tls import trusting


class DirectTarget(Struct, frozen=True, kw_only=True):
    """Where to, and how it is signed; `timeout` in seconds."""

    url: str
    secret: str
    style: str
    timeout: float = 30.0
    ca_file: Path | None = None


async def send_once(
    target: DirectTarget, type: str, content: bytes, *, content_type: str | None, clock: Clock
) -> tuple[Event, Sent]:
    """What was sent, and what came of it. Raises `StartError` for the CA file, and `OutOfResources`.

    `content` is the data of a JSON envelope, or with a content type the body itself.
    """
    webhook, ids = _webhook(target, now=clock.now()), Ids(clock)
    event = EventFactory(clock=clock, ids=ids).event(type, content, content_type=content_type)
    policy = Policy(allow_private=True, allowed=())
    sender = Sender(policy=policy, is_own=lambda _: False, tls=trusting(target.ca_file))
    try:
        now = clock.now() // SECOND
        return event, await sender.send(webhook, event, delivery_id=ids.delivery(), number=1, timestamp=now)
    finally:
        await sender.aclose()


def _webhook(target: DirectTarget, *, now: int) -> Webhook:
    return Webhook(
        id="",
        name="",
        destination=target.url,
        secret=target.secret,
        signature_style=target.style,
        timeout=target.timeout,
        max_in_flight=1,
        created_at=now,
    )
