"""Recovery: a webhook gets what it missed, an event goes out once more, a delivery is made for it where none is."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from hookbin.clock import Clock, lowest_id
from hookbin.dispatch.event_factory import EventFactory
from hookbin.dispatch.publisher import asks_for, wants
from hookbin.errors import EventNotFound, WebhookDisabled
from hookbin.models.deliveries import Delivery, DeliveryState, Replayed
from hookbin.models.events import EventSummary
from hookbin.models.webhooks import Webhook
from hookbin.store.events import EventStore
from hookbin.store.recovery import PastEvent, RecoveryStore
from hookbin.store.webhooks import WebhookStore

MAX_AT_ONCE = 1_000
"""Deliveries that one call of `recover` brings back."""
MAX_LOOKED_AT = 20_000
"""Events that one call of `recover` looks at."""
LOOK = 500
STEP = 100
"""Deliveries that one transaction brings back, so that no capture waits for long."""


class Recovered(Struct, frozen=True, kw_only=True):
    """How many deliveries were brought back, or would be."""

    retried: int
    made: int
    cursor: str | None
    """The last event that was looked at, if there may be more behind it."""


class Recovery:
    """Brings back what a webhook missed."""

    def __init__(
        self, store: RecoveryStore, *, events: EventStore, webhooks: WebhookStore, factory: EventFactory, clock: Clock
    ) -> None:
        self._store = store
        self._events = events
        self._webhooks = webhooks
        self._factory = factory
        self._clock = clock

    async def recover(self, webhook: Webhook, *, since: int, cursor: str | None, dry_run: bool) -> Recovered:
        """Retry what failed or was cancelled, and make what is lacking, of events published since, in their order.

        What the webhook got at any time is left alone. Raises `WebhookDisabled`.
        """
        if not dry_run:
            self._check(webhook)
        after = cursor or lowest_id("evt_", since)
        retried = made = looked_at = 0
        while True:
            limit = min(STEP, MAX_AT_ONCE - retried - made)
            rows = await self._store.past(webhook.id, after=after, limit=LOOK)
            missed = [row for row in rows if row.created_at >= since and is_missed(webhook, row)]
            is_cut, missed = len(missed) > limit, missed[:limit]
            if not dry_run:
                done = await self._bring_back(webhook, missed)
            else:
                done = _counts(missed)
            retried, made = retried + done[0], made + done[1]
            looked_at += len(rows)
            if is_cut:
                after = missed[-1].event_id
            elif len(rows) < LOOK:
                return Recovered(retried=retried, made=made, cursor=None)
            else:
                after = rows[-1].event_id
            if retried + made >= MAX_AT_ONCE or looked_at >= MAX_LOOKED_AT:
                return Recovered(retried=retried, made=made, cursor=after)

    async def replay(self, event_id: str, webhook: Webhook | None, *, busy: Collection[str]) -> Replayed:
        """Send an event once more: to that webhook, or to all that want it or got it. Raises `WebhookDisabled`."""
        event = await self._events.get(event_id)
        if event is None:
            raise EventNotFound(f"no event has the id {event_id[:64]!r}; GET /events lists them")
        if webhook is not None:
            self._check(webhook)
        wanted = [webhook] if webhook is not None else self._wanted(event)
        now = self._clock.now()
        deliveries = [self._delivery(event.id, event.type, each, due=now, turn=_turn(event)) for each in wanted]
        only = None if webhook is None else webhook.id
        return await self._store.replay(event.id, deliveries, only=only, busy=busy, now=now)

    def _wanted(self, event: EventSummary) -> list[Webhook]:
        if event.request_id is not None or event.only_webhook is not None:
            return []
        return [webhook for webhook in self._webhooks.all() if wants(webhook, event.type)]

    async def _bring_back(self, webhook: Webhook, missed: list[PastEvent]) -> tuple[int, int]:
        if not missed:
            return 0, 0
        now = self._clock.now()
        due = {  # a little later each, so that they go out in this order
            row.event_id: max(now + place, row.deliver_at or 0) for place, row in enumerate(missed)
        }
        done = await self._store.bring_back(
            webhook.id,
            retry=[(row.delivery_id, due[row.event_id]) for row in missed if row.delivery_id is not None],
            make=[
                self._delivery(row.event_id, row.type, webhook, due=due[row.event_id], turn=_turn(row))
                for row in missed
                if row.delivery_id is None
            ],
        )
        if done is None:
            raise _disabled(webhook)
        return done

    def _delivery(self, event_id: str, event_type: str, webhook: Webhook, *, due: int, turn: int) -> Delivery:
        return self._factory.delivery(
            webhook,
            event_id=event_id,
            event_type=event_type,
            created_at=self._clock.now(),
            due=due,
            turn=turn,
        )

    def _check(self, webhook: Webhook) -> None:
        if webhook.disabled:
            raise _disabled(webhook)


def is_missed(webhook: Webhook, row: PastEvent) -> bool:
    """Whether the webhook should have got an event and did not."""
    if row.delivery_id is None:
        return row.only_webhook is None and row.request_id is None and asks_for(webhook, row.type)
    return row.state in (DeliveryState.FAILED, DeliveryState.CANCELLED) and not row.succeeded


def _turn(event: EventSummary | PastEvent) -> int:
    """The place among what an ordered webhook still has to get: that of the event's publishing."""
    return event.created_at if event.deliver_at is None else event.deliver_at


def _counts(missed: list[PastEvent]) -> tuple[int, int]:
    retried = sum(row.delivery_id is not None for row in missed)
    return retried, len(missed) - retried


def _disabled(webhook: Webhook) -> WebhookDisabled:
    return WebhookDisabled(f"the webhook {webhook.id} is disabled; enable it first with PATCH and disabled: false")
