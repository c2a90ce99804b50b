"""The database: one writer with group commit, a few readers, and what is announced after a commit.

- *Single writer.* One connection on one thread writes and checkpoints; readers can do neither. SQLite
  lets only one write at a time anyway, so a second one could only wait, with a lock in its hand; and a
  WAL that two connections checkpoint can be corrupted (fixed in SQLite 3.51.3).
- *Acknowledged means durable.* `insert` and `transact` return after the commit, which with
  `synchronous = FULL` is after the fsync. Whoever was answered finds the row there after a crash.
- *Group commit.* An fsync costs the same for one row as for 256. So all that waits is taken as one batch
  and committed in one transaction (`batch`): the busier the server, the less each row pays. Nothing is
  waited for to fill a batch.
- *Transactional outbox.* What has to happen together is written together: an event and its deliveries,
  a captured request and what is forwarded of it, an attempt and the event that tells of it. What is to
  be done later is a row, found again after a crash; there is no queue beside the database to lose.
- *Announced once, in order.* Work says to its `transaction` what was written. After the commit the
  listeners are told so, in the order of `seq`: a stream resumes behind the last number it saw. Memory
  changes by what was announced, never before. What takes longer, such as telling the streams, is put off
  until nobody waits for it: the disk syncs the next batch meanwhile.
- *Snapshots.* A query sees what is committed when it begins; what one answer is made of is read in one
  `snapshot`, a read transaction on one reader.
- *Bounds.* Over `MAX_QUEUED_BYTES` that wait, a write is refused with `Overloaded` (503) and nothing is kept
  of it. A piece of work that fails is undone alone. If the storage fails (disk full, I/O error), all of
  the batch get `StorageFailed` (507) and nothing is announced; if the files were changed from outside,
  `DatabaseLost`. What makes room is `Freeing` and done all the same. More reads than `READERS` wait in turn.
  From `close` on, what comes is refused with `ShuttingDown` (503) and what waits is still written.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from hookbin.errors import Overloaded, ShuttingDown, StorageFailed
from hookbin.models.announcements import LogRow
from hookbin.store.batch import Grouped, Insert, Result, Work
from hookbin.store.connections import LockFile
from hookbin.store.listeners import Listener, Listeners
from hookbin.store.readers import Readers
from hookbin.store.transaction import Transaction
from hookbin.store.writer import Writer

logger = logging.getLogger("hookbin")

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""Bound of what may wait for the writer; over it, `Overloaded`."""

MAX_GATHERED = 256
"""Rows at which the writer gathers no more, but writes."""
SAID_AGAIN = 60.0
"""Seconds before the same failure is told in the log again: writes may fail and succeed by turns."""
SQLITE = sqlite3.sqlite_version
"""The library's version."""
_OVERHEAD = 512
"""Bytes that a waiting row costs besides its body."""


class Outcome(Protocol[T_contra]):
    """What is told of a commit: a future, or what does without one."""

    def done(self) -> bool:
        """Nobody waits any longer."""

    def set_result(self, result: T_contra, /) -> None: ...

    def set_exception(self, error: Exception, /) -> None: ...


class _Waiter(Struct, Generic[T], frozen=True):
    """Someone who waits for a commit."""

    work: Work[T]
    size: int
    outcome: Outcome[T]


class Database(Readers):
    """Opened by `open()`, closed by `close()`; use it from one event loop."""

    def __init__(
        self,
        path: Path,
        *,
        queue_bytes: int = MAX_QUEUED_BYTES,
        ballast: int = 0,
        observe_batch: Callable[[int, float], None] = lambda rows, seconds: None,
        monotonic: Callable[[], float] = lambda: 0.0,
    ) -> None:
        super().__init__(path)
        self._queue_bytes = queue_bytes
        self._ballast = ballast
        self._observe_batch = observe_batch
        self._monotonic = monotonic
        self._listeners = Listeners()
        self._queue: list[_Waiter[Any]] = []
        self._wake = asyncio.Event()
        self._closing = False
        self.queued_bytes = 0
        self.last_seq = 0
        """The number of the log's last committed row."""
        self.trouble: StorageFailed | None = None
        """Why the last write failed; None if it did not."""
        self._said, self._said_at = "", 0.0

    @property
    def path(self) -> Path:
        return self._path

    def files(self) -> list[tuple[str, int]]:
        """Name and bytes of the database and of what stands beside it, as far as it is there."""
        found = (self._path.with_name(self._path.name + suffix) for suffix in ("", "-wal", ".ballast"))
        return [(str(file), file.stat().st_size) for file in found if file.exists()]

    async def open(self) -> None:
        """Lock, migrate and open the file. Raises `StartError` and leaves the file as it was."""
        self._loop = asyncio.get_running_loop()  # asked for once: each time costs a system call on Python 3.11
        self._lock = LockFile(self._path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hookbin-writer")
        try:
            self._writer = await self._on_thread(
                partial(Writer, self._path, ballast=self._ballast, before_sync=self._before_sync)
            )
            self.last_seq = self._writer.last_seq
        except BaseException:
            self._thread.shutdown()
            self._lock.release()
            raise
        try:
            await self._open_readers()
        except BaseException:
            await self._on_thread(self._writer.close)
            self._thread.shutdown()
            self._lock.release()
            raise
        self._task = asyncio.create_task(self._write_forever(), name="hookbin-writer")

    async def close(self) -> None:
        """Write what still waits, then close everything and give the lock back."""
        self._closing = True
        self._wake.set()
        await self._task
        if self._writer.is_lost:
            await self._on_thread(self._writer.close)
        await self._close_readers()
        await self._on_thread(self._writer.close)
        self._thread.shutdown()
        self._lock.release()

    def on_commit(self, listener: Listener, *, of: tuple[type, ...] = (object,)) -> None:
        """Have `listener` told, on the event loop and in order of commit, of what is committed.

        It is called with all rows of a commit that has at least one of the types `of`: who has no
        use for captures is not called for commits that hold nothing else.
        """
        self._listeners.add(listener, of)

    def do_later(self, work: Callable[[], None], *, together: int = 1) -> None:
        """For listeners: have it done while the disk syncs what came next, or once nothing did; in order of commit.

        While more comes, it waits until so many commits have led to something of this kind.
        """
        self._listeners.do_later(work, together=together)

    async def insert(self, sql: str, params: Sequence[Any], *, row: LogRow, size: int = 0) -> None:
        """Write and announce one row of the log; `sql` inserts its number and `params`.

        Others with the same `sql` that wait beside it go to SQLite as one call with it. Raises `Overloaded`
        when too much waits already and `StorageFailed` when the disk refuses.
        """
        await self._wait_for(Insert(sql, params, row), size=size)

    def insert_soon(self, sql: str, params: Sequence[Any], *, row: LogRow, size: int, outcome: Outcome[None]) -> None:
        """The same without a future: `outcome` is told after the commit. Raises `Overloaded` at once."""
        self._submit(Insert(sql, params, row), size=size, outcome=outcome)

    async def transact(self, work: Grouped[T] | Callable[[Transaction], T], *, size: int = 0) -> T:
        """Run `work` inside a transaction of the writer and return its result after the commit.

        `work` may run twice (see `batch.commit`), so it changes nothing but the database, and says to its
        transaction what is to be announced.
        """
        return await self._wait_for(work, size=size)

    async def probe(self) -> None:
        """Write and commit something, to find out whether that is possible. Raises `StorageFailed`."""

        def write_there_and_back(transaction: Transaction) -> None:
            for step in (1, -1):  # SQLite does not write what is there already
                transaction.execute("UPDATE highest_seq SET seq = seq + ?", (step,))

        await self.transact(write_there_and_back)

    def _wait_for(self, work: Work[T], *, size: int) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._submit(work, size=size, outcome=future)
        return future

    def _submit(self, work: Work[T], *, size: int, outcome: Outcome[T]) -> None:
        if self._closing:
            raise ShuttingDown("hookbin is stopping; send it again in a moment")
        size += _OVERHEAD
        if self.queued_bytes and self.queued_bytes + size > self._queue_bytes:
            raise Overloaded("more is waiting to be written than the server holds; send it again in a second")
        self.queued_bytes += size
        self._queue.append(_Waiter(work, size, outcome))
        self._wake.set()

    async def _write_forever(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._write(await self._take())
                await asyncio.sleep(0)  # those who were just answered may have sent more
            self._listeners.do_the_rest()

    async def _take(self) -> list[_Waiter[Any]]:
        """All that waits, and what the event loop has at hand to add: it goes round until that brings nothing more.

        No time is waited for; a lone row is taken after one round. Under load the batches grow, and
        each row bears less of what a commit costs (docs/performance.md).
        """
        waiting = 0
        while waiting < len(self._queue) < MAX_GATHERED:
            waiting = len(self._queue)
            await asyncio.sleep(0)
        batch, self._queue = self._queue, []
        return batch

    async def _write(self, batch: list[_Waiter[Any]]) -> None:
        started = self._monotonic()
        works = [waiter.work for waiter in batch]
        committed = await self._on_thread(self._writer.commit, works, self.last_seq)
        self._note(committed.failure)
        self._observe_batch(len(batch), self._monotonic() - started)
        self.queued_bytes -= sum(waiter.size for waiter in batch)
        self.last_seq = committed.last_seq
        for waiter, result in zip(batch, committed.results, strict=True):
            _resolve(waiter.outcome, result)
        self._listeners.tell(committed.announcements)

    def _before_sync(self) -> None:
        self._listeners.do_the_rest_soon(self._loop)

    def _note(self, failure: StorageFailed | None) -> None:
        """Keep what writing fails of, and say it in the log; the same again only after a while."""
        self.trouble = failure
        now = self._monotonic()
        if failure is not None and (failure.detail != self._said or now - self._said_at >= SAID_AGAIN):
            self._said, self._said_at = failure.detail, now
            logger.error("%s", failure.detail)

    async def _on_thread(self, function: Callable[..., T], *args: Any) -> T:
        return await self._loop.run_in_executor(self._thread, function, *args)


def _resolve(outcome: Outcome[T], result: Result[T]) -> None:
    if outcome.done():  # whoever waited was cancelled; the row is written all the same
        return
    try:
        if isinstance(result, Exception):
            outcome.set_exception(result)
        else:
            outcome.set_result(result)
    except Exception:  # the others of the batch wait too
        logger.exception("someone could not be told of a commit")
