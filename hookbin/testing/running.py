"""A hookbin in a thread of this process, on a free port, with a clock that can be moved on."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from hookbin.app import Hookbin, create_app
from hookbin.client.remote import Remote
from hookbin.config import Settings
from hookbin.dispatch.dispatcher import LOOK, MAX_DRIFT
from hookbin.models.common import SECOND
from hookbin.server import Server, config_for
from hookbin.testing.clock import MovableClock

T = TypeVar("T")
QUIET_TURNS = 10
"""Turns of the event loop without work after which all that was woken has begun."""
LOOK_AGAIN = 0.001
"""Seconds between two looks at attempts that are under way."""
HELD_UP = SECOND
"""How far the clock is moved on for a delivery that is due, and held up by a pace or by the storage."""


class RunningServer:
    """Use it as a context manager, which raises `StartError`; its methods are called from other threads."""

    def __init__(self, database: Path) -> None:
        self._settings = Settings(database=database, ballast=0)
        self._clock = MovableClock()
        self._started: Future[tuple[asyncio.AbstractEventLoop, Hookbin, Server]] = Future()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = self._settings.base_url(self._listener.getsockname()[1])
        self.remote = Remote(self.url, token=None)
        self._thread = threading.Thread(target=self._run, name="hookbin", daemon=True)

    def __enter__(self) -> RunningServer:
        self._thread.start()
        try:
            self._loop, self._app, self._server = self._started.result()
        except Exception:
            self._close()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.should_exit = True
        self._close()

    def _close(self) -> None:
        self.remote.close()
        self._thread.join()
        self._listener.close()

    @property
    def now(self) -> int:
        """What its clock tells, in µs since 1970."""
        return self._clock.now()

    def settle(self) -> None:
        """Return when every attempt that is due was made and recorded."""
        self._call(self._settled())

    def let_pass(self, microseconds: int) -> None:
        """Move the clock on, from one attempt that is due to the next, and let each be made and recorded."""
        self._call(self._passed(microseconds))

    def set_back(self) -> None:
        """Let the clock tell the machine's time, if it was moved on."""
        if self._clock.ahead:
            self._call(self._set_back())

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        app = create_app(self._settings, port=self._listener.getsockname()[1], clock=self._clock)
        async with app.running():
            loop = asyncio.get_running_loop()
            server = Server(config_for(app), app, lambda: self._started.set_result((loop, app, server)))
            await server.serve(sockets=[self._listener])

    async def _settled(self) -> None:
        dispatcher = self._app.services.delivering.dispatcher
        quiet = 0
        while quiet < QUIET_TURNS:
            busy = dispatcher.in_flight or dispatcher.reading or self._app.services.stores.database.queued_bytes
            quiet = 0 if busy else quiet + 1
            await asyncio.sleep(LOOK_AGAIN if busy else 0)

    async def _passed(self, microseconds: int) -> None:
        end = self._clock.ticks() + microseconds
        while True:
            await self._settled()
            left = end - self._clock.ticks()
            due = await self._next_due()
            wait = left if due is None else max(due - self._clock.now(), HELD_UP if due <= self._clock.now() else 0)
            if wait >= left:
                break
            self._clock.move(wait)
        self._clock.move(max(0, left))
        await self._settled()

    async def _next_due(self) -> int | None:
        """When the first of what is pending is due, of webhooks that are sent to."""
        stores = self._app.services.stores
        webhooks = [each for each in stores.webhooks.of_every_kind() if not (each.paused or each.disabled)]
        firsts = [await stores.deliveries.due(each.id, limit=1, ordered=each.ordered) for each in webhooks]
        return min((row[1] for rows in firsts for row in rows), default=None)

    async def _set_back(self) -> None:
        self._clock.set_back(within=LOOK + MAX_DRIFT)  # now the dispatcher looks, and what waits follows the clock
        await self._settled()
