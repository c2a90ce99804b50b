"""Makes views on a few threads, so that no body holds up the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from markupsafe import Markup
from msgspec import Struct

from hookbin.bodies import limits
from hookbin.bodies.budget import Budget
from hookbin.bodies.compression import Unpacked
from hookbin.bodies.multipart import Part
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View, Views
from hookbin.bodies.views import multipart, registry
from hookbin.clock import Clock
from hookbin.errors import ViewsBusy
from hookbin.models.common import Headers

T = TypeVar("T")


class DrawnBody(Struct, frozen=True, kw_only=True):
    """A body as a page shows it: one view drawn, the names and titles of all that may be chosen."""

    size: int
    """Bytes that the sender sent, as far as they were counted."""
    view: View | None = None
    """None when there is nothing to see."""
    text: Markup = Markup()
    tabs: tuple[tuple[str, str], ...] = ()


class Bytes(Struct, frozen=True, kw_only=True):
    """What there is to look at; `size` is that of the whole when `body` is not all of it."""

    body: bytes
    headers: Headers
    size: int
    cut: bool = False
    start: int = 0
    """Where the page of it begins that is wanted."""


class Viewer:
    """At most `limits.WORKERS` at work; over `limits.HELD` bytes of work, who comes gets `ViewsBusy`."""

    def __init__(self, clock: Clock, *, colored: Callable[[str, str | None, Budget], Markup]) -> None:
        self._clock = clock
        self._colored = colored
        self._workers = CapacityLimiter(limits.WORKERS)
        self._held = 0

    async def every(self, what: Bytes) -> Views:
        return await self._run(lambda budget: registry.every(_reading(what, budget)), what)

    async def named(self, what: Bytes, name: str) -> View | None:
        return await self._run(lambda budget: registry.named(_reading(what, budget), name), what)

    async def unpacked(self, what: Bytes) -> Unpacked:
        return await self._run(lambda budget: _reading(what, budget).unpacked, what)

    async def part(self, what: Bytes, number: int) -> Part | None:
        return await self._run(lambda budget: multipart.part(_reading(what, budget), number), what)

    async def look(self, *bodies: Bytes, wanted: str | None = None) -> list[DrawnBody]:
        """Each of them drawn for a page, all within the time of one; what is there twice is drawn once."""
        return await self._run(lambda budget: self._all_drawn(bodies, wanted, budget), *bodies)

    async def _run(self, job: Callable[[Budget], T], *bodies: Bytes) -> T:
        size = limits.CALL + sum(len(one.body) for one in bodies)
        if self._held and self._held + size > limits.HELD:
            raise ViewsBusy("too many bodies are being looked at; try again in a moment, or download the body")
        self._held += size
        try:
            return await to_thread.run_sync(lambda: job(Budget(self._clock.monotonic)), limiter=self._workers)
        finally:
            self._held -= size

    def _all_drawn(self, bodies: tuple[Bytes, ...], wanted: str | None, budget: Budget) -> list[DrawnBody]:
        drawn: dict[tuple[bytes, str, str], DrawnBody] = {}
        found = []
        for what in bodies:
            reading = _reading(what, budget)
            key = (what.body, reading.content_type, reading.header("content-encoding") or "")
            if key not in drawn:
                drawn[key] = self._drawn(reading, what.size, wanted)
            found.append(drawn[key])
        return found

    def _drawn(self, reading: Reading, size: int, wanted: str | None) -> DrawnBody:
        view, kinds = registry.best(reading, wanted)
        if view is None:
            return DrawnBody(size=size)
        text = self._colored(view.text, view.language, reading.budget) if view.text is not None else Markup()
        return DrawnBody(size=size, view=view, text=text, tabs=tuple((kind.name, kind.title) for kind in kinds))


def _reading(what: Bytes, budget: Budget) -> Reading:
    return Reading(what.body, what.headers, budget=budget, cut=what.cut, start=what.start)
