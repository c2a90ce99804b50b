"""What is due, and whose turn it is: lanes, limits, and the result of each attempt.

The database holds the schedule, memory a window of it for each webhook. The dispatcher wakes when
something is committed or falls due, starts what it may in turn, one lane after the other, and
asks `retries.after` what each outcome means. A crash repeats the attempts that were in flight,
with the same number and the same `webhook-id`: at least once.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Callable, Sequence

from hookbin import retries
from hookbin.clock import Clock
from hookbin.dispatch.lanes import WINDOW, Lane
from hookbin.dispatch.sender import Sender, Sent
from hookbin.errors import Unavailable
from hookbin.models import (
    SECOND,
    Announcement,
    Attempt,
    Delivery,
    DeliveryState,
    Event,
    Removed,
    Webhook,
    attempt_id,
)
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.events import EventStore
from hookbin.store.webhooks import WebhookStore

logger = logging.getLogger("hookbin")

MAX_IN_FLIGHT = 64
"""Attempts under way at once, over all webhooks."""
PAUSE = 5 * SECOND
"""How long a lane rests when an attempt could not be recorded or its deliveries not be read."""


class Dispatcher:
    """Started by `start()`, ended by `stop()`."""

    def __init__(
        self,
        *,
        deliveries: DeliveryStore,
        events: EventStore,
        webhooks: WebhookStore,
        sender: Sender,
        next_seq: Callable[[], int],
        clock: Clock,
        jitter: Callable[[], float],
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._deliveries = deliveries
        self._events = events
        self._webhooks = webhooks
        self._sender = sender
        self._next_seq = next_seq
        self._clock = clock
        self._jitter = jitter
        self._max_in_flight = max_in_flight
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._timers: list[tuple[int, str]] = []
        self._timer_set: set[tuple[int, str]] = set()
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._refills: dict[str, asyncio.Task[None]] = {}
        self._under_way: dict[str, Webhook] = {}
        self._asked_again: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        """Begin with what the database holds; `committed` must be listening already."""
        for webhook in self._webhooks.of_every_kind():
            self._arm(self._lane(webhook.id))
        self._task = asyncio.create_task(self._run(), name="hookbin-dispatcher")

    async def stop(self, *, grace: float) -> None:
        """Start nothing more, give what is in flight `grace` seconds, then give up on it.

        What was given up stays pending and is tried again after the next start.
        """
        self._stopping = True
        self._wake.set()
        await self._task
        refills = list(self._refills.values())
        for task in refills:
            task.cancel()
        await asyncio.gather(*refills, return_exceptions=True)
        if self._in_flight:
            _, late = await asyncio.wait(self._in_flight.values(), timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def timers(self) -> int:
        """How many times to look at a lane are set."""
        return len(self._timers)

    def is_in_flight(self, delivery_id: str) -> bool:
        return delivery_id in self._in_flight

    def webhook_of(self, attempt: str) -> Webhook | None:
        """The webhook of an attempt that is under way now: how a bin knows that a request is ours."""
        return self._under_way.get(attempt)

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Take in what was published, retried, changed. Called after each commit."""
        for row in rows:
            if isinstance(row, Delivery) and row.state is DeliveryState.PENDING and row.next_attempt_at is not None:
                self._schedule(self._lane(row.webhook_id), row.id, row.next_attempt_at)
            elif isinstance(row, Webhook):
                lane = self._lane(row.id)
                if row.disabled:
                    lane.clear()
                self._arm(lane)
            elif isinstance(row, Removed) and row.kind == "webhook" and row.id in self._lanes:
                self._lanes.pop(row.id).clear()

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self._start_due()
            await self._clock.wait(self._wake, until=self._timers[0][0] if self._timers else None)

    def _start_due(self) -> None:
        while self._timers and self._timers[0][0] <= self._clock.now():
            timer = heapq.heappop(self._timers)
            self._timer_set.discard(timer)
            lane = self._lanes.get(timer[1])
            if lane is not None:
                lane.armed_at = None
                self._arm(lane)
        while self._ready and len(self._in_flight) < self._max_in_flight:
            lane = self._ready.popleft()
            lane.is_ready = False
            now = self._clock.now()  # anew: with an old one, what fell due since would be ready for ever
            delivery_id = None if lane.paused_until > now else lane.pop_due(now, busy=self._in_flight)
            if delivery_id is not None:
                lane.in_flight += 1
                self._in_flight[delivery_id] = asyncio.create_task(self._attempt(lane, delivery_id))
            self._arm(lane)

    def _lane(self, webhook_id: str) -> Lane:
        if webhook_id not in self._lanes:
            self._lanes[webhook_id] = Lane(webhook_id)
        return self._lanes[webhook_id]

    def _schedule(self, lane: Lane, delivery_id: str, due: int) -> None:
        if delivery_id in self._in_flight:
            self._asked_again[delivery_id] = due
        else:
            lane.put(delivery_id, due)
            self._arm(lane)

    def _arm(self, lane: Lane) -> None:
        """See to it that the lane gets its turn: now, at its next due time, or after a refill."""
        webhook = self._webhooks.find(lane.webhook_id)
        if webhook is None or webhook.disabled or self._stopping:
            return
        now = self._clock.now()
        if lane.paused_until > now:
            self._look_at(lane, lane.paused_until)
            return
        if lane.needs_refill and lane.webhook_id not in self._refills:
            self._refills[lane.webhook_id] = asyncio.create_task(self._refill(lane))
        due = lane.next_due()
        if due is None or lane.is_ready or lane.in_flight >= webhook.max_in_flight:
            return
        if due <= now:
            lane.is_ready = True
            self._ready.append(lane)
            self._wake.set()
        else:
            self._look_at(lane, due)

    def _look_at(self, lane: Lane, time: int) -> None:
        if lane.armed_at is not None and lane.armed_at <= time:
            return
        lane.armed_at = time
        timer = (time, lane.webhook_id)
        if timer not in self._timer_set:
            self._timer_set.add(timer)
            heapq.heappush(self._timers, timer)
            self._wake.set()

    def _pause(self, lane: Lane) -> int:
        """Leave the lane alone for a while: what the storage refuses now, it refuses for each of its deliveries."""
        lane.paused_until = self._clock.now() + PAUSE
        return lane.paused_until

    async def _refill(self, lane: Lane) -> None:
        lane.begin_refill()
        limit = WINDOW + lane.in_flight
        try:
            found = await self._deliveries.due(lane.webhook_id, limit=limit)
        except Exception:
            logger.exception("pending deliveries could not be read; the next try is in a few seconds")
            lane.end_refill((), complete=False)
            self._pause(lane)
            self._arm(lane)
            return
        finally:
            del self._refills[lane.webhook_id]
        rows = [(row.id, row.next_attempt_at or 0) for row in found if row.id not in self._in_flight]
        lane.end_refill(rows, complete=len(found) < limit)
        self._arm(lane)

    async def _attempt(self, lane: Lane, delivery_id: str) -> None:
        again_at: int | None = None
        try:
            again_at = await self._try(delivery_id)
        except Unavailable as error:
            logger.error("an attempt could not be recorded and will be repeated: %s", error.detail)
            again_at = self._pause(lane)
        except Exception:
            logger.exception("an attempt failed inside hookbin and will be repeated")
            again_at = self._pause(lane)
        finally:
            del self._in_flight[delivery_id]
            lane.in_flight -= 1
            again_at = self._asked_again.pop(delivery_id, again_at)
            if again_at is not None:
                lane.put(delivery_id, again_at)
            self._arm(lane)
            self._wake.set()

    async def _try(self, delivery_id: str) -> int | None:
        """Make one attempt; returns when the delivery is due again, if it is."""
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None or delivery.state is not DeliveryState.PENDING or delivery.next_attempt_at is None:
            return None
        if delivery.next_attempt_at > self._clock.now():
            return delivery.next_attempt_at
        event = await self._events.get(delivery.event_id)
        webhook = self._webhooks.find(delivery.webhook_id)
        if event is None or webhook is None or webhook.disabled:
            return None
        number = delivery.attempt_count + 1
        id = attempt_id(delivery_id, number)
        started_at = self._clock.now()
        started = self._clock.monotonic()
        self._under_way[id] = webhook
        try:
            sent = await self._sender.send(
                webhook, event, delivery_id=delivery_id, number=number, timestamp=started_at // SECOND
            )
        finally:
            del self._under_way[id]
        duration = round((self._clock.monotonic() - started) * SECOND)
        return await self._record(delivery, event, webhook, sent, started_at=started_at, duration=duration)

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
        reason = f"the destination answered 410 Gone to {delivery.event_type}" if decision.disable else None
        attempt = Attempt(
            seq=self._next_seq(),
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
            method="POST",
            url=sent.url,
            request_headers=sent.request_headers,
            response_headers=sent.response_headers,
            response_body=sent.response_body,
            response_truncated=sent.response_truncated,
        )
        written = await self._deliveries.finish(attempt, action=decision.action, disable=reason)
        return written.next_attempt_at


def _outcome(sent: Sent, *, ended_at: int) -> retries.Outcome:
    named = (value for name, value in sent.response_headers or () if name.lower() == "retry-after")
    return retries.Outcome(status=sent.status, error=sent.error, retry_after=next(named, None), ended_at=ended_at)
