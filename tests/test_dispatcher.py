"""What is due and whose turn it is, with a clock to turn and a sender that answers from a script."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from hookbin.dispatch.attempts import MAX_LARGE
from hookbin.dispatch.dispatcher import PAUSE
from hookbin.dispatch.lanes import WINDOW
from hookbin.models.common import SECOND
from hookbin.models.deliveries import DeliveryState, ErrorClass
from hookbin.store.database import Database
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.readers import Row
from tests.builders import Workshop, open_stores, open_workshop
from tests.support import FakeClock

pytestmark = pytest.mark.anyio


def has_attempted(shop: Workshop, times: int) -> bool:
    return len(shop.seen.attempts) == times


async def test_what_is_retried_follows_at_its_time_until_it_succeeds(shop: Workshop) -> None:
    """The schedule, the kinds and the answer's Retry-After all count."""
    await shop.stores.register(retry_schedule=(1.0, 5.0, 30.0), retry_on=("5xx", "network", "429"))
    shop.sender.script["wh_1"] = [500, ErrorClass.TIMEOUT, 429, 204]
    shop.sender.retry_after = "2"
    (delivery,) = await shop.stores.publish()
    started = [shop.clock.now()]
    await shop.seen.until(lambda: len(shop.seen.attempts) == 1)
    for number, wait in enumerate((2, 5, 30), start=1):
        await shop.settle()
        shop.clock.advance(wait - 0.000001)
        await shop.settle()
        assert len(shop.sender.calls) == number, "not before its time"
        shop.clock.advance(0.000001)
        started.append(shop.clock.now())
        await shop.seen.until(partial(has_attempted, shop, number + 1))
    attempts = shop.seen.attempts
    assert [attempt.started_at for attempt in attempts] == started
    assert [attempt.status for attempt in attempts] == [500, None, 429, 204]
    assert [attempt.next_attempt_at for attempt in attempts] == [*started[1:], None]
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4]
    assert await shop.state(delivery) is DeliveryState.SUCCEEDED


async def test_a_retry_committed_together_with_the_failure_before_it_is_not_lost(shop: Workshop) -> None:
    await shop.stores.register(retry_schedule=())
    shop.sender.script["wh_1"] = [500, 200]
    shop.sender.hold("wh_1")
    (delivery,) = await shop.stores.publish()
    await shop.seen.until(lambda: shop.sender.calls)
    gate = threading.Event()
    busy = asyncio.create_task(shop.stores.database.transact(lambda _: gate.wait(20)))
    await asyncio.sleep(0)
    waiting = shop.stores.database.queued_bytes
    shop.sender.release("wh_1")
    for _ in range(50):  # turns of the loop: until its outcome waits to be written
        await asyncio.sleep(0)
    assert shop.stores.database.queued_bytes > waiting
    retry = asyncio.create_task(shop.stores.deliveries.retry(delivery.id, now=shop.clock.now()))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(busy, retry)
    await shop.seen.until(lambda: len(shop.seen.attempts) == 2)
    assert await shop.state(delivery) is DeliveryState.SUCCEEDED


@pytest.mark.parametrize("ordered", [False, True])
async def test_what_a_paused_webhook_is_to_get_waits_over_a_restart_and_goes_out_in_order(
    tmp_path: Path, ordered: bool
) -> None:
    path, count = tmp_path / "hookbin.db", WINDOW + 10
    async with open_workshop(path) as shop:
        await shop.stores.register(ordered=ordered, retry_schedule=(1.0,))
        shop.sender.script["wh_1"] = [500]
        shop.sender.hold("wh_1")
        (first,) = await shop.stores.publish()
        await shop.seen.until(lambda: shop.sender.calls)
        await shop.stores.webhooks.edit("wh_1", lambda now: replace(now, paused=True))
        shop.sender.release("wh_1")
        await shop.seen.until(lambda: shop.seen.attempts)
        later = [(await shop.stores.publish())[0].id for _ in range(count)]
        await shop.stores.deliveries.retry(first.id, now=shop.clock.now())
        shop.clock.advance(10)
        await shop.settle()
        assert len(shop.sender.calls) == 1, "it was under way when it was paused; its retries wait"
    async with open_workshop(path) as shop:
        shop.clock.advance(10)
        await shop.settle()
        assert shop.sender.calls == []
        await shop.stores.webhooks.edit("wh_1", lambda now: replace(now, paused=False))
        await shop.seen.until(partial(has_attempted, shop, count + 1))
        sent = [delivery for _, delivery, _ in shop.sender.calls]
        assert set(sent) == {first.id, *later}
        if ordered:
            assert sent == [first.id, *later]


async def test_all_webhooks_together_have_no_more_under_way_than_the_cap(tmp_path: Path) -> None:
    async with open_workshop(tmp_path / "hookbin.db", max_in_flight=5) as shop:
        for number in range(4):
            await shop.stores.register(f"wh_{number}", max_in_flight=4)
            shop.sender.hold(f"wh_{number}")
        for _ in range(4):
            await shop.stores.publish()
        await shop.seen.until(lambda: shop.sender.under_way["*"] == 4)
        await shop.settle()
        assert shop.dispatcher.in_flight == 4, "the last place is for a webhook that has none"
        for number in range(4):
            shop.sender.release(f"wh_{number}")
        await shop.seen.until(lambda: len(shop.seen.attempts) == 16)
        assert shop.sender.most_under_way["*"] <= 5


async def test_webhooks_take_turns(tmp_path: Path) -> None:
    async with open_workshop(tmp_path / "hookbin.db", max_in_flight=1) as shop:
        await shop.stores.register("wh_0")
        shop.sender.hold("wh_0")
        await shop.stores.publish("first", only=shop.stores.webhooks.get("wh_0"))
        await shop.seen.until(lambda: shop.sender.calls)
        for id in ("wh_a", "wh_b", "wh_c"):
            webhook = await shop.stores.register(id)
            for _ in range(5):
                await shop.stores.publish(only=webhook)
        await shop.settle()
        shop.sender.release("wh_0")
        await shop.seen.until(lambda: len(shop.seen.attempts) == 16)
        turns = [call[0] for call in shop.sender.calls[1:]]
        assert all(set(turns[start : start + 3]) == {"wh_a", "wh_b", "wh_c"} for start in range(0, 15, 3))


async def test_an_outcome_that_cannot_be_written_repeats_the_same_attempt_and_makes_no_storm(
    shop: Workshop, tmp_path: Path
) -> None:
    await shop.stores.register()
    count = 3 * WINDOW
    await _while_the_disk_is_full(shop, tmp_path / "hookbin.db", deliveries=count)
    assert len(shop.sender.calls) <= 2 * 8, "a lane rests once its outcomes can't be written"
    shop.clock.advance(PAUSE / SECOND)
    await shop.seen.until(lambda: len(shop.seen.attempts) == count)
    assert len(shop.sender.calls) > count
    assert {number for _, _, number in shop.sender.calls} == {1}
    assert await shop.stores.deliveries.count_pending("wh_1", limit=1) == 0


async def test_deliveries_that_cannot_be_read_are_read_later(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        await stores.register()
        await stores.publish()
    async with open_workshop(tmp_path / "hookbin.db", deliveries=_Flaky) as shop:
        flaky = shop.deliveries
        assert isinstance(flaky, _Flaky)
        await shop.settle()
        assert flaky.reads == 1
        assert shop.sender.calls == []
        shop.clock.advance(PAUSE / SECOND)
        await shop.seen.until(lambda: shop.seen.attempts)


async def test_large_bodies_are_under_way_together_up_to_so_many_bytes(shop: Workshop) -> None:
    names = [f"wh_{number}" for number in range(3)]
    for name in names:
        await shop.stores.register(name)
        shop.sender.hold(name)
    await shop.stores.publisher.publish_raw("user.created", bytes(MAX_LARGE // 5 * 2), "text/plain")
    await shop.seen.until(lambda: shop.sender.under_way["*"] == 2)
    await shop.settle()
    shop.clock.advance(1)
    await shop.settle()
    assert shop.sender.under_way["*"] == 2

    for name in names:
        shop.sender.release(name)
    await shop.seen.until(partial(has_attempted, shop, 2))
    await shop.settle()
    shop.clock.advance(1)
    await shop.seen.until(partial(has_attempted, shop, 3))


async def test_stopping_waits_for_what_is_under_way(tmp_path: Path) -> None:
    async with open_workshop(tmp_path / "hookbin.db") as shop:
        await shop.stores.register()
        shop.sender.hold("wh_1")
        (delivery,) = await shop.stores.publish()
        await shop.seen.until(lambda: shop.sender.calls)
        stopping = asyncio.create_task(shop.dispatcher.stop(grace=10))
        await shop.stores.publish()
        await asyncio.sleep(0)
        assert not stopping.done()
        shop.sender.release("wh_1")
        await stopping
        assert await shop.state(delivery) is DeliveryState.SUCCEEDED
        assert len(shop.sender.calls) == 1, "nothing more is started"


@pytest.mark.parametrize("seconds", [-3_600, 3_600])
async def test_a_retry_waits_as_long_as_it_should_however_the_clock_is_set(shop: Workshop, seconds: float) -> None:
    await shop.stores.register(retry_schedule=(10.0,))
    shop.sender.script["wh_1"] = [500]
    (delivery,) = await shop.stores.publish()
    await shop.settle()
    shop.clock.advance(4)
    shop.clock.set(seconds)
    await shop.stores.publish()  # the clock is looked at now
    await shop.settle()
    assert (await shop.stores.found(delivery)).next_attempt_at == shop.clock.now() + 6 * SECOND
    shop.clock.advance(5.999999)
    await shop.settle()
    assert shop.sender.calls.count(("wh_1", delivery.id, 2)) == 0
    shop.clock.advance(0.000001)
    await shop.seen.until(lambda: ("wh_1", delivery.id, 2) in shop.sender.calls)


@pytest.mark.parametrize("at_restart", [True, False])
async def test_what_is_due_is_sent_though_the_clock_was_set_back(tmp_path: Path, at_restart: bool) -> None:
    clock = FakeClock()
    async with open_workshop(tmp_path / "hookbin.db", clock=clock) as shop:
        await shop.stores.register(rate_limit=0.1, retry_schedule=(30.0,))
        shop.sender.script["wh_1"] = [500]
        made = [(await shop.stores.publish())[0].id for _ in range(3)]
        await shop.settle()
        assert shop.sender.calls == [("wh_1", made[0], 1)]
        if not at_restart:
            clock.set(-3_600)
            await _go_on(shop, 10, times=4)
            assert [id for _, id, _ in shop.sender.calls] == [*made, *made[:2]]
    if at_restart:
        clock.set(-3_600)
        async with open_workshop(tmp_path / "hookbin.db", clock=clock) as shop:
            shop.sender.script["wh_1"] = [500]
            await _go_on(shop, 10, times=4)
            assert [id for _, id, _ in shop.sender.calls] == [*made[1:], made[0], made[1]]


async def test_what_was_under_way_or_asked_for_is_sent_though_the_clock_was_set_back_before_a_restart(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with open_workshop(tmp_path / "hookbin.db", clock=clock) as shop:
        await shop.stores.register(ordered=True)
        shop.sender.script["wh_1"] = [404]
        failed, *_ = await shop.stores.publish()
        await shop.settle()
        clock.advance(7_200)
        shop.sender.hold("wh_1")
        await shop.stores.deliveries.retry(failed.id, now=clock.now())
        await shop.settle()
        assert shop.sender.calls[-1] == ("wh_1", failed.id, 2)
    clock.set(-3_600)
    async with open_workshop(tmp_path / "hookbin.db", clock=clock) as shop:
        await shop.seen.until(lambda: shop.sender.calls == [("wh_1", failed.id, 2)])


async def _go_on(shop: Workshop, seconds: float, *, times: int) -> None:
    for _ in range(times):
        shop.clock.advance(seconds)
        await shop.settle()


async def test_time_that_goes_on_while_it_looks_does_not_trap_it(tmp_path: Path) -> None:
    async with open_workshop(tmp_path / "hookbin.db", clock=_Ticking()) as shop:
        await shop.stores.register(retry_schedule=tuple(0.000001 * number for number in range(1, 40)))
        shop.sender.script["wh_1"] = [500]
        for _ in range(20):
            await shop.stores.publish()
        async with asyncio.timeout(20):
            while await shop.stores.deliveries.count_pending("wh_1", limit=1):
                shop.clock.advance(0.000001)
        assert len(shop.sender.calls) == 20 * 40


async def test_an_idle_dispatcher_does_nothing(shop: Workshop) -> None:
    await shop.stores.register()
    await shop.settle()
    for _ in range(100):
        shop.clock.advance(60)
        await asyncio.sleep(0)
        assert shop.dispatcher.in_flight == 0
        assert shop.stores.database.queued_bytes == 0


async def _while_the_disk_is_full(shop: Workshop, path: Path, *, deliveries: int) -> None:
    """Publish so many, let them be sent, but have their outcomes refused; then there is room again."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    await shop.stores.database.transact(lambda connection: connection.execute("PRAGMA busy_timeout = 0").fetchone())
    shop.sender.hold("wh_1")
    await asyncio.gather(*[shop.stores.publish() for _ in range(deliveries)])
    await shop.seen.until(lambda: shop.sender.under_way["wh_1"] == min(deliveries, 8))
    other.execute("BEGIN IMMEDIATE")  # from now on the writer is refused, as by a full disk
    shop.sender.release("wh_1")
    async with asyncio.timeout(10):
        while shop.dispatcher.in_flight:
            await shop.stores.database.read("SELECT 1")
        for _ in range(50):
            await shop.stores.database.read("SELECT 1")
    other.execute("ROLLBACK")
    other.close()


class _Ticking(FakeClock):
    """Goes on by a microsecond each time that it is looked at."""

    def now(self) -> int:
        self.advance(0.000001)
        return super().now()


class _Flaky(DeliveryStore):
    """A store whose first list of what is due can't be read."""

    reads = 0

    async def due(self, webhook_id: str, *, limit: int, ordered: bool = False) -> list[Row]:
        self.reads += 1
        found = await super().due(webhook_id, limit=limit, ordered=ordered)
        if self.reads == 1:
            raise sqlite3.OperationalError("disk I/O error")
        return found


async def test_stopping_while_a_window_is_being_read_waits_for_that(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        await stores.register()
        await stores.publish()
    async with open_workshop(tmp_path / "hookbin.db", deliveries=_Slow) as shop:
        slow = shop.deliveries
        assert isinstance(slow, _Slow)
        await asyncio.wait_for(slow.reading.wait(), 10)
        await shop.dispatcher.stop(grace=0)
        assert slow.ended
        assert shop.sender.calls == []


class _Slow(DeliveryStore):
    """A store whose list of what is due never comes, and takes its time to give up."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reading = asyncio.Event()
        self.ended = False

    async def due(self, webhook_id: str, *, limit: int, ordered: bool = False) -> list[Row]:
        self.reading.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(20):
                await asyncio.sleep(0)
            self.ended = True
        return []
