"""A receiver that speaks bytes, and a sender to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any, TypeAlias

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

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
            body = await reader.readexactly(length)
            self.heads.append(head)
            self.bodies.append(body)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(self, writer)


class Receiver:
    """Answers in turn from a list of statuses, then with the last one; from a thread, for tests without a loop."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        lines = [f"{name}: {value}".encode() for name, value in (headers or {}).items()]
        self._raw = RawReceiver(*[with_status(status, body, *lines) for status in statuses or (200,)])

    @property
    def requests(self) -> list[tuple[httpx.Headers, bytes]]:
        """The headers, to be had by names in any case, and the body of each."""
        heads = [httpx.Headers(fields(head), encoding="latin-1") for head in self._raw.heads]
        return list(zip(heads, self._raw.bodies, strict=False))  # one may just be coming in

    @contextmanager
    def serving(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Its URL, while it serves."""
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(self._raw.serving(tls)) as port:
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{port}/hook"


class Names:
    """A look-up that gives each name, or what stands before its first dot, its addresses in turn, the last for ever.

    Names that start with `slow` wait for `release`; `asked` are all that were asked for.
    """

    def __init__(self, **addresses: list[list[str]]) -> None:
        self._addresses = addresses
        self.release = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, port: None, **_: Any) -> list[Any]:
        self.asked.append(host)
        name = host.partition(".")[0]
        if name.startswith("slow"):
            self.release.wait()
        if name not in self._addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        turns = self._addresses[name]
        found = turns.pop(0) if len(turns) > 1 else turns[0]
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
        return [(family, socket.SOCK_STREAM, 6, "", (each, port)) for family, each in zip(families, found, strict=True)]


@contextmanager
def letting_nobody_in(host: str, port: int = 0) -> Iterator[int]:
    """The port of a listener whose queue is full."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind((host, port))
        listener.listen(0)
        for filler in [stack.enter_context(socket.socket()) for _ in range(4)]:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


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
