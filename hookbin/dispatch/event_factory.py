"""Making an event and its deliveries: ids, times, the envelope, and when the first attempts are due."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from hookbin.clock import Clock, Ids, rfc3339
from hookbin.delivery.trails import NO_TRAILS, Trails
from hookbin.models.deliveries import CancelReason, Delivery, DeliveryState, Trigger
from hookbin.models.events import Event, Original
from hookbin.models.webhooks import Webhook
from hookbin.store.publishing import Publication

JSON = "application/json"


class EventFactory:
    """The one place where events are made. The writer gives them their numbers."""

    def __init__(self, *, clock: Clock, ids: Ids, trails: Trails = NO_TRAILS) -> None:
        self._clock = clock
        self._ids = ids
        self.trails = trails

    def event(
        self,
        type: str,
        content: bytes,
        *,
        content_type: str | None = None,
        deliver_at: int | None = None,
        idempotency_key: str | None = None,
        fingerprint: bytes = b"",
        hops: int = 0,
        request_id: str | None = None,
        only: Webhook | None = None,
        original: Original | None = None,
        trail: str = "",
        content_encoding: str | None = None,
    ) -> Event:
        """`content` is the body; without a `content_type` it is JSON that becomes the `data` of an envelope.

        A `deliver_at` (µs) that is over counts as none.
        """
        now = self._clock.now()
        body = content if content_type is not None else envelope(type, content, now=now)
        return Event(
            id=self._ids.event(),
            type=type,
            created_at=now,
            deliver_at=deliver_at if deliver_at is not None and deliver_at > now else None,
            content_type=content_type or JSON,
            idempotency_key=idempotency_key,
            hops=hops,
            request_id=request_id,
            only_webhook=None if only is None else only.id,
            size=len(body),
            fingerprint=fingerprint,
            original=original,
            body=body,
            trail=trail,
            content_encoding=content_encoding,
        )

    def publication(
        self, event: Event, webhooks: Iterable[Webhook], *, hindrance: CancelReason | None = None
    ) -> Publication:
        """The event with a delivery to each webhook.

        All are cancelled from the start for a `hindrance`, and those to webhooks that led to the event as a loop.
        """
        due, turn = event.deliver_at, event.deliver_at
        if due is None or turn is None:
            due, turn = event.created_at, self._ids.turn(event.created_at)
        deliveries = [
            self.delivery(
                webhook,
                event_id=event.id,
                event_type=event.type,
                created_at=event.created_at,
                due=due,
                turn=turn,
            )
            for webhook in webhooks
        ]
        if hindrance is not None or event.trail:
            deliveries = [self._cancelled(each, event, hindrance) for each in deliveries]
        return Publication(event=event, deliveries=tuple(deliveries))

    def _cancelled(self, delivery: Delivery, event: Event, hindrance: CancelReason | None) -> Delivery:
        if hindrance is None and self.trails.has_passed(event.trail, delivery.webhook_id):
            hindrance = CancelReason.LOOP
        if hindrance is None:
            return delivery
        return replace(
            delivery,
            state=DeliveryState.CANCELLED,
            next_attempt_at=None,
            finished_at=event.created_at,
            cancel_reason=hindrance,
        )

    def delivery(
        self, webhook: Webhook, *, event_id: str, event_type: str, created_at: int, due: int, turn: int
    ) -> Delivery:
        """One that was not tried yet."""
        return Delivery(
            id=self._ids.delivery(),
            event_id=event_id,
            event_type=event_type,
            webhook_id=webhook.id,
            webhook_name=webhook.name,
            destination=webhook.destination,
            state=DeliveryState.PENDING,
            attempt_count=0,
            next_attempt_at=due,
            next_trigger=Trigger.AUTO,
            created_at=created_at,
            finished_at=None,
            turn=turn,
        )


def envelope(type: str, data: bytes, *, now: int) -> bytes:
    """`{"type", "timestamp", "data"}`, the payload that Standard Webhooks recommends, with `data` as it is."""
    head = msgspec.json.encode({"type": type, "timestamp": rfc3339(now)})
    return b"%b,%b%b}" % (head[:-1], b'"data":', data)
