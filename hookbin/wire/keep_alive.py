"""How long a connection stays open between two requests (RFC 9112, 9.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class KeepAlive:
    """The timer of one connection. It is moved when it runs out, and not with each request."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def since(self) -> float | None:
        """The loop's time at which the answer was out; None while there is a request."""
        return self._since

    def start(self, expired: Callable[[], None]) -> None:
        """The answer is out; `expired` is called when no request has begun in time."""
        self._since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look, expired)

    def stop(self) -> None:
        """A request has begun."""
        self._since = None

    def end(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, expired: Callable[[], None]) -> None:
        self._timer = None
        if self._since is None:
            return
        left = self._since + self._seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look, expired)
        else:
            expired()
