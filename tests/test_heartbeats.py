"""Heartbeats: at the pace that a webhook asks for, and only while it can take them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hookbin.dispatch.heartbeats import HEARTBEAT, MAX_PENDING, Heartbeats
from hookbin.errors import StorageFailed
from hookbin.models.common import SECOND
from hookbin.models.deliveries import Delivery
from hookbin.models.events import EventSummary
from hookbin.store.deliveries import DeliveryStore
from tests.builders import Stores, open_stores
from tests.support import FakeClock

pytestmark = pytest.mark.anyio


class Watched(FakeClock):
    """Knows whether whoever uses it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.idle = asyncio.Event()

    async def wait(self, event: asyncio.Event, *, until: int | None) -> None:
        self.idle.set()
        try:
            await super().wait(event, until=until)
        finally:
            self.idle.clear()


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(tmp_path / "hookbin.db", clock=Watched()) as stores:
        yield stores


@asynccontextmanager
async def beating(stores: Stores, **options: Any) -> AsyncIterator[None]:
    heartbeats = Heartbeats(
        publisher=stores.publisher,
        deliveries=options.get("deliveries", stores.deliveries),
        webhooks=stores.webhooks,
        clock=stores.clock,
    )
    stores.database.on_commit(heartbeats.committed)
    await heartbeats.start()
    try:
        yield
    finally:
        await heartbeats.stop()


async def turn(stores: Stores, seconds: float) -> None:
    """Turn the clock, and let what follows from it happen."""
    await _rest(stores)
    assert isinstance(stores.clock, Watched)
    stores.clock.advance(seconds)
    await _rest(stores)


async def _rest(stores: Stores) -> None:
    assert isinstance(stores.clock, Watched)
    for _ in range(3):  # turns of the loop, in which what was woken begins
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await stores.clock.idle.wait()


def beats(stores: Stores) -> list[EventSummary]:
    return [row for row in stores.seen.rows if isinstance(row, EventSummary)]


async def test_a_webhook_gets_its_beats_at_its_pace(stores: Stores) -> None:
    async with beating(stores):
        started = stores.clock.now()
        await stores.register(heartbeat=10.0)
        await turn(stores, 9.999999)
        assert beats(stores) == []
        await turn(stores, 0.000001)
        for _ in range(3):
            await turn(stores, 10)
    assert [row.created_at - started for row in beats(stores)] == [10_000_000, 20_000_000, 30_000_000, 40_000_000]
    assert {row.type for row in beats(stores)} == {HEARTBEAT}


async def test_a_beat_tells_whose_it_is_and_goes_to_it_alone(stores: Stores) -> None:
    await stores.register("wh_2")
    async with beating(stores):
        await stores.register("wh_1", heartbeat=1.0, events=("other",))
        await turn(stores, 1)
    (beat,) = beats(stores)
    event = await stores.events.get(beat.id)
    assert event
    assert json.loads(event.body)["data"] == {"webhook_id": "wh_1", "every_seconds": 1.0}
    deliveries = [row for row in stores.seen.rows if isinstance(row, Delivery)]
    assert [delivery.webhook_id for delivery in deliveries] == ["wh_1"]


@pytest.mark.parametrize("change", [{"name": "new"}, {"exhausted_in_a_row": 3}, {"destination": "http://localhost:2/"}])
async def test_the_rhythm_stays_whatever_else_is_changed(stores: Stores, change: dict[str, Any]) -> None:
    async with beating(stores):
        started = stores.clock.now()
        webhook = await stores.register(heartbeat=10.0)
        for seconds in range(8):
            await turn(stores, 4)
            changed = {**change, "timeout": 1.0 + seconds}
            await stores.webhooks.edit(webhook.id, lambda now, changed=changed: replace(now, **changed))  # type: ignore[misc]
    assert [(row.created_at - started) // SECOND for row in beats(stores)] == [12, 20, 32]


@pytest.mark.parametrize("seconds", [-3_600, 3_600])
async def test_the_rhythm_stays_however_the_clock_is_set(stores: Stores, seconds: float) -> None:
    clock = stores.clock
    assert isinstance(clock, Watched)
    async with beating(stores):
        await stores.register(heartbeat=10.0)
        await turn(stores, 4)
        clock.set(seconds)
        for wait, count in ((5.999999, 0), (0.000001, 1), (9.999999, 1), (0.000001, 2)):
            await turn(stores, wait)
            assert len(beats(stores)) == count


@pytest.mark.parametrize(("off", "wait"), [(3, 3), (0, 6), (6, 0), (1_000, 0), (-3_600, 10)])
async def test_the_rhythm_goes_on_after_a_restart(tmp_path: Path, off: float, wait: float) -> None:
    clock = Watched()
    async with open_stores(tmp_path / "hookbin.db", clock=clock) as stores, beating(stores):
        await stores.register(heartbeat=10.0)
        await turn(stores, 10)
        assert len(beats(stores)) == 1
        await turn(stores, 4)
    clock.set(off)
    async with open_stores(tmp_path / "hookbin.db", clock=clock) as stores, beating(stores):
        if wait:
            await turn(stores, wait - 0.000001)
            assert beats(stores) == []
        await turn(stores, 0.000001)
        assert len(beats(stores)) == 1
        await turn(stores, 10)
        assert len(beats(stores)) == 2


@pytest.mark.parametrize("change", [{"disabled": True}, {"paused": True}, {"heartbeat": None}])
async def test_beats_stop_when_the_webhook_is_disabled_or_paused_or_wants_no_more(
    stores: Stores, change: dict[str, Any]
) -> None:
    async with beating(stores):
        webhook = await stores.register(heartbeat=1.0)
        await turn(stores, 1)
        await stores.webhooks.edit(webhook.id, lambda now: replace(now, **change))
        await turn(stores, 100)
        assert len(beats(stores)) == 1
        await stores.webhooks.edit(webhook.id, lambda _: webhook)
        await turn(stores, 1)
        assert len(beats(stores)) == 2


async def test_beats_stop_when_the_webhook_is_deleted(stores: Stores) -> None:
    async with beating(stores):
        webhook = await stores.register(heartbeat=1.0)
        await stores.webhooks.delete(webhook)
        await turn(stores, 100)
    assert beats(stores) == []


async def test_a_changed_pace_holds_from_the_change_on(stores: Stores) -> None:
    async with beating(stores):
        webhook = await stores.register(heartbeat=10.0)
        await turn(stores, 5)
        await stores.webhooks.edit(webhook.id, lambda now: replace(now, heartbeat=2.0))
        await turn(stores, 2)
        assert len(beats(stores)) == 1
        await turn(stores, 2)
        assert len(beats(stores)) == 2


async def test_a_long_pause_is_not_made_up_for(stores: Stores) -> None:
    async with beating(stores):
        await stores.register(heartbeat=1.0)
        await turn(stores, 3_600)
        await turn(stores, 0.5)
    assert len(beats(stores)) == 1


async def test_a_webhook_with_much_pending_misses_its_beats(stores: Stores) -> None:
    async with beating(stores):
        await stores.register(heartbeat=1.0)
        for _ in range(MAX_PENDING + 5):
            await turn(stores, 1)
        assert len(beats(stores)) == MAX_PENDING
        sql = "UPDATE deliveries SET state = 'succeeded' WHERE id = (SELECT min(id) FROM deliveries)"
        await stores.database.transact(lambda connection: connection.execute(sql).rowcount)
        await turn(stores, 1)
        await turn(stores, 1)
        assert len(beats(stores)) == MAX_PENDING + 1


@pytest.mark.parametrize("error", [StorageFailed("the disk is full"), OSError("the disk is gone")])
async def test_a_beat_that_fails_is_left_out_and_the_next_one_comes(stores: Stores, error: Exception) -> None:
    async with beating(stores, deliveries=_Failing(stores, error)):
        await stores.register(heartbeat=1.0)
        await turn(stores, 1)
        assert beats(stores) == []
        await turn(stores, 1)
        assert len(beats(stores)) == 1


class _Failing(DeliveryStore):
    """Fails when it is asked for the first time."""

    def __init__(self, stores: Stores, error: Exception) -> None:
        super().__init__(stores.database)
        self._errors = [error]

    async def count_pending(self, webhook_id: str, *, limit: int) -> int:
        if self._errors:
            raise self._errors.pop()
        return await super().count_pending(webhook_id, limit=limit)
