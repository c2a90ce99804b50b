"""Publishing: an event becomes one delivery for each webhook that wants it.

Event and deliveries are committed as one before anything is sent: a transactional outbox, from which
the dispatcher sends. A publisher that repeats itself under one idempotency key publishes once.
"""

from __future__ import annotations

import hashlib
import re
from fnmatch import translate
from functools import lru_cache
from typing import TypedDict, Unpack

from hookbin.delivery.trails import MAX_HOPS, hops_of
from hookbin.dispatch.event_factory import JSON, EventFactory
from hookbin.errors import LoopDetected
from hookbin.models.events import Original
from hookbin.models.webhooks import Webhook
from hookbin.names import META_EVENTS
from hookbin.store.events import EventStore, Published
from hookbin.store.webhooks import WebhookStore

EVERYTHING = ("*",)
"""The patterns of a webhook that asks for no types in particular."""


class Options(TypedDict, total=False):
    """What may be said of an event beside its type and body."""

    idempotency_key: str | None
    deliver_at: int | None
    """When its first attempts are due, µs, if that is still to come."""
    only: Webhook | None
    """This webhook gets it whatever types it asked for, and nobody else does."""
    original: Original | None
    """It goes out with this method and these headers."""
    hops: int
    content_encoding: str | None
    """How a raw body is compressed."""
    trail: str
    """As `Trails.read` gives it."""


class Publisher:
    """Publishes events for their publishers."""

    def __init__(self, events: EventStore, webhooks: WebhookStore, factory: EventFactory) -> None:
        self._events = events
        self._webhooks = webhooks
        self._factory = factory

    async def publish_json(self, type: str, data: bytes, **options: Unpack[Options]) -> Published:
        """Publish `{"type", "timestamp", "data"}`; `data` is JSON and is sent as it is, byte for byte."""
        return await self._publish(type, data, None, **options)

    async def publish_raw(self, type: str, body: bytes, content_type: str, **options: Unpack[Options]) -> Published:
        """Publish a body of any kind, sent as it is."""
        return await self._publish(type, body, content_type, **options)

    async def _publish(
        self, type: str, posted: bytes, content_type: str | None, **options: Unpack[Options]
    ) -> Published:
        only = options.get("only")
        hops = options["hops"] = max(options.get("hops", 0), hops_of(options.get("trail", "")))
        if hops > MAX_HOPS:
            raise LoopDetected(
                f"it came back {hops} times through webhooks of this server; take out the one that publishes to it"
            )
        fingerprint = b""
        if options.get("idempotency_key") is not None:
            content = ", ".join(filter(None, (content_type or JSON, options.get("content_encoding"))))
            fingerprint = _fingerprint(type, content, options.get("deliver_at"), posted, only=only)
        event = self._factory.event(type, posted, content_type=content_type, fingerprint=fingerprint, **options)
        wanted = [only] if only is not None else [webhook for webhook in self._webhooks.all() if wants(webhook, type)]
        return await self._events.publish(self._factory.publication(event, wanted))


def _fingerprint(type: str, content: str, deliver_at: int | None, posted: bytes, *, only: Webhook | None) -> bytes:
    due = b"" if deliver_at is None else b"%d" % deliver_at
    whom = b"" if only is None else only.id.encode()
    return hashlib.sha256(b"\0".join((type.encode(), content.encode(), due, whom, posted))).digest()


def wants(webhook: Webhook, type: str) -> bool:
    """Whether an event of that type goes to the webhook as it is now."""
    return not webhook.disabled and asks_for(webhook, type)


def asks_for(webhook: Webhook, type: str) -> bool:
    """Whether the webhook's patterns have that type; `*` in one stands for any characters.

    A meta event goes only to who names it, if only by its first word: not to a pattern that begins with `*`.
    """
    patterns = webhook.events
    if type in META_EVENTS:
        patterns = tuple(pattern for pattern in patterns if not pattern.startswith("*"))
    return bool(patterns) and _matcher(patterns).match(type) is not None


@lru_cache(maxsize=4096)
def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Each of the patterns as one expression: every event is held against those of every webhook."""
    return re.compile("|".join(map(translate, patterns)))
