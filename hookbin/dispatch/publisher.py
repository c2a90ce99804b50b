"""Publishing: an event becomes one delivery for each webhook that wants it."""

from __future__ import annotations

import hashlib
from fnmatch import fnmatchcase

import msgspec

from hookbin.clock import Clock, Ids, rfc3339
from hookbin.errors import LoopDetected
from hookbin.models.deliveries import Delivery, pending_delivery
from hookbin.models.events import Event, Original
from hookbin.models.webhooks import Webhook
from hookbin.names import META_EVENTS
from hookbin.store.events import EventStore, Published
from hookbin.store.webhooks import WebhookStore

EVERYTHING = ("*",)
"""The patterns of a webhook that asks for no types in particular."""
MAX_HOPS = 5
"""Times that an event may come back through our own webhooks."""


class Publisher:
    """The one place where events are made."""

    def __init__(self, events: EventStore, webhooks: WebhookStore, *, clock: Clock, ids: Ids) -> None:
        self._events = events
        self._webhooks = webhooks
        self._clock = clock
        self._ids = ids
        self._last_turn = 0

    async def publish_json(
        self,
        type: str,
        data: bytes,
        *,
        idempotency_key: str | None = None,
        deliver_at: int | None = None,
        only: Webhook | None = None,
        hops: int = 0,
    ) -> Published:
        """Publish `{"type", "timestamp", "data"}`; `data` is JSON and is sent as it is, byte for byte.

        Its first attempts are due at `deliver_at`, if that is still to come. With `only`, that webhook gets it
        whatever types it asked for, and nobody else does.
        """
        now = self._clock.now()
        body = envelope(type, data, now=now)
        return await self._publish(
            type,
            body,
            "application/json",
            posted=data,
            now=now,
            idempotency_key=idempotency_key,
            deliver_at=deliver_at,
            only=only,
            hops=hops,
        )

    async def publish_raw(
        self,
        type: str,
        body: bytes,
        content_type: str,
        *,
        idempotency_key: str | None = None,
        deliver_at: int | None = None,
        only: Webhook | None = None,
        original: Original | None = None,
        hops: int = 0,
    ) -> Published:
        """Publish a body of any kind, sent as it is; with the method and headers of `original`, if it has one."""
        return await self._publish(
            type,
            body,
            content_type,
            posted=body,
            now=self._clock.now(),
            idempotency_key=idempotency_key,
            deliver_at=deliver_at,
            only=only,
            original=original,
            hops=hops,
        )

    async def _publish(
        self,
        type: str,
        body: bytes,
        content_type: str,
        *,
        posted: bytes,
        now: int,
        idempotency_key: str | None,
        deliver_at: int | None,
        only: Webhook | None,
        original: Original | None = None,
        hops: int,
    ) -> Published:
        if hops > MAX_HOPS:
            raise LoopDetected(
                f"it came back {hops} times through webhooks of this server; take out the one that publishes to it"
            )
        event = Event(
            id=self._ids.event(),
            type=type,
            created_at=now,
            deliver_at=deliver_at if deliver_at is not None and deliver_at > now else None,
            content_type=content_type,
            idempotency_key=idempotency_key,
            hops=hops,
            request_id=None,
            only_webhook=None if only is None else only.id,
            size=len(body),
            fingerprint=_fingerprint(type, content_type, deliver_at, posted, only=only),
            original=original,
            body=body,
        )
        wanted = [only] if only is not None else [webhook for webhook in self._webhooks.all() if wants(webhook, type)]
        turn = self._turn(event)
        return await self._events.publish(event, [self._delivery(event, webhook, turn=turn) for webhook in wanted])

    def _turn(self, event: Event) -> int:
        """Its place in an ordered queue: the order of publishing holds, even if the clock was set back."""
        if event.deliver_at is not None:
            return event.deliver_at
        self._last_turn = max(event.created_at, self._last_turn + 1)
        return self._last_turn

    def _delivery(self, event: Event, webhook: Webhook, *, turn: int) -> Delivery:
        return pending_delivery(
            self._ids.delivery(),
            webhook,
            event_id=event.id,
            event_type=event.type,
            created_at=event.created_at,
            due=event.created_at if event.deliver_at is None else event.deliver_at,
            turn=turn,
        )


def _fingerprint(type: str, content_type: str, deliver_at: int | None, posted: bytes, *, only: Webhook | None) -> bytes:
    due = b"" if deliver_at is None else b"%d" % deliver_at
    whom = b"" if only is None else only.id.encode()
    return hashlib.sha256(b"\0".join((type.encode(), content_type.encode(), due, whom, posted))).digest()


def envelope(type: str, data: bytes, *, now: int) -> bytes:
    """`{"type", "timestamp", "data"}`, the payload that Standard Webhooks recommends, with `data` as it is."""
    head = msgspec.json.encode({"type": type, "timestamp": rfc3339(now)})
    return b"%b,%b%b}" % (head[:-1], b'"data":', data)


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
    return any(fnmatchcase(type, pattern) for pattern in patterns)
