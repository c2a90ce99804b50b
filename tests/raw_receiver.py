"""A receiver that speaks bytes, and a sender to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeAlias

import pytest

from hookbin.delivery.targets import Policy
from hookbin.dispatch.sender import Sender, Sent
from hookbin.models.common import Headers
from hookbin.models.deliveries import Connection, ErrorClass, Timings
from tests.builders import a_webhook, an_event

OPEN = Policy(allow_private=True)
EXPOSED = Policy(allow_private=False)
LARGE = bytes(range(256)) * 80_000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer: TypeAlias = Callable[["RawReceiver", asyncio.StreamWriter], Awaitable[None]]


class RawReceiver:
    """Keeps each request as it came and answers as it is told: the answers in turn, then the last one for ever."""

    def __init__(self, *answers: bytes | Answer) -> None:
        self._answers = list(answers)
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0

    def serving(
        self, tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1"
    ) -> AbstractAsyncContextManager[int]:
        """Its port, while it serves."""
        return listening(self._serve, tls=tls, host=host)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(value) for name, value in fields(head) if name.lower() == "content-length"), 0)
            self.heads.append(head)
            self.bodies.append(await reader.readexactly(length))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(self, writer)


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[int]:
    """The port of a server that does this with each connection; at the end nothing of it is left."""
    served: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served[asyncio.current_task()] = writer
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve_one, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task, writer in served.items():
            assert task is not None
            task.cancel()
            await task
            writer.transport.abort()
        await server.wait_closed()


def fields(head: bytes) -> list[tuple[str, str]]:
    """The header pairs of a request's head, as they stand there."""
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


def with_status(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d Whatever" % status, *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


def then(data: bytes, what: Answer) -> Answer:
    """Say this, then do that."""

    async def say(receiver: RawReceiver, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await what(receiver, writer)

    return say


async def reset(_: RawReceiver, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise ConnectionResetError


async def hang_up(_: RawReceiver, writer: asyncio.StreamWriter) -> None:
    writer.close()
    raise ConnectionResetError


async def say_nothing(_: RawReceiver, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def sending(
    policy: Policy = OPEN, *, is_own: Callable[[str], bool] = lambda url: False, **options: Any
) -> AsyncIterator[Sender]:
    sender = Sender(policy=policy, is_own=is_own, **options)
    try:
        yield sender
    finally:
        await sender.aclose()


async def post(
    sender: Sender, url: str, *, body: bytes = b"{}", seconds: float = 5.0, headers: Headers = (), **changes: Any
) -> Sent:
    webhook = a_webhook(destination=url, timeout=seconds, headers=headers)
    event = an_event(body=body, **changes)
    return await sender.send(webhook, event, delivery_id="dlv_1", number=2, timestamp=1_790_000_000)


async def exchange(*answers: bytes | Answer, **options: Any) -> Sent:
    """Post once to a receiver that answers like that."""
    async with RawReceiver(*answers).serving() as port, sending() as sender:
        return await post(sender, f"http://127.0.0.1:{port}/hook", **options)


def outcome(sent: Sent) -> tuple[int | None, ErrorClass | None]:
    return sent.status, sent.error


def seen(sent: Sent) -> tuple[Timings, Connection]:
    """What is known of the way that an attempt took."""
    assert sent.timings is not None
    assert sent.connection is not None
    return sent.timings, sent.connection


@pytest.fixture(scope="module", params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Both event loops, for the module that imports it."""
    return "asyncio", {"use_uvloop": request.param}
