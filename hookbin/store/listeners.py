"""Who hears of a commit: at once, or when that keeps nobody waiting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias

from hookbin.models.announcements import Announcement

logger = logging.getLogger("hookbin")

Listener: TypeAlias = Callable[[Sequence[Announcement]], None]
"""Told of what was committed; it must not block."""


class Listeners:
    """Told on the event loop, in order of commit. What fails is logged: what is committed stays committed."""

    def __init__(self) -> None:
        self._listeners: list[tuple[Listener, tuple[type, ...]]] = []
        self._later: list[Callable[[], None]] = []
        self._together = 1

    def add(self, listener: Listener, of: tuple[type, ...]) -> None:
        self._listeners.append((listener, of))

    def tell(self, rows: Sequence[Announcement]) -> None:
        types = {type(row) for row in rows}
        for listener, of in self._listeners:
            if any(issubclass(each, of) for each in types):
                _call(listener, rows)

    def do_later(self, work: Callable[[], None], *, together: int) -> None:
        """For listeners: have that done which can wait until everyone has an answer, and for so many of its kind."""
        self._later.append(work)
        self._together = together

    def do_the_rest_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have it done by the event loop, if that is enough to be done together; called on any thread."""
        if self._later and len(self._later) >= self._together:
            loop.call_soon_threadsafe(self.do_the_rest)

    def do_the_rest(self) -> None:
        later, self._later = self._later, []
        for work in later:
            _call(work)


def _call(listener: Callable[..., None], *args: object) -> None:
    try:
        listener(*args)
    except Exception:  # the next batch must not wait for ever
        logger.exception("a listener failed on a commit")
