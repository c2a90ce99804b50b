"""A webhook's lane: the window of its earliest deliveries that memory holds."""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterable
from typing import TypeAlias

WINDOW = 128
"""Deliveries that a lane reads from the database at a time; it never holds more than twice as many."""

Key: TypeAlias = tuple[int, str]
"""What a lane is sorted by: a time and the delivery's id."""
_NOTHING_READ: Key = (0, "")


class Lane:
    """The deliveries of one webhook, sorted by when they are due or, in an `ordered` lane, by their turn.

    Whatever stands behind `horizon` may be in the database only.
    """

    def __init__(self, webhook_id: str, *, ordered: bool = False, generation: int = 0) -> None:
        self.webhook_id = webhook_id
        self.ordered = ordered
        self.generation = generation
        """The webhook's, to whose destination `last_duration` belongs."""
        self.renewed_at = 0
        """When that destination began to be its (ticks)."""
        self.in_flight: dict[str, int] = {}
        """When each attempt that is under way began (ticks), the oldest first."""
        self.last_duration: int | None = None
        """Of the attempt that ended last, µs."""
        self.is_ready = False
        self.rests_until = 0
        """Nothing of this lane is started before (ticks): its outcomes or rows could not be written or read."""
        self.next_allowed_at = 0
        """Nothing of this lane is started before (ticks): its rate limit."""
        self.horizon: Key | None = _NOTHING_READ
        """None when memory holds all that is pending."""
        self._due: dict[str, tuple[Key, int]] = {}
        self._heap: list[Key] = []

    def __len__(self) -> int:
        return len(self._due)

    @property
    def needs_refill(self) -> bool:
        return self.horizon is not None and len(self._due) < WINDOW // 4

    def put(self, delivery_id: str, *, due: int, turn: int) -> None:
        """Schedule a delivery, or schedule it anew; one behind the horizon stays in the database."""
        key = (turn if self.ordered else due, delivery_id)
        if self.horizon is not None and key > self.horizon:
            self.drop(delivery_id)
            return
        before = self._due.get(delivery_id)
        self._due[delivery_id] = (key, due)
        if before is None or before[0] != key:
            heapq.heappush(self._heap, key)
        if len(self._due) > 2 * WINDOW:
            self._shrink()
        elif len(self._heap) > 4 * WINDOW:
            self._rebuild()

    def drop(self, delivery_id: str) -> None:
        """Forget a delivery: it is no longer pending, or left to the database."""
        self._due.pop(delivery_id, None)

    def next_due(self) -> int | None:
        """When the first in line is due, µs."""
        self._drop_outdated()
        return self._due[self._heap[0][1]][1] if self._heap else None

    def pop_due(self, now: int, *, busy: Container[str]) -> str | None:
        """Take the first in line that is not `busy`, if it is due."""
        while (due := self.next_due()) is not None and due <= now:
            _, delivery_id = heapq.heappop(self._heap)
            del self._due[delivery_id]
            if delivery_id not in busy:
                return delivery_id
        return None

    def begin_refill(self) -> None:
        """From now on everything new is kept; call `end_refill` with what the database held."""
        self.horizon = None

    def end_refill(self, rows: Iterable[tuple[str, int, int]], *, complete: bool) -> None:
        """Take in `(delivery, due, turn)` rows, the first in line first; `complete` says that there are no others."""
        last = _NOTHING_READ
        for delivery_id, due, turn in rows:
            last = (turn if self.ordered else due, delivery_id)
            if delivery_id not in self._due:
                self.put(delivery_id, due=due, turn=turn)
        if not complete:
            self._keep_to(last if self.horizon is None else min(self.horizon, last))

    def renew(self, generation: int, ticks: int) -> None:
        """The webhook leads elsewhere: nothing is known of how that answers."""
        self.generation, self.renewed_at, self.last_duration = generation, ticks, None

    def clear(self) -> None:
        """Forget everything: the webhook was disabled, its deliveries are cancelled."""
        self._due.clear()
        self._heap.clear()
        self.horizon = None

    def sort_anew(self, *, ordered: bool) -> None:
        """Sort by that key from now on, and read everything again."""
        self.clear()
        self.ordered = ordered
        self.horizon = _NOTHING_READ

    def _keep_to(self, horizon: Key) -> None:
        """Leave to the database what stands behind: enough of that here would look like a full window."""
        self.horizon = horizon
        self._due = {id: entry for id, entry in self._due.items() if entry[0] <= horizon}

    def _drop_outdated(self) -> None:
        while self._heap and self._is_outdated(self._heap[0]):
            heapq.heappop(self._heap)

    def _is_outdated(self, key: Key) -> bool:
        entry = self._due.get(key[1])
        return entry is None or entry[0] != key

    def _shrink(self) -> None:
        self._keep_to(sorted(key for key, _ in self._due.values())[WINDOW - 1])
        self._rebuild()

    def _rebuild(self) -> None:
        self._heap = sorted(key for key, _ in self._due.values())
