"""How many attempts are under way and how fast they follow: slots, rates, order, later delivery, giving up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hookbin.dispatch.lanes import Lane
from hookbin.dispatch.pacing import LATE, Slots, change_rate, consume, is_slow
from hookbin.dispatch.published_cache import PublishedCache
from hookbin.models.common import SECOND
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.readers import Row
from tests.builders import Workshop, a_delivery, a_webhook, an_event, open_workshop
from tests.support import FakeClock

pytestmark = pytest.mark.anyio


def sent(shop: Workshop) -> list[str]:
    """The deliveries of every attempt that began, in order."""
    return [call[1] for call in shop.sender.calls]


async def publish(shop: Workshop, count: int, **options: Any) -> list[str]:
    """The deliveries of so many events, to the one webhook that there is."""
    return [(await shop.stores.publish(**options))[0].id for _ in range(count)]


# Slots


def take(slots: Slots, lane: Lane, count: int, *, now: int = 0) -> int:
    """How many of so many attempts may start."""
    for number in range(count):
        if not slots.may_start(lane, now):
            return number
        slots.take(lane, f"{lane.webhook_id}-{len(lane.in_flight)}", now)
    return count


def quick(name: str) -> Lane:
    lane = Lane(name)
    lane.last_duration = SECOND // 100
    return lane


def slow(name: str) -> Lane:
    lane = Lane(name)
    lane.last_duration = 15 * SECOND
    return lane


@pytest.mark.parametrize(("make", "most"), [(quick, 128), (slow, 64), (Lane, 64)])
def test_one_webhook_alone_may_have_as_many_as_one_can_ask_for(make: Callable[[str], Lane], most: int) -> None:
    assert take(Slots(256), make("wh_1"), 1000) == most


@pytest.mark.parametrize("hanging", [1, 8, 30, 120])
@pytest.mark.parametrize("make", [Lane, slow])
def test_destinations_that_hang_leave_slots_for_one_that_answers_and_for_a_new_one(
    make: Callable[[str], Lane], hanging: int
) -> None:
    slots = Slots(256)
    for number in range(hanging):
        take(slots, make(f"wh_{number}"), 64)
    assert take(slots, Lane("new"), 1) == 1
    assert take(slots, quick("healthy"), 8) == 8


def test_slow_webhooks_leave_a_quarter_however_many_they_are() -> None:
    slots = Slots(256)
    for number in range(1_000):
        take(slots, slow(f"wh_{number}"), 8)
    assert slots.taken == 192
    assert take(slots, quick("healthy"), 8) == 8


def test_busy_webhooks_always_leave_one_slot_for_one_that_has_none() -> None:
    slots, lanes = Slots(256), [quick(f"wh_{number}") for number in range(255)]
    for _ in range(64):
        for lane in lanes:
            take(slots, lane, 1)
    assert take(slots, slow("wh_slow"), 8) == 1


def test_a_webhook_is_slow_when_its_last_or_its_oldest_attempt_took_long() -> None:
    lane, slots = Lane("wh_1"), Slots()
    slots.take(lane, "a", 0)
    assert not is_slow(lane, 1 * SECOND)
    assert is_slow(lane, 1 * SECOND + 1)
    slots.give_back(lane, "a", 2 * SECOND)
    assert is_slow(lane, 2 * SECOND)
    slots.take(lane, "b", 2 * SECOND)
    slots.give_back(lane, "b", 2 * SECOND + 5)
    assert not is_slow(lane, 3 * SECOND)
    assert slots.taken == 0


# Rate


def test_a_rate_spaces_attempts_evenly_and_makes_up_for_a_late_timer() -> None:
    lane, now = Lane("wh_1"), 100 * SECOND
    consume(lane, now, rate_limit=10)
    assert lane.next_allowed_at == now + SECOND // 10
    consume(lane, lane.next_allowed_at + LATE, rate_limit=10)
    assert lane.next_allowed_at == now + 2 * SECOND // 10, "the timer was late"
    consume(lane, lane.next_allowed_at + LATE + 1, rate_limit=10)
    assert lane.next_allowed_at == now + 3 * SECOND // 10 + LATE + 1, "nothing was to be sent"


def test_a_limit_that_is_changed_or_lifted_holds_at_once() -> None:
    lane = Lane("wh_1")
    consume(lane, 0, rate_limit=0.01)
    assert lane.next_allowed_at == 100 * SECOND
    change_rate(lane, SECOND, rate_limit=1)
    assert lane.next_allowed_at == 2 * SECOND
    change_rate(lane, SECOND, rate_limit=None)
    assert lane.next_allowed_at == 0


@pytest.mark.parametrize("seconds", [-3_600, 0, 3_600])
async def test_a_rate_limit_holds_over_a_restart_and_a_clock_that_is_set(tmp_path: Path, seconds: float) -> None:
    clock = FakeClock()
    async with open_workshop(tmp_path / "hookbin.db", clock=clock) as shop:
        await shop.stores.register(rate_limit=0.1)
        await publish(shop, 5)
        await shop.settle()
        assert len(shop.sender.calls) == 1
        clock.set(seconds)
        await shop.settle()
        clock.advance(10)
        await shop.settle()
        assert len(shop.sender.calls) == 2
    clock.set(seconds)
    async with open_workshop(tmp_path / "hookbin.db", clock=clock) as shop:
        for wait, calls in ((9.999999, 0), (0.000001, 1), (9.999999, 1), (0.000001, 2)):
            clock.advance(wait)
            await shop.settle()
            assert len(shop.sender.calls) == calls


# Order


async def test_an_ordered_webhook_gets_one_after_the_other_and_the_first_waits_for_its_retry(shop: Workshop) -> None:
    await shop.stores.register(ordered=True, retry_schedule=(1.0, 5.0))
    shop.sender.script["wh_1"] = [500, 503, 200]
    first, *others = await publish(shop, 3)
    for wait, expected in ((1, [first]), (5, [first] * 2), (0, [first] * 3 + others)):
        await shop.settle()
        assert sent(shop) == expected
        shop.clock.advance(wait)
    assert shop.sender.most_under_way["wh_1"] == 1


async def test_order_can_be_switched_on_and_off(shop: Workshop) -> None:
    await shop.stores.register(retry_schedule=(50.0, 50.0))
    shop.sender.script["wh_1"] = [500, 200]
    (first,) = await publish(shop, 1)
    await shop.settle()
    await shop.stores.webhooks.edit("wh_1", lambda now: replace(now, ordered=True))
    (second,) = await publish(shop, 1)
    await shop.settle()
    assert sent(shop) == [first], "the head of the line waits for its retry"
    await shop.stores.webhooks.edit("wh_1", lambda now: replace(now, ordered=False))
    await shop.settle()
    assert sent(shop) == [first, second]


async def test_nothing_new_overtakes_in_an_ordered_queue_while_it_is_being_read(tmp_path: Path) -> None:
    may_be_read = asyncio.Event()
    may_be_read.set()

    class Slow(DeliveryStore):
        async def due(self, *args: Any, **options: Any) -> list[Row]:
            found = await super().due(*args, **options)
            await may_be_read.wait()
            return found

    async with open_workshop(tmp_path / "hookbin.db", deliveries=Slow) as shop:
        await shop.stores.register(retry_schedule=(50.0,))
        shop.sender.script["wh_1"] = [500, 200]
        (first,) = await publish(shop, 1)
        await shop.settle()
        may_be_read.clear()
        await shop.stores.webhooks.edit("wh_1", lambda now: replace(now, ordered=True))
        (second,) = await publish(shop, 1)
        for _ in range(20):
            await shop.stores.database.probe()
        assert sent(shop) == [first]
        may_be_read.set()
        await shop.settle()
        assert sent(shop) == [first]
        shop.clock.advance(50)
        await shop.seen.until(lambda: len(shop.seen.attempts) == 3)
        assert sent(shop) == [first, first, second]


async def test_the_order_of_publishing_holds_when_the_clock_is_set_back(shop: Workshop) -> None:
    await shop.stores.register(ordered=True)
    shop.sender.hold("wh_1")
    made = await publish(shop, 1)
    shop.clock.advance(5)
    made += await publish(shop, 2)
    shop.clock.set(-3)
    made += await publish(shop, 2)
    shop.sender.release("wh_1")
    shop.clock.advance(5)
    await shop.settle()
    assert sent(shop) == made


async def test_the_order_of_publishing_holds_when_the_clock_is_set_back_before_a_restart(tmp_path: Path) -> None:
    clock, made = FakeClock(), list[str]()
    for round in range(3):
        async with open_workshop(tmp_path / "hookbin.db", clock=clock) as shop:
            if not round:
                await shop.stores.register(ordered=True)
            shop.sender.hold("wh_1")
            made += await publish(shop, 2)
        clock.set(-60)
    async with open_workshop(tmp_path / "hookbin.db", clock=clock) as shop:
        await shop.settle()
        assert sent(shop) == made == sorted(made)


# Later


async def test_in_an_ordered_queue_an_event_for_later_takes_its_turn_when_it_is_due(shop: Workshop) -> None:
    await shop.stores.register(ordered=True)
    later = await publish(shop, 1, deliver_at=shop.clock.now() + 10 * SECOND)
    now = await publish(shop, 2)
    await shop.settle()
    assert sent(shop) == now
    shop.clock.advance(10)
    await shop.settle()
    assert sent(shop) == now + later


# What was published just now


def test_what_is_held_is_bounded_by_number_and_by_bytes() -> None:
    recent = PublishedCache(max_deliveries=3, max_bytes=100)
    deliveries = []
    for number in range(5):
        event = an_event(f"evt_{number}", body=b"x" * 10)
        deliveries.append(a_delivery(event, a_webhook()))
        recent.add(deliveries[-1], event)
    assert [recent.take(delivery.id) is not None for delivery in deliveries] == [False, False, True, True, True]
    for number, size in enumerate((60, 60, 200)):
        event = an_event(f"evt_{number}", body=b"x" * size)
        recent.add(a_delivery(event, a_webhook()), event)
        assert len(recent) == (1 if size <= 100 else 0)


def test_what_is_held_of_a_webhook_can_be_forgotten() -> None:
    recent = PublishedCache()
    event = an_event()
    for id in ("wh_1", "wh_2"):
        recent.add(a_delivery(event, a_webhook(id)), event)
    recent.forget_webhook("wh_1")
    assert recent.take("dlv_evt_1_wh_1") is None
    assert recent.take("dlv_evt_1_wh_2") is not None
