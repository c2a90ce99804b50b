"""A model of sending beside the real thing: whatever is done, and in whatever order, the store agrees with it.

The dispatcher, the stores and SQLite are real; the clock is turned by hand, and an attempt ends when a rule
answers it. After each step everything comes to rest and is compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from hookbin.dispatch.pacing import LATE
from hookbin.dispatch.recovery import STEP
from hookbin.dispatch.sender import Sender, Sent
from hookbin.errors import NotCancellable, NotRetryable, WebhookDisabled
from hookbin.models.common import SECOND
from hookbin.models.deliveries import Delivery, DeliveryState, ErrorClass, Trigger
from hookbin.models.events import Event, EventSummary
from hookbin.models.webhooks import Webhook
from hookbin.store.events import Published
from tests.builders import Answer, Workshop, open_workshop
from tests.support import FakeClock

T = TypeVar("T")
PENDING, CANCELLED, FAILED = DeliveryState.PENDING, DeliveryState.CANCELLED, DeliveryState.FAILED
ANSWERS: tuple[Answer, ...] = (200, 204, 500, 503, ErrorClass.TIMEOUT, 404, 301, 410, ErrorClass.BLOCKED_TARGET)
IN_MEMORY = Path("/dev/shm")
"""Thousands of commits are waited for, and this is no test of the disk."""
RETRIED: tuple[Answer, ...] = (500, 503, ErrorClass.TIMEOUT)


class AnsweredByHand(Sender):
    """Every attempt hangs until it is answered."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.started: list[tuple[str, int, int, int]] = []
        self.under_way: dict[str, asyncio.Future[Answer]] = {}

    async def send(self, webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int) -> Sent:
        self.started.append((delivery_id, number, self._clock.now(), self._clock.ticks()))
        answer = self.under_way[delivery_id] = asyncio.get_running_loop().create_future()
        try:
            got = await answer
        finally:
            del self.under_way[delivery_id]
        if isinstance(got, ErrorClass):
            return Sent(url=webhook.destination, request_headers=(), error=got)
        return Sent(url=webhook.destination, request_headers=(), status=got, response_headers=(), response_body=b"")


@dataclass
class Modelled:
    """A delivery as it should be."""

    webhook: str
    event: str
    place: tuple[int, str]
    due: int | None
    state: DeliveryState = PENDING
    trigger: Trigger = Trigger.AUTO
    attempts: int = 0
    got: bool = False
    """Whether the destination has taken it at any time."""
    began: tuple[int | None, Trigger, int] | None = None
    """Its schedule, and its webhook's generation, when the attempt that is under way began."""

    def end(self, state: DeliveryState) -> None:
        self.state, self.due, self.trigger = state, None, Trigger.AUTO

    def revive(self, due: int) -> None:
        self.state, self.due, self.trigger = PENDING, due, Trigger.MANUAL


@dataclass
class Destination:
    schedule: tuple[float, ...]
    most: int
    ordered: bool
    disable_after: int | None
    rate_limit: float | None
    next_allowed_at: int = 0
    """No attempt begins before (ticks): its rate."""
    disabled: bool = False
    deleted: bool = False
    failed_in_a_row: int = 0
    generation: int = 0

    @property
    def is_usable(self) -> bool:
        return not (self.disabled or self.deleted)

    @property
    def interval(self) -> int:
        return 0 if self.rate_limit is None else round(SECOND / self.rate_limit)

    def renew(self) -> None:
        """It leads elsewhere, or is enabled anew: what was begun before says nothing of it."""
        self.failed_in_a_row, self.generation = 0, self.generation + 1

    def consume(self, now: int) -> None:
        """An attempt begins."""
        assert now >= self.next_allowed_at, "not faster than its rate"
        began = self.next_allowed_at if now - self.next_allowed_at <= LATE else now
        self.next_allowed_at = began + self.interval


@dataclass
class Model:
    deliveries: dict[str, Modelled] = field(default_factory=dict)
    webhooks: dict[str, Destination] = field(default_factory=dict)
    events: dict[str, EventSummary] = field(default_factory=dict)

    def of(self, webhook: str, *states: DeliveryState) -> list[Modelled]:
        return [each for each in self.deliveries.values() if each.webhook == webhook and each.state in states]

    def cancel_all(self, webhook: str) -> None:
        for delivery in self.of(webhook, PENDING):
            # what is scheduled by hand stays marked so: the whole table is changed by one statement
            delivery.state, delivery.due = CANCELLED, None

    def answered(self, id: str, answer: Answer, now: int) -> None:
        delivery = self.deliveries[id]
        webhook = self.webhooks[delivery.webhook]
        assert delivery.began is not None
        due, trigger, generation = delivery.began
        unchanged, counts = (delivery.due, delivery.trigger) == (due, trigger), generation == webhook.generation
        delivery.began = None
        delivery.attempts += 1
        if answer in (200, 204):
            delivery.end(DeliveryState.SUCCEEDED)
            delivery.got = True
            webhook.failed_in_a_row *= not counts
        elif delivery.state is PENDING and not unchanged:
            pass  # a retry asked for meanwhile stays due
        elif delivery.state is not PENDING:
            delivery.trigger = Trigger.AUTO
        elif answer in RETRIED and delivery.attempts <= len(webhook.schedule):
            delivery.due = now + round(webhook.schedule[delivery.attempts - 1] * SECOND)
            delivery.trigger = Trigger.AUTO
        else:
            delivery.end(FAILED)
            webhook.failed_in_a_row += counts and webhook.disable_after is not None and trigger is Trigger.AUTO
        if not counts:
            return
        if answer == 410 or (webhook.disable_after and webhook.failed_in_a_row >= webhook.disable_after):
            webhook.disabled = True
            self.cancel_all(delivery.webhook)

    def clock_was_set(self, by: int, now: int) -> None:
        """What waits waits as long as it would have; an appointment is kept by the clock."""
        for each in self.deliveries.values():
            is_appointment = each.due == self.events[each.event].deliver_at
            if each.state is PENDING and each.began is None and not is_appointment:
                assert each.due is not None
                each.due += by * (each.due > min(now, now - by))

    def restarted(self, now: int) -> None:
        """What seems to wait longer than it should, since the clock was set back while it was under way, does not."""
        for each in self.deliveries.values():
            is_appointment = each.due == self.events[each.event].deliver_at
            if each.state is PENDING and each.due is not None and not is_appointment:
                retried = each.trigger is Trigger.AUTO and each.attempts
                wait = self.webhooks[each.webhook].schedule[each.attempts - 1] if retried else 0
                each.due = min(each.due, now + round(wait * SECOND)) if each.due > now else each.due

    def started(self, id: str, number: int, now: int, ticks: int) -> None:
        """Check that an attempt was right to begin."""
        delivery = self.deliveries[id]
        webhook = self.webhooks[delivery.webhook]
        assert delivery.began is None, "one attempt at a time"
        assert delivery.state is PENDING
        assert delivery.due is not None
        assert delivery.due <= now, "not before its time"
        assert number == delivery.attempts + 1, "no number is left out or used twice"
        assert webhook.is_usable
        if webhook.ordered:
            assert delivery.place == min(each.place for each in self.of(delivery.webhook, PENDING))
        delivery.began = (delivery.due, delivery.trigger, webhook.generation)
        webhook.consume(ticks)

    def of_event(self, event: str) -> dict[str, Modelled]:
        return {id: each for id, each in self.deliveries.items() if each.event == event}

    def lacking(self, webhook: str) -> list[str]:
        """Events of which there is no delivery to that webhook."""
        there = {each.event for each in self.deliveries.values() if each.webhook == webhook}
        return [event for event in self.events if event not in there]

    def add(self, delivery: Delivery) -> None:
        self.deliveries[delivery.id] = Modelled(
            delivery.webhook_id, delivery.event_id, (delivery.turn, delivery.id), delivery.next_attempt_at
        )


class DeliveryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None)
        self.clock = FakeClock()
        self.random = Random(0)
        """Ids are drawn from it: those of one millisecond sort by chance over a restart; a run must be repeatable."""
        self.model = Model()
        self.agreed = True
        self.shop, self.sender = self.run(self._open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _open(self) -> tuple[Workshop, AnsweredByHand]:
        sender, self.stack = AnsweredByHand(self.clock), AsyncExitStack()
        path = Path(self.folder.name) / "hookbin.db"
        given: dict[str, Any] = {"clock": self.clock, "randomness": self.random.randbytes, "sender": sender}
        shop = await self.stack.enter_async_context(open_workshop(path, **given))
        return shop, sender

    @initialize(options=st.lists(st.booleans(), min_size=1, max_size=3))
    def register_some(self, options: list[bool]) -> None:
        for ordered in options:
            self.register(schedule=(1.0, 60.0), most=2, ordered=ordered, disable_after=3, rate_limit=None)

    @precondition(lambda self: len(self.model.webhooks) < 5)
    @rule(
        schedule=st.sampled_from([(), (1.0,), (1.0, 2.0, 3_600.0)]),
        most=st.sampled_from([1, 3, 8]),
        ordered=st.booleans(),
        disable_after=st.sampled_from([None, 1, 2]),
        rate_limit=st.sampled_from([None, None, 100.0, 0.5]),
    )
    def register(
        self,
        schedule: tuple[float, ...],
        most: int,
        ordered: bool,
        disable_after: int | None,
        rate_limit: float | None,
    ) -> None:
        id = f"wh_{len(self.model.webhooks)}"
        options: dict[str, Any] = {"ordered": ordered, "disable_after": disable_after, "rate_limit": rate_limit}
        self.run(self.shop.stores.register(id, max_in_flight=most, retry_schedule=schedule, **options))
        self.model.webhooks[id] = Destination(schedule, 1 if ordered else most, **options)

    @precondition(lambda self: len(self.model.deliveries) < 100)
    @rule(count=st.sampled_from([1, 1, 2, 3, 3, 140]), later=st.sampled_from([0, 0, 0, 2]))
    def publish(self, count: int, later: float) -> None:
        self._tick()
        at = self.clock.now() + round(later * SECOND)
        usable = [id for id, webhook in self.model.webhooks.items() if webhook.is_usable]
        for published in self.run(self._publish(count, at)):
            self.model.events[published.event.id] = published.event
            assert [each.webhook_id for each in published.deliveries] == usable
            for each in published.deliveries:
                assert each.next_attempt_at == at
                self.model.add(each)

    async def _publish(self, count: int, at: int) -> list[Published]:
        publish = self.shop.stores.publisher.publish_json
        return await asyncio.gather(*[publish("user.created", b"{}", deliver_at=at) for _ in range(count)])

    @precondition(lambda self: self.sender.under_way)
    @rule(data=st.data(), answer=st.sampled_from(ANSWERS))
    def answer_one(self, data: st.DataObject, answer: Answer) -> None:
        self._answer(data.draw(st.sampled_from(sorted(self.sender.under_way))), answer)

    @precondition(lambda self: self.sender.under_way)
    @rule(answer=st.sampled_from(ANSWERS[:5]))
    def answer_all(self, answer: Answer) -> None:
        for id in sorted(self.sender.under_way):
            self._answer(id, answer)

    @precondition(lambda self: self.model.deliveries)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.model.deliveries)[-20:]))
        delivery = self.model.deliveries[id]
        self._tick()
        refused = (
            delivery.state is DeliveryState.SUCCEEDED
            or (delivery.state is PENDING and delivery.trigger is Trigger.MANUAL)
            or not self.model.webhooks[delivery.webhook].is_usable
        )
        try:
            self.run(self.shop.stores.deliveries.retry(id, now=self.clock.now()))
            assert not refused
            delivery.revive(self.clock.now())
        except NotRetryable:
            assert refused

    @precondition(lambda self: self.model.deliveries)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.model.deliveries)[-20:]))
        delivery = self.model.deliveries[id]
        self._tick()
        try:
            self.run(self.shop.stores.deliveries.cancel(id, now=self.clock.now()))
            assert delivery.state is PENDING
            delivery.end(CANCELLED)
        except NotCancellable:
            assert delivery.state is not PENDING

    @precondition(lambda self: self.model.events)
    @rule(data=st.data(), to_one=st.booleans())
    def replay(self, data: st.DataObject, to_one: bool) -> None:
        event = data.draw(st.sampled_from(list(self.model.events)[-10:]))
        usable = [id for id, webhook in self.model.webhooks.items() if webhook.is_usable]
        if to_one and not usable:
            return
        wanted = [data.draw(st.sampled_from(usable))] if to_one else usable
        there = {id: each for id, each in self.model.of_event(event).items() if not to_one or each.webhook == wanted[0]}
        webhook = self.shop.stores.webhooks.get(wanted[0]) if to_one else None
        self._tick()
        now = self.clock.now()
        done = self.run(self.shop.stores.recovery.replay(event, webhook, busy=list(self.sender.under_way)))

        left = {
            id
            for id, each in there.items()
            if each.webhook not in usable
            or id in self.sender.under_way
            or (each.state is PENDING and each.trigger is Trigger.MANUAL)
        }
        assert {each.id for each, _ in done.left} == left
        assert {each.id for each in done.retried} == there.keys() - left
        assert {each.webhook_id for each in done.made} == set(wanted) - {each.webhook for each in there.values()}
        for id in there.keys() - left:
            self.model.deliveries[id].revive(now)
        for each in done.made:
            assert each.next_attempt_at == now
            self.model.add(each)

    @precondition(lambda self: len(self.model.deliveries) < 300)
    @rule(data=st.data(), dry_run=st.booleans())
    def recover(self, data: st.DataObject, dry_run: bool) -> None:
        id = data.draw(st.sampled_from(sorted(self.model.webhooks)))
        webhook = self.model.webhooks[id]
        if webhook.deleted:
            return
        missed = {
            key: each
            for key, each in self.model.deliveries.items()
            if each.webhook == id and each.state in (FAILED, CANCELLED) and not each.got
        }
        lacking = self.model.lacking(id)
        self._tick()
        now = self.clock.now()
        found = self.shop.stores.webhooks.get(id)
        try:
            done = self.run(self.shop.stores.recovery.recover(found, since=0, cursor=None, dry_run=dry_run))
        except WebhookDisabled:
            assert webhook.disabled
            return
        assert (done.retried, done.made) == (len(missed), len(lacking))
        if dry_run:
            return
        assert not webhook.disabled
        for each in self.run(self.shop.stores.listed(webhook_id=id)):
            if each.id not in missed and each.id in self.model.deliveries:
                continue
            wished = self.model.events[each.event_id].deliver_at or 0
            assert each.next_attempt_at is not None
            assert each.next_attempt_at == wished or now <= each.next_attempt_at < now + STEP
            if each.id in missed:
                missed[each.id].revive(each.next_attempt_at)
            else:
                assert each.event_id in lacking
                self.model.add(each)

    @rule(data=st.data(), disabled=st.sampled_from([True, False, False]))
    def disable_or_enable(self, data: st.DataObject, disabled: bool) -> None:
        id = data.draw(st.sampled_from(sorted(self.model.webhooks)))
        webhook = self.model.webhooks[id]
        if webhook.deleted:
            return
        self.run(self.shop.stores.webhooks.edit(id, lambda now: replace(now, disabled=disabled)))
        if webhook.disabled and not disabled:
            webhook.renew()
        webhook.disabled = disabled
        if disabled:
            self.model.cancel_all(id)

    @rule(data=st.data(), path=st.sampled_from("ab"))
    def move(self, data: st.DataObject, path: str) -> None:
        id = data.draw(st.sampled_from(sorted(self.model.webhooks)))
        webhook = self.model.webhooks[id]
        if webhook.deleted:
            return
        destination = f"http://localhost:1/{path}"
        if self.shop.stores.webhooks.get(id).destination != destination:
            webhook.renew()
        self.run(self.shop.stores.webhooks.edit(id, lambda now: replace(now, destination=destination)))

    @precondition(lambda self: sum(each.is_usable for each in self.model.webhooks.values()) > 2)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.model.webhooks)))
        if not self.model.webhooks[id].deleted:
            self.run(self.shop.stores.webhooks.delete(self.shop.stores.webhooks.get(id)))
            self.model.webhooks[id].deleted = True
            self.model.cancel_all(id)

    @rule(seconds=st.sampled_from([0.5, 1, 2, 60, 3_600]))
    def turn_the_clock(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([-7_200.0, -90.0, -1.5, 1.5, 90.0, 7_200.0]))
    def set_the_clock(self, seconds: float) -> None:
        self._settle()
        self.clock.set(seconds)
        self.clock.advance(60)
        self.run(self.shop.settle(rounds=5, held=lambda: len(self.sender.under_way)))
        self.model.clock_was_set(round(seconds * SECOND), self.clock.now())

    @rule()
    def restart(self) -> None:
        self.run(self.stack.aclose())
        for delivery in self.model.deliveries.values():
            delivery.began = None  # what was under way is given up, and made again
        for webhook in self.model.webhooks.values():
            webhook.next_allowed_at = self.clock.ticks() + webhook.interval
        self.model.restarted(self.clock.now())
        self.shop, self.sender = self.run(self._open())

    @invariant()
    def the_store_agrees(self) -> None:
        self.agreed = False
        self._settle()
        found: list[Delivery] = self.run(self.shop.stores.listed())
        assert {each.id: (each.state, each.attempt_count, each.next_attempt_at) for each in found} == {
            id: (each.state, each.attempts, each.due) for id, each in self.model.deliveries.items()
        }
        for id, webhook in self.model.webhooks.items():
            kept = self.shop.stores.webhooks.find(id)
            assert (kept is None) == webhook.deleted
            if kept is not None:
                assert (kept.disabled, kept.exhausted_in_a_row) == (webhook.disabled, webhook.failed_in_a_row)
        self.agreed = True

    @invariant()
    def whatever_is_due_is_under_way_or_waits_for_its_place(self) -> None:
        for id, webhook in self.model.webhooks.items():
            everything = [each for each in self.model.deliveries.values() if each.webhook == id]
            under_way = [each for each in everything if each.began is not None]
            assert len(under_way) <= webhook.most
            waiting = [each for each in everything if each.state is PENDING and each.began is None]
            if webhook.ordered and waiting:
                waiting = [min(waiting, key=lambda each: each.place)]
            rests = webhook.rate_limit is not None and self.clock.ticks() < webhook.next_allowed_at
            if not rests and any(each.due is not None and each.due <= self.clock.now() for each in waiting):
                assert not webhook.is_usable or len(under_way) == webhook.most

    def teardown(self) -> None:
        """With time, and a destination that answers, every delivery comes to its end and no attempt is missing."""
        try:
            if self.agreed:
                self._bring_to_an_end()
        finally:
            self.run(self.stack.aclose())
            self.runner.close()
            self.folder.cleanup()

    def _bring_to_an_end(self) -> None:
        for id, webhook in self.model.webhooks.items():
            if not webhook.deleted:  # the clock turns in leaps, and each would be one attempt
                self.run(self.shop.stores.webhooks.edit(id, lambda now: replace(now, rate_limit=None)))
            webhook.rate_limit, webhook.next_allowed_at = None, 0
        for _ in range(1_000):
            self._settle()
            if not any(each.state is PENDING for each in self.model.deliveries.values()):
                break
            for id in sorted(self.sender.under_way):
                self._answer(id, 200)
            self.clock.advance(3_600)
        self.the_store_agrees()
        assert not any(each.state is PENDING for each in self.model.deliveries.values())
        self.run(self._check_attempts())

    async def _check_attempts(self) -> None:
        for delivery in await self.shop.stores.listed():
            attempts = await self.shop.stores.deliveries.attempts(delivery)
            assert [each.number for each in attempts] == list(range(1, delivery.attempt_count + 1))

    def _answer(self, id: str, answer: Answer) -> None:
        self._settle()
        self._tick()
        self.sender.under_way[id].set_result(answer)
        self.run(self._until_recorded(id))
        self.model.answered(id, answer, self.clock.now())

    async def _until_recorded(self, id: str) -> None:
        number = self.model.deliveries[id].attempts + 1
        await self.shop.seen.until(
            lambda: any(each.delivery_id == id and each.number == number for each in self.shop.seen.attempts[-300:])
        )

    def _tick(self) -> None:
        """No two things happen at one time."""
        self.clock.advance(0.000001)

    def _settle(self) -> None:
        self.run(self.shop.settle(rounds=5, held=lambda: len(self.sender.under_way)))
        for id, number, at, ticks in self.sender.started:
            self.model.started(id, number, at, ticks)
        self.sender.started.clear()


TestDeliveryMachine = DeliveryMachine.TestCase
TestDeliveryMachine.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink an example takes minutes
)
