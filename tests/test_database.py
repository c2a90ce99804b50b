"""The writer: answered after the commit, in order, in groups; bounded; and closed without a loss."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hookbin.errors import DatabaseUnreadable, Overloaded, StorageFailed
from hookbin.models.announcements import Announcement
from hookbin.models.deliveries import Action
from hookbin.models.events import EventSummary
from hookbin.models.requests import RequestSummary
from hookbin.store.database import Database
from hookbin.store.delete_requests import delete_rows
from hookbin.store.listeners import Listeners
from hookbin.store.readers import READERS
from hookbin.store.transaction import Transaction
from tests.builders import Seen, Stores, open_stores
from tests.support import FakeClock

pytestmark = pytest.mark.anyio


class Gate:
    """Work that keeps the writer busy until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.entered = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, transaction: Transaction) -> None:
        self._loop.call_soon_threadsafe(self.entered.set)
        self._open.wait(20)

    def open(self) -> None:
        self._open.set()

    async def shut(self, database: Database) -> asyncio.Task[None]:
        """Give the writer this to do, and wait until it does."""
        task = asyncio.create_task(database.transact(self))
        await self.entered.wait()
        return task


def seqs(path: Path) -> list[int]:
    """What another process would see now."""
    connection = sqlite3.connect(path)
    try:
        return [seq for (seq,) in connection.execute("SELECT seq FROM requests ORDER BY seq")]
    finally:
        connection.close()


def announced(rows: Sequence[Announcement]) -> list[int]:
    return [row.seq for row in rows if isinstance(row, RequestSummary)]


async def test_a_write_returns_after_the_commit(stores: Stores, tmp_path: Path) -> None:
    bin = await stores.make_bin()
    for number in range(1, 6):
        await stores.capture(bin)
        assert len(seqs(tmp_path / "hookbin.db")) == number


async def test_what_is_announced_is_committed_already(stores: Stores, tmp_path: Path) -> None:
    bin = await stores.make_bin()
    unseen: list[set[int]] = []

    def listener(rows: Sequence[Announcement]) -> None:
        unseen.append(set(announced(rows)) - set(seqs(tmp_path / "hookbin.db")))

    stores.database.on_commit(listener)
    await asyncio.gather(*[stores.capture(bin) for _ in range(20)])
    assert unseen
    assert not any(unseen)


async def test_what_listeners_put_off_is_done_in_order_behind_the_answers_and_also_if_nothing_follows(
    stores: Stores,
) -> None:
    bin = await stores.make_bin()
    done, answered, all_done = list[int](), list[int](), asyncio.Event()

    def put_off(rows: Sequence[Announcement]) -> None:
        stores.database.do_later(lambda: note(announced(rows)))

    def note(seqs: list[int]) -> None:
        assert set(seqs) <= set(answered)
        done.extend(seqs)
        if len(done) == 20:
            all_done.set()

    async def capture(number: int) -> None:
        await stores.capture(bin)
        answered.append(number)

    stores.database.on_commit(put_off)
    for number in range(1, 21, 4):
        await asyncio.gather(*[capture(number + beside) for beside in range(4)])
    await asyncio.wait_for(all_done.wait(), 10)

    assert done == list(range(1, 21))


async def test_what_is_worth_doing_for_several_commits_at_once_waits_for_them_only_while_more_come() -> None:
    listeners, done = Listeners(), list[int]()

    async def sync() -> list[int]:
        listeners.do_the_rest_soon(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return list(done)

    listeners.do_later(lambda: done.append(1), together=2)
    assert await sync() == []
    listeners.do_later(lambda: done.append(2), together=2)
    assert await sync() == [1, 2]
    listeners.do_later(lambda: done.append(3), together=2)
    listeners.do_the_rest()
    assert done == [1, 2, 3]


async def test_rows_that_are_written_in_groups_are_numbered_and_announced_in_one_order(stores: Stores) -> None:
    bin = await stores.make_bin()
    for each in ("wh_1", "wh_2"):
        await stores.register(each)
    mixed = [work for _ in range(20) for work in (stores.capture(bin), stores.publish())]
    await asyncio.gather(*mixed)
    rows = [row.seq for row in stores.seen.rows if isinstance(row, RequestSummary | EventSummary)]
    assert rows == list(range(1, 41))
    assert [row.seq for row in await stores.log.between(0, 100, limit=100)] == rows


async def test_what_came_while_the_writer_was_busy_goes_as_one_batch(tmp_path: Path) -> None:
    batches: list[int] = []
    async with open_stores(tmp_path / "hookbin.db", observe_batch=lambda rows, _: batches.append(rows)) as stores:
        bin = await stores.make_bin()
        gate = Gate()
        busy = await gate.shut(stores.database)
        captures = [asyncio.create_task(stores.capture(bin)) for _ in range(50)]
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(busy, *captures)
    assert batches == [1, 1, 50]


async def test_over_the_bound_a_write_is_refused_and_the_queue_is_still_written(tmp_path: Path) -> None:
    path = tmp_path / "hookbin.db"
    async with open_stores(path, queue_bytes=10_000) as stores:
        bin = await stores.make_bin()
        gate = Gate()
        busy = await gate.shut(stores.database)
        kept = [asyncio.create_task(stores.capture(bin, size=2_000)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await stores.capture(bin, size=2_000)
        gate.open()
        await asyncio.gather(busy, *kept)
        assert seqs(path) == [1, 2, 3]
        assert stores.database.queued_bytes == 0
        await stores.capture(bin, size=2_000)
        assert len(seqs(path)) == 4


async def test_one_row_over_the_bound_is_written_when_nothing_waits(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db", queue_bytes=1_000) as stores:
        await stores.capture(await stores.make_bin(), size=1_000_000)


async def test_a_waiter_that_was_cancelled_is_written_and_announced(stores: Stores, tmp_path: Path) -> None:
    bin = await stores.make_bin()
    gate = Gate()
    busy = await gate.shut(stores.database)
    capture = asyncio.create_task(stores.capture(bin))
    await asyncio.sleep(0)
    capture.cancel()
    gate.open()
    await asyncio.gather(busy, capture, return_exceptions=True)
    assert capture.cancelled()
    await stores.database.probe()
    assert seqs(tmp_path / "hookbin.db") == announced(stores.seen.rows) == [1]


async def test_a_cancelled_waiter_whose_work_fails_harms_nobody(stores: Stores) -> None:
    bin = await stores.make_bin()
    gate = Gate()
    busy = await gate.shut(stores.database)
    clash = asyncio.create_task(stores.make_bin("joe"))
    capture = asyncio.create_task(stores.capture(bin))
    await asyncio.sleep(0)
    clash.cancel()
    gate.open()
    await asyncio.gather(busy, clash, capture, return_exceptions=True)
    assert not capture.cancelled()
    assert capture.exception() is None


async def test_a_listener_that_raises_stops_neither_the_writer_nor_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        bin = await stores.make_bin()

        def broken(rows: Sequence[Announcement]) -> None:
            raise ValueError("broken listener")

        after = Seen()
        stores.database.on_commit(broken)
        stores.database.on_commit(after.committed)
        with caplog.at_level(logging.CRITICAL, "hookbin"):
            await stores.capture(bin)
            await stores.capture(bin)
        assert announced(after.rows) == [1, 2]


async def test_a_probe_tells_of_a_full_disk(stores: Stores, tmp_path: Path) -> None:
    await stores.database.transact(lambda connection: connection.execute("PRAGMA busy_timeout = 0").fetchone())
    other = sqlite3.connect(tmp_path / "hookbin.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # as good as full: nothing can be committed
    with pytest.raises(StorageFailed):
        await stores.database.probe()
    other.execute("ROLLBACK")
    other.close()
    await stores.database.probe()


async def test_closing_writes_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "hookbin.db"
    async with open_stores(path) as stores:
        bin = await stores.make_bin()
        gate = Gate()
        busy = await gate.shut(stores.database)
        captures = [asyncio.create_task(stores.capture(bin)) for _ in range(10)]
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(gate.open)
    await asyncio.gather(busy, *captures)
    assert seqs(path) == list(range(1, 11))


async def test_closing_leaves_one_file_that_another_process_may_open(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        await stores.make_bin()
    assert sorted(os.listdir(tmp_path)) == ["hookbin.db", "hookbin.db.lock"]
    async with open_stores(tmp_path / "hookbin.db") as stores:
        assert stores.bins.find("joe")


@pytest.mark.parametrize("newest", ["request", "event", "attempt"])
async def test_a_number_is_never_given_twice_also_after_its_row_was_deleted(tmp_path: Path, newest: str) -> None:
    path = tmp_path / "hookbin.db"
    async with open_stores(path) as stores:
        bin = await stores.make_bin()
        await stores.register()
        (delivery,) = await stores.publish()
        if newest == "request":
            await stores.capture(bin)
        elif newest == "event":
            await stores.publish()
        else:
            await stores.finish(delivery, Action.SUCCEED)
        await stores.database.transact(_delete_everything)
    async with open_stores(path) as stores:
        assert (await stores.capture(stores.bins.get("joe"))).seq == 3


async def test_readers_cannot_write(stores: Stores) -> None:
    with pytest.raises(DatabaseUnreadable, match="readonly"):
        await stores.database.read("DELETE FROM bins")


async def test_more_reads_than_readers_wait_for_their_turn(stores: Stores) -> None:
    answers = await asyncio.gather(*[stores.database.read("SELECT ?", (number,)) for number in range(50)])
    assert answers == [[(number,)] for number in range(50)]


async def test_what_is_read_in_a_snapshot_is_of_one_moment(stores: Stores, tmp_path: Path) -> None:
    bin = await stores.make_bin()
    async with open_stores(tmp_path / "other.db") as others, stores.database.snapshot():
        assert await stores.kept(bin) == []
        await asyncio.create_task(stores.capture(bin))
        async with stores.database.snapshot():
            assert await stores.kept(bin) == []
        assert await stores.kept(bin) == []
        await others.register()
        assert await others.count("webhooks") == 1, "another database is not meant"
    assert await stores.kept(bin) == [1]


async def test_a_snapshot_gives_its_reader_back_however_it_ends(stores: Stores) -> None:
    for _ in range(2 * READERS):
        with pytest.raises(DatabaseUnreadable):
            async with stores.database.snapshot():
                await stores.database.read("nonsense")
    async with asyncio.timeout(5):
        assert await stores.count("requests") == 0


async def test_a_read_that_fails_or_is_cancelled_gives_its_reader_back(stores: Stores) -> None:
    for _ in range(5):
        with pytest.raises(DatabaseUnreadable):
            await stores.database.read("SELECT nothing")
        task = asyncio.create_task(stores.database.read("SELECT 1"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await stores.database.read("SELECT 1") == [(1,)]


async def test_each_batch_is_observed_with_its_size_and_seconds(tmp_path: Path) -> None:
    observed: list[tuple[int, float]] = []
    clock = FakeClock()
    options: dict[str, Any] = {
        "observe_batch": lambda rows, seconds: observed.append((rows, seconds)),
        "monotonic": clock.monotonic,
    }
    async with open_stores(tmp_path / "hookbin.db", **options) as stores:
        await stores.database.transact(lambda _: clock.advance(2))
    assert observed == [(1, 2.0)]


def _delete_everything(transaction: Transaction) -> None:
    delete_rows(transaction, "true")
    for table in ("attempts", "deliveries", "events"):
        transaction.execute(f"DELETE FROM {table}")
