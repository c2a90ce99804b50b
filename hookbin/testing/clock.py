"""A clock that goes as the machine's does, and can be moved on."""

from __future__ import annotations

import asyncio

from hookbin.clock import SystemClock
from hookbin.models.common import SECOND


class MovableClock(SystemClock):
    """To be moved in the event loop that waits by it. A move wakes everyone who waits, to look at it again."""

    def __init__(self) -> None:
        self._passed = 0
        """Of time that was skipped, in µs: intervals never go back."""
        self.ahead = 0
        """Of the machine's time of day, in µs."""
        self._waiting: list[asyncio.Event] = []

    def now(self) -> int:
        return super().now() + self.ahead

    def ticks(self) -> int:
        return super().ticks() + self._passed

    def monotonic(self) -> float:
        return super().monotonic() + self._passed / SECOND

    async def wait(self, event: asyncio.Event, *, until: int | None) -> None:
        self._waiting.append(event)
        try:
            await super().wait(event, until=until)
        finally:
            self._waiting.remove(event)

    def move(self, by: int) -> None:
        """Let `by` µs pass at once."""
        self.ahead += by
        self._pass(by)

    def set_back(self, *, within: int) -> None:
        """Tell the machine's time again, as if somebody had set the clock and `within` µs had passed since."""
        self.ahead = 0
        self._pass(within)

    def _pass(self, by: int) -> None:
        self._passed += by
        for event in self._waiting:
            event.set()
