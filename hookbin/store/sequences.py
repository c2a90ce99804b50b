"""Whose turn it is in a bin's sequence of answers: each place is given once, and once more if it was not kept."""

from __future__ import annotations

import heapq
from types import TracebackType

from msgspec import Struct


class SequencePosition(Struct, frozen=True):
    """A place in a bin's sequence."""

    run: int
    position: int
    """0 for the first answer of the run."""


class SequenceCounter:
    """Who is next in one run of a sequence."""

    def __init__(self, run: int, position: int) -> None:
        self.run = run
        self._next = position
        self._given_back: list[int] = []

    @property
    def position(self) -> int:
        """The place that is taken next."""
        return self._given_back[0] if self._given_back else self._next

    def take(self) -> SequencePosition:
        position = self.position
        if self._given_back:
            heapq.heappop(self._given_back)
        else:
            self._next += 1
        return SequencePosition(self.run, position)

    def give_back(self, taken: SequencePosition) -> None:
        heapq.heappush(self._given_back, taken.position)


class NextPosition:
    """The next place in a sequence, no one else's: taken when `take` is called, which may be never.

    It is used as a context manager. If the block ends with an error, what was taken was not kept and is given
    to the next one. A cancelled block gives nothing back: what it handed to the writer is written all the same.
    """

    __slots__ = ("_counter", "taken")

    def __init__(self, counter: SequenceCounter) -> None:
        self._counter = counter
        self.taken: SequencePosition | None = None
        """What `RequestStore.add` keeps."""

    def take(self) -> int:
        """The place, 0 for the first answer of the run."""
        if self.taken is None:
            self.taken = self._counter.take()
        return self.taken.position

    def __enter__(self) -> NextPosition:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.taken is not None and isinstance(error, Exception):
            self._counter.give_back(self.taken)
