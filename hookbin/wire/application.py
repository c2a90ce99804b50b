"""The ASGI side of a request: its scope, its cycle and its task; of uvicorn's, the cycle alone is used."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, cast

import uvicorn
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.utils import get_local_addr
from uvicorn.server import ServerState

from hookbin.wire.exchange import EXTENSION, Exchange
from hookbin.wire.flow import Flow
from hookbin.wire.head import Head, split_target

_LOGGER = logging.getLogger("uvicorn.error")


class Cycle(RequestResponseCycle):
    """Writes nothing to a connection that is closing: the application hears of that a moment later.

    Until then it may still send, and uvloop raises at a write to what is closed.
    """

    def send(self, message: ASGISendEvent) -> Coroutine[Any, Any, None]:
        return _send_nothing() if self.transport.is_closing() else super().send(message)

    def settle(self) -> None:
        """The whole answer was given past the application."""
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.message_event.set()

    def end_body(self) -> None:
        self.more_body = False
        self.message_event.set()

    def disconnect(self) -> None:
        """Tell the application that its peer is gone."""
        if not self.response_complete:
            self.disconnected = True
        self.message_event.set()


class Application:
    """The application behind one connection, and what uvicorn says of it."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        *,
        transport: asyncio.Transport,
        flow: Flow,
    ) -> None:
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._transport = transport
        self._flow = flow
        self.server = get_local_addr(transport)
        """The address and port that the connection was made to."""
        self._default_headers: list[tuple[bytes, bytes]] = []
        self._default_lines = b""

    def default_lines(self) -> bytes:
        """The fields of every answer, the date among them. uvicorn makes a new list of them each second."""
        headers = self._server_state.default_headers
        if headers is not self._default_headers:
            self._default_headers = headers
            self._default_lines = b"".join(b"%b: %b\r\n" % field for field in headers)
        return self._default_lines

    def begin(self, head: Head, exchange: Exchange, *, keep_alive: bool, answered: Callable[[], None]) -> Cycle:
        """Call the application with a request; `answered` is called when its whole answer is with the transport."""
        cycle = Cycle(
            scope=cast(Any, self._scope(head, exchange)),
            transport=self._transport,
            flow=self._flow,
            logger=_LOGGER,
            access_logger=_LOGGER,
            access_log=False,
            default_headers=self._server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=head.expects_continue,
            keep_alive=keep_alive,
            on_response=answered,
        )
        task = asyncio.create_task(cycle.run_asgi(self._config.loaded_app))
        task.add_done_callback(self._server_state.tasks.discard)
        self._server_state.tasks.add(task)
        return cycle

    def _scope(self, head: Head, exchange: Exchange) -> dict[str, Any]:
        """The head as the scope of an application ("HTTP Connection Scope")."""
        path, raw_path, query = split_target(head.target)
        root = self._config.root_path
        return {
            "type": "http",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.3"},
            "http_version": head.http_version,
            "server": self.server,
            "client": exchange.client,
            "scheme": "http",
            "root_path": root,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in head.pairs],
            "state": self._app_state.copy(),
            "method": head.method,
            "path": root + path,
            "raw_path": root.encode("ascii") + raw_path,
            "query_string": query,
            "extensions": {EXTENSION: exchange},
        }


async def _send_nothing() -> None:
    """The peer is gone."""
