"""A receiver that costs little: it answers 200 to any POST and notes when the request was whole."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Receiver(asyncio.Protocol):
    """One connection; `received` is called with each body and the time."""

    def __init__(self, received: Callable[[bytes, float], None]) -> None:
        self._received = received
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._buffer, 0, end + 2)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            self._received(body, time.perf_counter())
            self._transport.write(ANSWER)


@asynccontextmanager
async def receiving(received: Callable[[bytes, float], None]) -> AsyncIterator[str]:
    """The receiver's URL, while it serves."""
    server = await asyncio.get_running_loop().create_server(lambda: Receiver(received), "127.0.0.1", 0, backlog=2048)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"


class Publisher:
    """One connection to `POST /events`, one event after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = f"POST /events HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: "

    @classmethod
    async def connect(cls, url: str) -> Publisher:
        host = url.removeprefix("http://")
        name, _, port = host.partition(":")
        return cls(*await asyncio.open_connection(name, int(port), limit=16 * 1024 * 1024), host)

    async def publish(self, body: bytes) -> None:
        """Raises `RuntimeError` unless the event was accepted."""
        self._writer.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        text = await self._reader.readexactly(int(found[1]) if found else 0)
        if not head.startswith(b"HTTP/1.1 202"):
            raise RuntimeError(f"an event was refused: {(head + text).decode('latin-1')}")

    def close(self) -> None:
        self._writer.close()
