"""Those who wait for requests: told of each capture once, and no more of them than a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hookbin.conditions.filters import RequestFilter, is_row_wanted
from hookbin.conditions.incoming import Incoming, captured
from hookbin.conditions.matching import Condition
from hookbin.errors import ShuttingDown, TooManyWaiting
from hookbin.models.announcements import Announcement
from hookbin.models.requests import CapturedRequest

MAX_WAITERS = 100


class Waiter:
    """One who waits for `count` requests; `wake` is set whenever there is something to look at."""

    def __init__(self, bin_id: str, filter: RequestFilter, checks: Sequence[Condition], *, count: int) -> None:
        self.bin_id = bin_id
        self.wake = asyncio.Event()
        self.gone = False
        """Nobody listens for the answer any more."""
        self._filter = filter
        self._checks = checks
        self._count = count
        self._seqs: list[int] = []

    @property
    def seqs(self) -> list[int]:
        """The numbers of the first that were found, in order."""
        return sorted(self._seqs)[: self._count]

    @property
    def done(self) -> bool:
        return len(self._seqs) >= self._count

    def add(self, seqs: Sequence[int]) -> None:
        self._seqs += seqs
        if self.done:
            self.wake.set()

    def look_at(self, row: CapturedRequest, incoming: Incoming) -> None:
        wanted = is_row_wanted(self._filter, row) and all(check.holds(incoming) for check in self._checks)
        if wanted and not self.done:
            self.add([row.seq])

    def leave(self) -> None:
        self.gone = True
        self.wake.set()


class Waiting:
    """Everyone who waits."""

    def __init__(self) -> None:
        self._waiters: dict[str, set[Waiter]] = {}
        self._closed = False

    @property
    def waiters(self) -> int:
        return sum(map(len, self._waiters.values()))

    @property
    def closed(self) -> bool:
        return self._closed

    @contextmanager
    def join(self, waiter: Waiter) -> Iterator[None]:
        """Have `waiter` told of what is captured. Raises `TooManyWaiting` and `ShuttingDown`."""
        if self._closed:
            raise ShuttingDown("hookbin is stopping; ask again in a moment")
        if self.waiters >= MAX_WAITERS:
            raise TooManyWaiting(f"{MAX_WAITERS} calls are waiting already; ask again in a second")
        of_bin = self._waiters.setdefault(waiter.bin_id, set())
        of_bin.add(waiter)
        try:
            yield
        finally:
            of_bin.discard(waiter)
            if not of_bin:
                self._waiters.pop(waiter.bin_id, None)

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Called after each commit with captures."""
        if not self._waiters:
            return
        for row in rows:
            if isinstance(row, CapturedRequest) and (of_bin := self._waiters.get(row.bin_id)):
                incoming = captured(row)
                for waiter in of_bin:
                    waiter.look_at(row, incoming)

    def close(self) -> None:
        """Let everyone go: the server is stopping."""
        self._closed = True
        for of_bin in self._waiters.values():
            for waiter in of_bin:
                waiter.wake.set()
