"""An alarm: when to come back to something, by the clock's ticks, and one task that wakes at the earliest of them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable

from hookbin.clock import Clock

_SPARE = 16
"""Times that were overtaken may be kept beside as many that count, and these."""


class Alarm:
    """Rings for a key once the time that was set for it has come. Started by `start()`, ended by `stop()`."""

    def __init__(self, ring: Callable[[str], Awaitable[None]], *, clock: Clock, name: str) -> None:
        """`ring` gets the key. It is called once at a time, in a task of that name, and raises nothing."""
        self._ring = ring
        self._clock = clock
        self._name = name
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """How many times are kept, with those that were overtaken."""
        return len(self._heap)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def set(self, key: str, *, due: int) -> None:
        """Ring for the key at `due` (ticks, µs), instead of when it was to ring for it before."""
        if self._due.get(key) == due:
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._due) + _SPARE:
            self._heap = sorted((due, key) for key, due in self._due.items())
        if self._heap[0] == (due, key):
            self._wake.set()

    def cancel(self, key: str) -> None:
        """Do not ring for the key."""
        self._due.pop(key, None)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            while self._heap and self._heap[0][0] <= self._clock.ticks():
                due, key = heapq.heappop(self._heap)
                if self._due.get(key) == due:
                    del self._due[key]
                    await self._ring(key)
            await self._clock.wait(self._wake, until=self._heap[0][0] if self._heap else None)
