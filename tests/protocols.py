"""The server's protocol by itself: bytes in, bytes out, without a socket."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from hookbin.wire.connections import Connections
from hookbin.wire.lane import Lane
from hookbin.wire.server import WireProtocol


class Transport:
    """What a protocol writes, and whether it has closed."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> Any:
        return None

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def never_answering(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await Response()(scope, receive, send)


def opened(
    app: ASGIApp = never_answering,
    state: ServerState | None = None,
    lane: Lane | None = None,
    transport: Transport | None = None,
    *,
    patience: float = 3600,
) -> tuple[WireProtocol, Transport]:
    protocol = WireProtocol(
        config=uvicorn.Config(cast(Any, app), ws="none", log_config=None),
        server_state=state or ServerState(),
        app_state={},
        _loop=asyncio.get_running_loop(),
        watch=Connections(most=1, patience=patience),
        lane=lane,
    )
    transport = transport or Transport()
    protocol.connection_made(transport)  # type: ignore[arg-type]
    return protocol, transport
