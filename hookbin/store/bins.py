"""Bins: kept in the file, served from memory."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from hookbin.clock import Clock, Ids
from hookbin.errors import BinNotFound, NameTaken
from hookbin.models.announcements import Announcement, Removed, RequestChanged, RequestsDeleted
from hookbin.models.answers import BinResponse
from hookbin.models.bins import Bin, Verify
from hookbin.models.pending_deletions import DeletionKind, DeletionUndone, PendingDeletion
from hookbin.models.requests import RequestSummary
from hookbin.models.webhooks import Webhook
from hookbin.store import past_responses
from hookbin.store.batch import Freeing
from hookbin.store.database import Database
from hookbin.store.rows import BINS
from hookbin.store.sequences import NextPosition, SequenceCounter
from hookbin.store.transaction import Transaction
from hookbin.store.webhooks import set_forwards

_HELD = (
    "SELECT held.bin, held.count, requests.received_at"
    " FROM (SELECT bin, count(*) AS count, max(seq) AS last FROM shown_requests GROUP BY bin) AS held"
    " JOIN requests ON requests.seq = held.last"
)


class BinStore:
    """All bins by id and by name, how many requests each holds and how many of them pinned, and when the last came."""

    def __init__(self, database: Database, *, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._by_id: dict[str, Bin] = {}
        self._by_name: dict[str, Bin] = {}
        self._counts: dict[str, int] = {}
        self._counters: dict[str, SequenceCounter] = {}
        self._pinned: dict[str, int] = {}
        self._last_at: dict[str, int] = {}
        self._hidden: set[str] = set()
        """Those that are to be deleted: they go on capturing, in case that is undone."""
        self._making: dict[str, asyncio.Task[Bin]] = {}
        self._last_key = 0
        database.on_commit(self._committed)

    async def load(self) -> None:
        sql = f"SELECT {BINS.columns}, sequence_position FROM bins ORDER BY key"
        for *row, position in await self._database.read(sql):
            bin = BINS.read(row)
            self._counters[bin.id] = SequenceCounter(bin.sequence_run, position)
            self._remember(bin)
        hidden = "SELECT target FROM pending_deletions WHERE kind = 'bin'"
        self._hidden |= {id for (id,) in await self._database.read(hidden)}
        keys = {bin.key: bin.id for bin in self._by_id.values()}
        for key, count, last_at in await self._database.read(_HELD):
            if key in keys:
                self._counts[keys[key]], self._last_at[keys[key]] = count, last_at
        for key, count in await self._database.read(
            "SELECT bin, count(*) FROM shown_requests WHERE pinned GROUP BY bin"
        ):
            if key in keys:
                self._pinned[keys[key]] = count
        last = await self._database.read("SELECT seq FROM sqlite_sequence WHERE name = 'bins'")
        self._last_key = last[0][0] if last else 0

    def find(self, name_or_id: str) -> Bin | None:
        """The bin that captures under that name or id."""
        return self._by_name.get(name_or_id) or self._by_id.get(name_or_id)

    def shown(self, name_or_id: str) -> Bin | None:
        """The same, unless it is to be deleted."""
        bin = self.find(name_or_id)
        return None if bin is None or bin.id in self._hidden else bin

    def get(self, name_or_id: str) -> Bin:
        bin = self.shown(name_or_id)
        if bin is None:
            raise BinNotFound(f"no bin has the name or id {name_or_id[:64]!r}; POST /bins makes one")
        return bin

    def all(self) -> list[Bin]:
        """Every bin that is not to be deleted, oldest first."""
        return [bin for bin in self._by_id.values() if bin.id not in self._hidden]

    def count(self, bin: Bin) -> int:
        """How many requests the bin holds now."""
        return self._counts.get(bin.id, 0)

    def sequence_position(self, bin: Bin) -> int:
        """The place of the next answer in the bin's sequence, 0 at its beginning."""
        return self._counters[bin.id].position if bin.id in self._counters else 0

    def next_position(self, bin: Bin) -> NextPosition:
        """A context manager for one request: `take` the next place in the bin's sequence, and `add` the request.

        `with bins.next_position(bin) as position:` gives the place back if the block ends with an error.
        """
        return NextPosition(self._counter_of(bin))

    def _counter_of(self, bin: Bin) -> SequenceCounter:
        counter = self._counters.get(bin.id)
        if counter is None or counter.run < bin.sequence_run:
            counter = self._counters[bin.id] = SequenceCounter(bin.sequence_run, 0)
        return counter

    def count_unpinned(self, bin: Bin) -> int:
        """How many of them may be trimmed."""
        return self.count(bin) - self._pinned.get(bin.id, 0)

    def last_at(self, bin: Bin) -> int | None:
        """When it captured last, also when that request was deleted since; after a restart, of those it holds."""
        return self._last_at.get(bin.id)

    async def create(
        self,
        *,
        name: str | None,
        response: BinResponse,
        verify: Verify | None = None,
        max_requests: int,
        max_age: int | None,
        forward: Callable[[Bin], Sequence[Webhook]] | None = None,
    ) -> Bin:
        """Make a bin, and as one with it the targets that `forward` makes for it. Raises `NameTaken`."""
        self._last_key += 1
        bin = Bin(
            key=self._last_key,
            id=self._ids.bin(),
            name=name,
            created_at=self._clock.now(),
            response=response,
            verify=verify,
            max_requests=max_requests,
            max_age=max_age,
        )
        targets = () if forward is None else forward(bin)

        def create_with_targets(transaction: Transaction) -> None:
            transaction.execute(BINS.insert, BINS.values(bin))
            transaction.announce(bin)
            set_forwards(transaction, bin.id, targets, now=bin.created_at)

        try:
            await self._database.transact(create_with_targets)
        except sqlite3.IntegrityError as error:
            raise _name_taken(name) from error
        return bin

    async def ensure(self, name: str, *, max_requests: int, max_age: int | None) -> Bin:
        """The bin of that name, made now if there is none; many callers at once make one."""
        if (bin := self.find(name)) is not None:
            return bin
        if name not in self._making:
            task = asyncio.create_task(self._make(name, max_requests=max_requests, max_age=max_age))
            task.add_done_callback(lambda _: self._making.pop(name, None))
            self._making[name] = task
        return await asyncio.shield(self._making[name])

    async def _make(self, name: str, *, max_requests: int, max_age: int | None) -> Bin:
        try:
            return await self.create(name=name, response=BinResponse(), max_requests=max_requests, max_age=max_age)
        except NameTaken:  # somebody else asked for a bin of that name at the same time
            return self.get(name)

    async def edit(self, bin: Bin, change: Callable[[Bin], Bin], *, forward: Sequence[Webhook] | None = None) -> Bin:
        """Write what `change` makes of the bin as it is now, inside one transaction: no other change is lost.

        Another response begins a new run of the sequence. `forward` are its targets from now on; None leaves
        them as they are.

        Raises `NameTaken`, and `BinNotFound` if it was deleted meanwhile.
        """

        def edit_with_targets(transaction: Transaction) -> Bin | None:
            row = transaction.execute(f"{BINS.select} WHERE key = ?", (bin.key,)).fetchone()
            if row is None:
                return None
            before = BINS.read(row)
            changed = _in_its_run(change(before), before)
            if changed.sequence_run != before.sequence_run:
                transaction.execute("UPDATE bins SET sequence_position = 0 WHERE key = ?", (bin.key,))
                past_responses.keep(transaction, before, now=self._clock.now())
            transaction.execute(f"{BINS.update} WHERE key = ?", (*BINS.values(changed), bin.key))
            transaction.announce(changed)
            if forward is not None:
                set_forwards(transaction, bin.id, forward, now=self._clock.now())
            return changed

        try:
            written = await self._database.transact(Freeing(edit_with_targets))
        except sqlite3.IntegrityError as error:
            raise _name_taken(change(bin).name) from error
        if written is None:
            raise BinNotFound(f"the bin {bin.id} was deleted meanwhile")
        if written.sequence_run != bin.sequence_run:
            noted = partial(past_responses.changed, bin=written, now=self._clock.now())
            await self._database.transact(Freeing(noted))
        return written

    async def response_to(self, bin: Bin, request: RequestSummary) -> BinResponse | None:
        """The response that answered that request; None when it is not known."""
        return await past_responses.response_to(self._database, bin, request)

    async def delete(self, bin: Bin) -> None:
        """The bin is gone at once, and its targets; its requests are deleted in small steps later (`retention`)."""
        await self._database.transact(Freeing(lambda transaction: delete(transaction, bin.id, now=self._clock.now())))

    def _committed(self, rows: Sequence[Announcement]) -> None:
        counts = self._counts
        for row in rows:
            if isinstance(row, RequestSummary):
                if row.bin_id in self._by_id:  # or it was deleted meanwhile
                    counts[row.bin_id] = counts.get(row.bin_id, 0) + 1
                    self._last_at[row.bin_id] = row.received_at
            elif isinstance(row, RequestChanged):
                self._add(row.request.bin_id, 0, pinned=row.pinned)
            elif isinstance(row, RequestsDeleted):
                self._add(row.bin_id, -row.count, pinned=-row.pinned)
            elif isinstance(row, Bin):
                self._remember(row)
            elif isinstance(row, Removed) and row.kind == "bin":
                self._forget(row.id)
            elif isinstance(row, PendingDeletion) and row.kind is DeletionKind.BIN:
                self._hidden.add(row.target)
            elif isinstance(row, DeletionUndone):
                self._hidden.discard(row.target)

    def _add(self, id: str, count: int, *, pinned: int) -> None:
        if id in self._by_id:
            self._counts[id] = self._counts.get(id, 0) + count
            self._pinned[id] = self._pinned.get(id, 0) + pinned

    def _remember(self, bin: Bin) -> None:
        before = self._by_id.get(bin.id)
        if before is not None and before.name is not None:
            del self._by_name[before.name]
        self._by_id[bin.id] = bin
        if bin.response.sequence:
            self._counter_of(bin)
        if bin.name is not None:
            self._by_name[bin.name] = bin

    def _forget(self, id: str) -> None:
        bin = self._by_id.pop(id, None)
        if bin is not None and bin.name is not None:
            del self._by_name[bin.name]
        for numbers in (self._counts, self._pinned, self._last_at):
            numbers.pop(id, None)
        self._counters.pop(id, None)
        self._hidden.discard(id)


def delete(transaction: Transaction, id: str, *, now: int) -> None:
    """Inside a transaction: delete a bin and its targets."""
    transaction.execute("DELETE FROM bins WHERE id = ?", (id,))
    transaction.announce(Removed(kind="bin", id=id))
    set_forwards(transaction, id, (), now=now)


def announce(transaction: Transaction, id: str) -> None:
    """Inside a transaction: tell of a bin as it is."""
    rows = transaction.execute(f"{BINS.select} WHERE id = ?", (id,))
    transaction.announce(*map(BINS.read, rows))


def _in_its_run(changed: Bin, before: Bin) -> Bin:
    if changed.response == before.response:
        return changed
    return msgspec.structs.replace(changed, sequence_run=before.sequence_run + 1)


def _name_taken(name: str | None) -> NameTaken:
    return NameTaken(f"another bin is named {name!r}; choose another name or use that bin")
