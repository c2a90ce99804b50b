"""What is due, and whose turn it is: the way from the schedule in the database to attempts under way.

- Schedule: the database holds what is pending and when it is due; an event is committed with its deliveries
  (a transactional outbox), and memory changes by what was committed, never before.
- Lanes: memory holds a window of the earliest deliveries of each webhook (`lanes`). It is refilled by query
  when it runs low; what stands behind its horizon stays in the database, however long an outage lasts.
- Fairness: lanes that are ready stand in one queue. Each starts one attempt, if it may, and goes behind the
  others; `pacing` says who may, so that destinations which hang hold up none that answers.
- Bounds: `Slots` over all webhooks, `max_in_flight` and `rate_limit` for each, `Attempts` for bytes of large bodies.
- Order: an `ordered` lane is sorted by turn and has one attempt under way; a retry holds up what is behind it.
- Pauses: the lane of a paused webhook takes in what is published and is never ready; resuming it wakes it.
- Timers: an alarm for each lane at the next time that something of it may start. Nothing polls.
- Clocks: what is due is a time of day, since it outlives the process; waits are counted in ticks. When the clock
  was set, what waits for a retry is moved with it, so that it waits as long as it would have; an appointment
  (`deliver_at`) stays where it is. That is noticed whenever a lane is looked at, and within a minute otherwise.
- Crash: an outcome is committed when the answer is there, so a crash repeats what was in flight, with the same
  number and the same `webhook-id`: at-least-once. Of one delivery there is one attempt at a time.
- Storage that fails: the lane rests for `PAUSE`, since what is refused for one delivery is refused for all.

What follows an outcome is decided by `delivery.retries`, and committed by `store.record_attempts`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from hookbin.clock import Clock
from hookbin.dispatch import pacing
from hookbin.dispatch.attempts import Attempts
from hookbin.dispatch.lacks import Lacks
from hookbin.dispatch.lanes import WINDOW, Lane
from hookbin.dispatch.pacing import Slots
from hookbin.dispatch.published_cache import PublishedCache
from hookbin.errors import Unavailable
from hookbin.live.alarm import Alarm
from hookbin.models.announcements import Announcement, Removed
from hookbin.models.common import SECOND
from hookbin.models.deliveries import AttemptSummary, Delivery, DeliveryState
from hookbin.models.events import Event
from hookbin.models.webhooks import Webhook
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.webhooks import WebhookStore

logger = logging.getLogger("hookbin")

_CLOCK = "clock"
"""What the alarm rings for to have a look at the clock."""
LOOK = 60 * SECOND
"""How often the clock is looked at while there is nothing else to do."""
MAX_DRIFT = SECOND
"""A clock that differs by more from what the ticks say was set."""
PAUSE = 5 * SECOND
"""How long a lane rests when an attempt could not be made or recorded, or its deliveries not be read."""


class Dispatcher:
    """Started by `start()`, ended by `stop()`."""

    def __init__(
        self,
        attempts: Attempts,
        slots: Slots,
        *,
        published: PublishedCache,
        deliveries: DeliveryStore,
        webhooks: WebhookStore,
        clock: Clock,
    ) -> None:
        """`published` is the cache that `attempts` takes from."""
        self.lacks = Lacks()
        self._attempts = attempts
        self._slots = slots
        self._published = published
        self._deliveries = deliveries
        self._webhooks = webhooks
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._alarm = Alarm(self._look_at, clock=clock, name="hookbin-dispatcher-alarm")
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._refills: dict[str, asyncio.Task[None]] = {}
        self._asked_again: dict[str, tuple[int, int]] = {}
        self._set_to = 0
        """How the clock is set: by how much it is ahead of the ticks."""
        self._following: asyncio.Task[None] | None = None
        """At work after the clock was set; meanwhile nothing is started."""
        self._wake = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        """Begin with what the database holds; `committed` must be listening already."""
        now, ticks = self._clock.now(), self._clock.ticks()
        self._set_to = now - ticks
        await self._deliveries.keep_to_intervals(now=now)
        for webhook in self._webhooks.of_every_kind():
            lane = self._lane(webhook.id)
            pacing.consume(lane, ticks, rate_limit=webhook.rate_limit)
            self._arm(lane)
        self._alarm.set(_CLOCK, due=ticks + LOOK)
        self._alarm.start()
        self._task = asyncio.create_task(self._run(), name="hookbin-dispatcher")

    async def stop(self, *, grace: float) -> None:
        """Start nothing more, give what is in flight `grace` seconds, then give up on it.

        What was given up stays pending and is tried again after the next start.
        """
        self._stopping = True
        self._wake.set()
        await self._alarm.stop()
        await self._task
        await _cancel(*self._refills.values(), *([] if self._following is None else [self._following]))
        if self._in_flight:
            _, late = await asyncio.wait(self._in_flight.values(), timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def reading(self) -> int:
        """How many lanes are being filled from the database."""
        return len(self._refills)

    def is_in_flight(self, delivery_id: str) -> bool:
        return delivery_id in self._in_flight

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Take in what was published, retried, cancelled, changed. Called after each commit."""
        event: Event | None = None
        for row in rows:
            if isinstance(row, Event):
                event = row
            elif isinstance(row, Delivery):
                self._delivery_changed(row, event)
            elif isinstance(row, AttemptSummary):
                self._asked_again.pop(row.delivery_id, None)  # its outcome counts what was asked for before it
            elif isinstance(row, Webhook):
                self._webhook_changed(row)
            elif isinstance(row, Removed) and row.kind == "webhook":
                self._published.forget_webhook(row.id)
                self._forget_lane(row.id)

    def _delivery_changed(self, delivery: Delivery, event: Event | None) -> None:
        self._published.take(delivery.id)
        if delivery.state is not DeliveryState.PENDING or delivery.next_attempt_at is None:
            self._asked_again.pop(delivery.id, None)
            if delivery.webhook_id in self._lanes:
                lane = self._lanes[delivery.webhook_id]
                lane.drop(delivery.id)
                self._arm(lane)  # in an ordered lane it may have held up the others
        elif delivery.id in self._in_flight:
            self._asked_again[delivery.id] = (delivery.next_attempt_at, delivery.turn)
        else:
            if event is not None and event.id == delivery.event_id and delivery.next_attempt_at <= self._clock.now():
                self._published.add(delivery, event)
            lane = self._lane(delivery.webhook_id)
            lane.put(delivery.id, due=delivery.next_attempt_at, turn=delivery.turn)
            self._arm(lane)

    def _webhook_changed(self, webhook: Webhook) -> None:
        lane = self._lane(webhook.id)
        if webhook.generation != lane.generation:
            lane.renew(webhook.generation, self._clock.ticks())
        if webhook.disabled:
            self._published.forget_webhook(webhook.id)
            lane.clear()
        if webhook.ordered != lane.ordered:
            lane.sort_anew(ordered=webhook.ordered)
        pacing.change_rate(lane, self._clock.ticks(), rate_limit=webhook.rate_limit)
        self._arm(lane)

    def _forget_lane(self, webhook_id: str) -> None:
        """The webhook was deleted; if that is undone, all is read again. What is under way is still counted here."""
        lane = self._lanes.get(webhook_id)
        if lane is not None and lane.in_flight:
            lane.sort_anew(ordered=lane.ordered)
        elif lane is not None:
            self._lanes.pop(webhook_id).clear()

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self._start_due()
            await self._wake.wait()

    async def _look_at(self, webhook_id: str) -> None:
        """What was planned for this time is due, or may go on."""
        if webhook_id == _CLOCK:
            ticks = self._clock.ticks()
            self._alarm.set(_CLOCK, due=ticks + LOOK)
            self._was_set(self._clock.now() - ticks)
        elif webhook_id in self._lanes:
            self._arm(self._lanes[webhook_id])

    def _start_due(self) -> None:
        """Let each lane that is ready start one attempt, if it may; `_arm` puts it behind the others again."""
        for _ in range(len(self._ready)):
            if self._slots.all_taken or self._following is not None:
                return
            lane = self._ready.popleft()
            ticks = self._clock.ticks()
            if self._slots.may_start(lane, ticks):
                lane.is_ready = False
                self._start_next(lane, ticks)
                self._arm(lane)
            else:
                self._ready.append(lane)  # until a slot is given back

    def _start_next(self, lane: Lane, ticks: int) -> None:
        webhook = self._webhooks.find(lane.webhook_id)
        if (
            webhook is None
            or webhook.paused
            or self._may_lack_its_first(lane)
            or max(lane.rests_until, lane.next_allowed_at) > ticks
            or len(lane.in_flight) >= _max_in_flight(webhook)
        ):
            return
        # by the time anew: by an old one, what fell due since would be ready for ever
        delivery_id = lane.pop_due(self._clock.now(), busy=self._in_flight)
        if delivery_id is not None:
            self._slots.take(lane, delivery_id, ticks)
            pacing.consume(lane, ticks, rate_limit=webhook.rate_limit)
            self._in_flight[delivery_id] = asyncio.create_task(self._attempt(lane, delivery_id))

    def _lane(self, webhook_id: str) -> Lane:
        if webhook_id not in self._lanes:
            webhook = self._webhooks.find(webhook_id)
            ordered, generation = (False, 0) if webhook is None else (webhook.ordered, webhook.generation)
            self._lanes[webhook_id] = Lane(webhook_id, ordered=ordered, generation=generation)
        return self._lanes[webhook_id]

    def _arm(self, lane: Lane) -> None:
        """See to it that the lane gets its turn: now, at its next due time, or after a refill."""
        webhook = self._webhooks.find(lane.webhook_id)
        if webhook is None or webhook.disabled or webhook.paused or self._stopping:
            return
        now, ticks = self._clock.now(), self._clock.ticks()
        if self._was_set(now - ticks):
            return
        if lane.rests_until > ticks:
            self._alarm.set(lane.webhook_id, due=lane.rests_until)
            return
        if lane.needs_refill and lane.webhook_id not in self._refills:
            self._refills[lane.webhook_id] = asyncio.create_task(self._refill(lane))
        due = lane.next_due()
        if (
            due is None
            or lane.is_ready
            or self._may_lack_its_first(lane)
            or len(lane.in_flight) >= _max_in_flight(webhook)
        ):
            return
        wait = max(due - now, lane.next_allowed_at - ticks)
        if wait <= 0:
            lane.is_ready = True
            self._ready.append(lane)
            self._wake.set()
        else:
            self._alarm.set(lane.webhook_id, due=ticks + wait)

    def _may_lack_its_first(self, lane: Lane) -> bool:
        """An ordered lane that is being read may hold what is new before what comes ahead of it."""
        return lane.ordered and lane.webhook_id in self._refills

    def _rest(self, lane: Lane) -> int:
        """Leave the lane alone for a while: what the storage refuses now, it refuses for each of its deliveries.

        Returns when it goes on.
        """
        lane.rests_until = self._clock.ticks() + PAUSE
        return self._clock.now() + PAUSE

    def _was_set(self, set_to: int) -> bool:
        """Whether the clock, which is set to be ahead of the ticks by so much now, still has to be followed."""
        if self._following is None and abs(set_to - self._set_to) > MAX_DRIFT and not self._stopping:
            self._following = asyncio.create_task(self._follow_clock(), name="hookbin-dispatcher-clock")
        return self._following is not None

    async def _follow_clock(self) -> None:
        """Move what waits as far as the clock was set, then read it anew and go on."""
        await _cancel(*self._refills.values())
        while True:
            now = self._clock.now()
            set_to = now - self._clock.ticks()
            by = set_to - self._set_to
            try:
                await self._deliveries.shift_pending(by, now=now, but=list(self._in_flight))
                break
            except Exception:
                logger.exception("the clock was set, and pending deliveries could not follow it yet")
                await self._clock.wait(asyncio.Event(), until=self._clock.ticks() + PAUSE)
        logger.warning("the clock was set by %.1f s; pending deliveries follow it", by / SECOND)
        self._set_to, self._following = set_to, None
        self._published.forget_all()
        for lane in self._lanes.values():
            lane.sort_anew(ordered=lane.ordered)
            self._arm(lane)
        self._wake.set()

    async def _refill(self, lane: Lane) -> None:
        lane.begin_refill()
        ordered, limit = lane.ordered, WINDOW + len(lane.in_flight)
        try:
            found = await self._deliveries.due(lane.webhook_id, limit=limit, ordered=ordered)
        except Exception:
            logger.exception("pending deliveries could not be read; the next try is in a few seconds")
            lane.end_refill((), complete=False)
            self._rest(lane)
            self._arm(lane)
            return
        finally:
            del self._refills[lane.webhook_id]
        if ordered is lane.ordered:
            rows = [row for row in found if row[0] not in self._in_flight]
            lane.end_refill(rows, complete=len(found) < limit)
        self._arm(lane)

    async def _attempt(self, lane: Lane, delivery_id: str) -> None:
        again: tuple[int, int] | None = None
        try:
            again = await self._attempts.make(delivery_id)
        except Unavailable as error:
            logger.error("an attempt could not be made or recorded, and will be repeated: %s", error.detail)
            self.lacks.add(error.detail, now=self._clock.now())
            again = self._rest(lane), 0
        except Exception:
            logger.exception("an attempt failed inside hookbin and will be repeated")
            again = self._rest(lane), 0
        finally:
            del self._in_flight[delivery_id]
            self._slots.give_back(lane, delivery_id, self._clock.ticks())
            again = self._asked_again.pop(delivery_id, again)
            if self._webhooks.find(lane.webhook_id) is None:
                self._forget_lane(lane.webhook_id)
            elif again is not None:
                lane.put(delivery_id, due=again[0], turn=again[1])
            self._arm(lane)
            self._wake.set()


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _max_in_flight(webhook: Webhook) -> int:
    return 1 if webhook.ordered else webhook.max_in_flight
