"""The bounds of open connections: how many there are, and how long one whose sender owes something may stay so.

No connection has a timer of its own: all are looked at in turn, now and then, and only while there are any. So a
request that comes in one piece costs nothing.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Collection
from typing import Protocol

from hookbin.wire.patience import LOOKS

SPARE_FILES = 512
"""File descriptors for what is no connection to us: attempts, the database, templates."""


class Watched(Protocol):
    """A connection, as far as this module knows it."""

    def looked_at(self) -> None:
        """Close when the sender has owed something for too many looks."""


class Connections:
    """`most` that are open at once, and `patience`: seconds that a sender is waited for."""

    def __init__(self, *, most: int, patience: float) -> None:
        self.patience = patience
        self._most = most
        self._armed = False

    def admit(self, connections: Collection[Watched], loop: asyncio.AbstractEventLoop) -> bool:
        """Whether the newest of these may stay; from now on they are watched."""
        if not self._armed:
            self._armed = True
            loop.call_later(self.patience / LOOKS, self._look, connections, loop)
        return len(connections) <= self._most

    def _look(self, connections: Collection[Watched], loop: asyncio.AbstractEventLoop) -> None:
        for connection in tuple(connections):
            connection.looked_at()
        self._armed = bool(connections)
        if self._armed:
            loop.call_later(self.patience / LOOKS, self._look, connections, loop)


def room_for(most: int) -> int:
    """As many connections of `most` as the process may have files open, once its soft limit is raised as needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return min(most, max(soft // 2, soft - SPARE_FILES))
    return most
