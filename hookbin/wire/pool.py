"""Connections that are kept for the next request to the same place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hookbin.wire.client_connection import MAX_IDLE_SECONDS, ClientConnection
from hookbin.wire.place import Place

MAX_IDLE = 256
"""Idle connections that are kept; with one more the oldest is closed."""


class Pool:
    """The newest is used first, so that the others grow old and are closed."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._idle: dict[ClientConnection, Place] = {}
        self._of: dict[Place, list[ClientConnection]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def take(self, place: Place) -> ClientConnection | None:
        """One that is open and silent at this moment."""
        kept = self._of.get(place)
        while kept:
            connection = kept.pop()
            del self._idle[connection]
            if not kept:
                del self._of[place]
            if connection.is_usable(self._monotonic()):
                return connection
            connection.close()
        return None

    def give_back(self, place: Place, connection: ClientConnection) -> None:
        """Keep it, if its exchange came to an end after which another can follow; else close it."""
        if not connection.release(self._monotonic()):
            connection.close()
            return
        if len(self._idle) >= MAX_IDLE:
            self._close(next(iter(self._idle)))
        self._idle[connection] = place
        self._of.setdefault(place, []).append(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(MAX_IDLE_SECONDS / 2, self._sweep)

    def clear(self) -> bool:
        """Close all; whether there was one."""
        idle = list(self._idle)
        for connection in idle:
            self._close(connection)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return bool(idle)

    def _sweep(self) -> None:
        self._timer = None
        now = self._monotonic()
        for connection in [connection for connection in self._idle if not connection.is_usable(now)]:
            self._close(connection)
        if self._idle:
            self._timer = asyncio.get_running_loop().call_later(MAX_IDLE_SECONDS / 2, self._sweep)

    def _close(self, connection: ClientConnection) -> None:
        place = self._idle.pop(connection)
        kept = self._of[place]
        kept.remove(connection)
        if not kept:
            del self._of[place]
        connection.close()
