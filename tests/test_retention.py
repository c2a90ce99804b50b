"""What is deleted in the end, and that it goes in small steps."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest
from msgspec.structs import replace

from hookbin.models.deliveries import Action, DeliveryState
from hookbin.store.delete_requests import STEP
from hookbin.store.retention import Retention
from hookbin.store.sending_search import EventFilter
from hookbin.store.trimmer import EVERY, Trimmer
from tests.builders import Stores, open_stores

pytestmark = pytest.mark.anyio


async def test_a_bin_keeps_its_newest_requests(stores: Stores) -> None:
    bin, other = await stores.make_bin("joe", max_requests=3), await stores.make_bin("other")
    for _ in range(5):
        await stores.capture(bin)
        await stores.capture(other)
    await stores.trimmer().trim()
    assert await stores.kept(bin) == [5, 7, 9]
    assert len(await stores.kept(other)) == 5
    assert (stores.bins.count(bin), stores.bins.count(other)) == (3, 5)


async def test_a_bin_forgets_what_is_too_old(stores: Stores) -> None:
    bin = await stores.make_bin("joe", max_age=60)
    await stores.capture(bin)
    stores.clock.advance(50)
    await stores.capture(bin)
    stores.clock.advance(10)
    await stores.trimmer().trim()
    assert await stores.kept(bin) == [1, 2]
    stores.clock.advance(0.000001)
    await stores.trimmer().trim()
    assert await stores.kept(bin) == [2]
    assert stores.bins.count(bin) == 1


async def test_a_clock_that_is_set_forward_is_believed_an_hour_later(stores: Stores) -> None:
    bin, at_work, clock = await stores.make_bin("joe", max_age=7_200), stores.trimmer(), stores.clock
    await stores.capture(bin)
    clock.set(86_400)
    await at_work.trim()
    clock.set(-86_400)
    await at_work.trim()
    clock.set(86_400)
    for wait in (0, 3_599.999999):
        clock.advance(wait)
        await at_work.trim()
        assert await stores.kept(bin) == [1]
    clock.advance(0.000001)
    await at_work.trim()
    assert await stores.kept(bin) == []


async def test_the_requests_of_a_deleted_bin_go_in_steps(stores: Stores) -> None:
    bin, other = await stores.make_bin("joe"), await stores.make_bin("other")
    await asyncio.gather(*[stores.capture(bin) for _ in range(STEP + 50)], *[stores.capture(other) for _ in range(5)])
    await stores.bins.delete(bin)
    retention = Retention(stores.database)
    steps = [await retention.trim_orphans(), await retention.trim_orphans(), await retention.trim_orphans()]
    assert steps == [STEP, 50, 0]
    assert await stores.count("requests") == 5


async def test_a_bin_far_over_its_number_is_trimmed_in_steps(stores: Stores) -> None:
    bin = await stores.make_bin("joe", max_requests=10)
    await asyncio.gather(*[stores.capture(bin) for _ in range(STEP + 30)])
    retention = Retention(stores.database)
    assert await retention.trim_bin(bin, count=STEP + 30, now=0) == STEP
    assert await retention.trim_bin(bin, count=30, now=0) == 20
    assert await retention.trim_bin(bin, count=10, now=0) == 0


async def test_ended_deliveries_go_with_their_attempts_and_events(stores: Stores) -> None:
    await stores.register("wh_1")
    await stores.register("wh_2")
    for _ in range(4):
        for delivery in await stores.publish():
            await stores.finish(delivery, Action.SUCCEED)
    await stores.trimmer(ended_deliveries=3).trim()
    assert await stores.count("deliveries") == await stores.count("attempts") == 3
    # two deliveries of the newest event are left and one of the event before
    assert await stores.count("events") == 2
    assert len(await stores.log.newest(limit=100)) == 5


async def test_what_is_pending_stays_however_old(stores: Stores) -> None:
    await stores.register()
    (waiting,) = await stores.publish()
    for _ in range(5):
        (delivery,) = await stores.publish()
        await stores.finish(delivery, Action.FAIL)
    await stores.trimmer(ended_deliveries=1).trim()
    left = await stores.listed()
    assert [(row.id == waiting.id, row.state) for row in left] == [
        (False, DeliveryState.FAILED),
        (True, DeliveryState.PENDING),
    ]
    assert await stores.events.get(waiting.event_id)


async def test_events_that_nobody_wanted_go_as_well(stores: Stores) -> None:
    for _ in range(6):
        await stores.publish()
    await stores.register()
    (waiting,) = await stores.publish()
    await stores.trimmer(ended_deliveries=2).trim()
    left = [event.id for event in (await stores.search.events(EventFilter(), limit=10)).rows]
    assert len(left) <= 3
    assert left[0] == waiting.event_id


async def test_the_trimmer_wakes_when_a_bin_grows_over_its_number_and_is_made_smaller_and_is_deleted(
    stores: Stores,
) -> None:
    bin = await stores.make_bin("joe", max_requests=5)
    async with stores.trimming():
        for _ in range(12):
            await stores.capture(bin)
        await _rounds(stores, lambda: stores.bins.count(bin) == 5)
        assert await stores.kept(bin) == [8, 9, 10, 11, 12]
        await stores.bins.edit(bin, lambda now: replace(now, max_requests=2))
        await _rounds(stores, lambda: stores.bins.count(bin) == 2)
        await stores.bins.delete(bin)
        async with asyncio.timeout(10):
            while await stores.count("requests"):
                await stores.database.probe()


async def test_the_trimmer_looks_for_what_aged_now_and_then(stores: Stores) -> None:
    bin = await stores.make_bin("joe", max_age=1)
    async with stores.trimming():
        await stores.capture(bin)
        await _rounds(stores, lambda: True)
        stores.clock.advance(EVERY / 1_000_000 + 1)
        await _rounds(stores, lambda: stores.bins.count(bin) == 0)


async def test_a_trim_that_fails_is_tried_again(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        bin = await stores.make_bin("joe", max_requests=1)
        flaky = _Flaky(stores.database)
        at_work = Trimmer(flaky, bins=stores.bins, pending=stores.pending_deletions, clock=stores.clock)
        for _ in range(3):
            await stores.capture(bin)
        at_work.start()
        await _rounds(stores, lambda: flaky.failed)
        stores.clock.advance(EVERY / 1_000_000)
        await _rounds(stores, lambda: stores.bins.count(bin) == 1)
        await at_work.stop()


async def test_captures_go_on_while_much_is_trimmed(stores: Stores) -> None:
    bin, other = await stores.make_bin("joe", max_requests=1), await stores.make_bin("other")
    await asyncio.gather(*[stores.capture(bin) for _ in range(5 * STEP)])
    trim = asyncio.create_task(stores.trimmer().trim())
    during = 0
    while not trim.done():
        await stores.capture(other)
        during += not trim.done()
    assert during >= 5
    assert stores.bins.count(bin) == 1


class _Flaky(Retention):
    """Fails the first time, as the database's own errors do."""

    failed = False

    async def trim_deliveries(self) -> int:
        if not self.failed:
            self.failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return await super().trim_deliveries()

    async def trim_bin(self, *args: Any, **options: Any) -> int:
        return await super().trim_bin(*args, **options) if self.failed else 0


async def _rounds(stores: Stores, condition: Any) -> None:
    """Let the trimmer take its turns between writes of our own until the condition holds."""
    async with asyncio.timeout(10):
        for round in range(1_000_000):
            if round >= 10 and condition():
                return
            await stores.database.probe()


async def test_a_deleted_webhook_is_forgotten_once_its_last_delivery_is_gone(stores: Stores) -> None:
    kept, gone = await stores.register("wh_1"), await stores.register("wh_2")
    await stores.publish()
    await stores.webhooks.delete(kept)
    await stores.webhooks.delete(gone)
    await stores.trimmer().trim()
    rows = await stores.database.read("SELECT id, secret FROM webhooks ORDER BY id")
    assert rows == [("wh_1", ""), ("wh_2", "")], "their cancelled deliveries are still kept"
    await stores.trimmer(ended_deliveries=0).trim()
    assert await stores.database.read("SELECT id FROM webhooks") == []
