"""One attempt, from a delivery that is due to the outcome that is committed."""

from __future__ import annotations

from collections.abc import Callable

from hookbin.clock import Clock
from hookbin.delivery import retries
from hookbin.dispatch.meta_events import MetaEventMaker
from hookbin.dispatch.published_cache import PublishedCache
from hookbin.dispatch.request_headers import method
from hookbin.dispatch.sender import Sender, Sent
from hookbin.models.common import SECOND
from hookbin.models.deliveries import Attempt, Delivery, DeliveryState, attempt_id
from hookbin.models.events import Event
from hookbin.models.webhooks import Webhook, WebhookKind
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.events import EventStore
from hookbin.store.webhooks import WebhookStore

SMALL = 1024 * 1024
"""Bodies of up to so many bytes, all that are published, are bounded by the number of attempts alone."""
MAX_LARGE = 128 * 1024 * 1024
"""Bytes of larger bodies, those of captured requests that are sent on, that may be under way at once."""
LATER = SECOND // 2
"""When a large body that found no room is tried again, µs."""


class Attempts:
    """Makes attempts, and knows those that are under way."""

    def __init__(
        self,
        *,
        deliveries: DeliveryStore,
        events: EventStore,
        webhooks: WebhookStore,
        published: PublishedCache,
        sender: Sender,
        meta_events: MetaEventMaker,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._deliveries = deliveries
        self._events = events
        self._webhooks = webhooks
        self._published = published
        self._sender = sender
        self._meta_events = meta_events
        self._clock = clock
        self._jitter = jitter
        self._large = 0
        """Bytes of large bodies under way."""
        self._under_way: dict[str, Webhook] = {}

    def webhook_of(self, attempt: str) -> Webhook | None:
        """The webhook of an attempt that is under way now."""
        return self._under_way.get(attempt)

    async def make(self, delivery_id: str) -> tuple[int, int] | None:
        """Try once; returns when the delivery is to be looked at again and its turn, if it is due again.

        The delivery is looked at as it is now: one that is no longer pending is left alone.
        """
        found = self._published.take(delivery_id) or await self._events.with_delivery(delivery_id)
        if found is None:
            return None
        delivery, event = found
        if delivery.state is not DeliveryState.PENDING or delivery.next_attempt_at is None:
            return None
        if delivery.next_attempt_at > self._clock.now():
            return delivery.next_attempt_at, delivery.turn
        webhook = self._webhooks.find(delivery.webhook_id)
        if webhook is None or webhook.disabled:
            return None
        if webhook.paused:
            return delivery.next_attempt_at, delivery.turn
        large = event.size if event.size > SMALL else 0
        if large and self._large and self._large + large > MAX_LARGE:
            return self._clock.now() + LATER, delivery.turn
        self._large += large
        try:
            next_attempt_at = await self._try(delivery, event, webhook)
        finally:
            self._large -= large
        return None if next_attempt_at is None else (next_attempt_at, delivery.turn)

    async def _try(self, delivery: Delivery, event: Event, webhook: Webhook) -> int | None:
        number = delivery.attempt_count + 1
        id = attempt_id(delivery.id, number)
        started = self._clock.ticks()
        self._under_way[id] = webhook
        try:
            timestamp = self._clock.now() // SECOND
            sent = await self._sender.send(webhook, event, delivery_id=delivery.id, number=number, timestamp=timestamp)
            duration = self._clock.ticks() - started
            # Counted back from its end, as what follows is counted from there: the clock may have been set meanwhile.
            started_at = self._clock.now() - duration
            return await self._record(delivery, event, webhook, sent, started_at=started_at, duration=duration)
        finally:
            del self._under_way[id]

    async def _record(
        self, delivery: Delivery, event: Event, webhook: Webhook, sent: Sent, *, started_at: int, duration: int
    ) -> int | None:
        number = delivery.attempt_count + 1
        decision = retries.after(
            _outcome(sent, ended_at=started_at + duration),
            number=number,
            schedule=webhook.retry_schedule,
            retry_on=webhook.retry_on,
            jitter=self._jitter(),
        )
        disables = decision.disable and webhook.kind is not WebhookKind.ONCE
        reason = f"the destination answered 410 Gone to {delivery.event_type}" if disables else None
        attempt = Attempt(
            delivery_id=delivery.id,
            event_id=event.id,
            event_type=event.type,
            webhook_id=webhook.id,
            webhook_name=webhook.name,
            number=number,
            trigger=delivery.next_trigger,
            started_at=started_at,
            duration=duration,
            status=sent.status,
            error=sent.error,
            error_detail=sent.error_detail,
            delivery_state=delivery.state,
            next_attempt_at=decision.next_attempt_at,
            method=method(event),
            url=sent.url,
            request_headers=sent.request_headers,
            response_headers=sent.response_headers,
            response_body=sent.response_body,
            response_truncated=sent.response_truncated,
            note=sent.note,
            timings=sent.timings,
            connection=sent.connection,
            response_raw=sent.response_raw,
        )
        meta_events = self._meta_events.of_attempt(attempt, webhook, action=decision.action, event=event)
        written = await self._deliveries.finish(
            attempt,
            began=delivery,
            generation=webhook.generation,
            action=decision.action,
            disable=reason,
            meta_events=meta_events,
        )
        return written.next_attempt_at


def _outcome(sent: Sent, *, ended_at: int) -> retries.Outcome:
    asked = retries.retry_after_of(sent.response_headers or ())
    return retries.Outcome(status=sent.status, error=sent.error, retry_after=asked, ended_at=ended_at)
