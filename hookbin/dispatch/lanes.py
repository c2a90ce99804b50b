"""A webhook's lane: the window of its earliest due deliveries that memory holds."""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterable

WINDOW = 128
"""Deliveries that a lane reads from the database at a time; it never holds more than twice as many."""


class Lane:
    """Due times by delivery. Whatever is due at `horizon` or later may be in the database only."""

    def __init__(self, webhook_id: str) -> None:
        self.webhook_id = webhook_id
        self.in_flight = 0
        self.is_ready = False
        self.armed_at: int | None = None
        """When the dispatcher will look at this lane next, if it has set a timer for it."""
        self.paused_until = 0
        """Nothing of this lane is started before; it stays in the database meanwhile."""
        self.horizon: int | None = 0
        """None when memory holds all that is pending; 0 when nothing was read yet."""
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._due)

    @property
    def needs_refill(self) -> bool:
        return self.horizon is not None and len(self._due) < WINDOW // 4

    def put(self, delivery_id: str, due: int) -> None:
        """Schedule a delivery, or schedule it anew; one past the horizon stays in the database."""
        if self.horizon is not None and due >= self.horizon:
            self._due.pop(delivery_id, None)
            return
        self._due[delivery_id] = due
        heapq.heappush(self._heap, (due, delivery_id))
        if len(self._due) > 2 * WINDOW:
            self._shrink()

    def next_due(self) -> int | None:
        """When the earliest delivery here is due, µs."""
        self._drop_outdated()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int, *, busy: Container[str]) -> str | None:
        """Take the earliest delivery that is due and not `busy`."""
        while (due := self.next_due()) is not None and due <= now:
            _, delivery_id = heapq.heappop(self._heap)
            del self._due[delivery_id]
            if delivery_id not in busy:
                return delivery_id
        return None

    def begin_refill(self) -> None:
        """From now on everything new is kept; call `end_refill` with what the database held."""
        self.horizon = None

    def end_refill(self, rows: Iterable[tuple[str, int]], *, complete: bool) -> None:
        """Take in `(delivery, due)` rows, the earliest first; `complete` says that there are no others."""
        last = 0
        for delivery_id, due in rows:
            last = due
            if delivery_id not in self._due:
                self.put(delivery_id, due)
        if not complete:
            self._keep_to(last if self.horizon is None else min(self.horizon, last))

    def clear(self) -> None:
        """Forget everything: the webhook was disabled, its deliveries are cancelled."""
        self._due.clear()
        self._heap.clear()
        self.horizon = None

    def _keep_to(self, horizon: int) -> None:
        """Leave to the database what is due later: enough of that here would look like a full window."""
        self.horizon = horizon
        self._due = {delivery_id: due for delivery_id, due in self._due.items() if due <= horizon}

    def _drop_outdated(self) -> None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)

    def _shrink(self) -> None:
        kept = sorted((due, delivery_id) for delivery_id, due in self._due.items())[:WINDOW]
        self._due = {delivery_id: due for due, delivery_id in kept}
        self._heap = kept
        self.horizon = kept[-1][0]
