"""A proxy that stands between hookbin and a receiver and does to an exchange what networks do, by a seed."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any, TypeAlias

from tests.raw_receiver import listening

_ID = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Receiver:
    """Answers 200 to two of three requests and 500 to the rest, names in the body whom it answers, and counts."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.received: Counter[str] = Counter()
        """Whole requests by their webhook-id."""
        self.accepted: Counter[str] = Counter()
        """Those that were answered with 200."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            id = _id(await _message(reader))
            self.received[id] += 1
            status = b"200 OK" if self._chance.random() < 2 / 3 else b"500 Internal Server Error"
            self.accepted[id] += status == b"200 OK"
            writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(id), id.encode()))


class Exchange:
    """One request that came in whole, and how to pass it on and answer it."""

    def __init__(self, request: bytes, client: asyncio.StreamWriter, port: int, chance: Random) -> None:
        self.request = request
        self.client = client
        self.chance = chance
        self._port = port

    async def answer(self) -> bytes:
        """What the receiver answers when it gets the request whole."""
        reader, writer = await self.partly_sent(len(self.request))
        try:
            return await _message(reader)
        finally:
            writer.close()

    async def partly_sent(self, size: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(self.request[:size])
        return reader, writer

    def some(self, data: bytes) -> int:
        return self.chance.randrange(len(data))

    def reset(self) -> None:
        self.client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.transport.abort()


async def whole(exchange: Exchange) -> None:
    exchange.client.write(await exchange.answer())


async def delayed(exchange: Exchange) -> None:
    answer = await exchange.answer()
    await asyncio.sleep(exchange.chance.uniform(0, 0.1))
    exchange.client.write(answer)


async def dripped(exchange: Exchange) -> None:
    answer = await exchange.answer()
    while answer:
        size = exchange.chance.randint(1, 40)
        exchange.client.write(answer[:size])
        answer = answer[size:]
        await asyncio.sleep(0.001)


async def truncated(exchange: Exchange) -> None:
    answer = await exchange.answer()
    exchange.client.write(answer[: exchange.some(answer)])
    exchange.client.close()


async def reset_in_the_answer(exchange: Exchange) -> None:
    answer = await exchange.answer()
    exchange.client.write(answer[: exchange.some(answer)])
    await exchange.client.drain()
    exchange.reset()


async def reset_in_the_request(exchange: Exchange) -> None:
    _, writer = await exchange.partly_sent(exchange.some(exchange.request))
    writer.close()
    exchange.reset()


async def swallowed(exchange: Exchange) -> None:
    """The receiver got it, and nobody hears of it."""
    await exchange.answer()
    await asyncio.Event().wait()


async def doubled(exchange: Exchange) -> None:
    """Some bytes of the answer come twice."""
    answer = await exchange.answer()
    start = exchange.some(answer)
    exchange.client.write(answer[: start + 20] + answer[start:])


async def answered_twice(exchange: Exchange) -> None:
    exchange.client.write(await exchange.answer() * 2)


Fault: TypeAlias = Callable[[Exchange], Coroutine[Any, Any, None]]
FAULTS: dict[Fault, int] = {
    whole: 49,
    delayed: 10,
    dripped: 8,
    truncated: 6,
    reset_in_the_answer: 6,
    reset_in_the_request: 6,
    swallowed: 3,
    doubled: 6,
    answered_twice: 6,
}
"""How often each comes, in the hundred."""


class Chaos:
    """The proxy, the receiver behind it, and what went over both."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._port = 0
        self.receiver = Receiver(self._chance)
        self.faults: Counter[str] = Counter()

    @contextmanager
    def running(self) -> Iterator[str]:
        """The URL of the proxy, while it stands, on a thread of its own."""
        loop, started, ended = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
        ports: list[int] = []

        async def stand() -> None:
            async with listening(self.receiver.serve) as self._port, listening(self._serve) as port:
                ports.append(port)
                started.set()
                await ended.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(stand(),), daemon=True)
        thread.start()
        started.wait()
        try:
            yield f"http://127.0.0.1:{ports[0]}/hook"
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join()
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            request = await _message(reader)
            (fault,) = self._chance.choices(list(FAULTS), list(FAULTS.values()))
            self.faults[fault.__name__] += 1
            acting = asyncio.create_task(fault(Exchange(request, writer, self._port, self._chance)))
            leaving = asyncio.create_task(writer.wait_closed())
            try:
                await asyncio.wait({acting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (acting, leaving):
                    task.cancel()
                    with suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
                        await task


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    return head + await reader.readexactly(int(found[1]) if found else 0)


def _id(request: bytes) -> str:
    found = _ID.search(request)
    assert found is not None
    return found[1].decode()
