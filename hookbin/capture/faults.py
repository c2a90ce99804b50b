"""Answers that go wrong on the wire, as a bin's owner wants it.

A server other than ours gives no hold of its connections (see `wire.exchange`). There the faults that
send nothing break off after the head of a 502, which a client sees as a broken answer all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct
from starlette.types import Receive, Scope, Send

from hookbin.answers.plan import PreparedAnswer
from hookbin.models.answers import Fault
from hookbin.wire.exchange import Exchange

HANG_SECONDS = 300.0
"""How long a connection is kept open without an answer."""
MAX_HANGING = 1_000
"""Connections that hang at once; one more is closed instead."""
DRIP_SECONDS = 0.1
"""Between two pieces of a body that drips."""
MAX_DRIPS = 300
"""Pieces that a body drips in: single bytes, unless there are more."""
GARBAGE = b"\x16\x03\xff\x00\x00\xfa\xfb\xfc this is no HTTP \x00\x01\x02\r\n\xff\xfe\xfd\r\n\r\n"
"""Nothing of it can be read as a status line (RFC 9112, 4)."""


class Answering(Struct, frozen=True):
    """An answer that is to go wrong, and what it goes out by."""

    answer: PreparedAnswer
    exchange: Exchange
    scope: Scope
    receive: Receive
    send: Send


class Faults:
    """Gives them, and ends those that last when the server stops."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._hanging = 0

    async def give(self, fault: Fault, call: Answering) -> None:
        await WAYS[fault](self, call)

    async def hang(self, call: Answering) -> None:
        await self._wait_for_end(call.receive)
        await _end(call)

    async def drip(self, call: Answering) -> None:
        """Stopping, the rest goes out at once."""
        answer, send = call.answer, call.send
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        body = answer.body if call.scope["method"] != "HEAD" else b""
        size = max(1, -(-len(body) // MAX_DRIPS))
        for start in range(0, len(body), size):
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
            await pause(DRIP_SECONDS, unless=self._stopping)
        await send({"type": "http.response.body", "body": b""})

    async def _wait_for_end(self, receive: Receive) -> None:
        """Until the sender gives up, the server stops or the time is over."""
        if self._hanging >= MAX_HANGING:
            return
        self._hanging += 1
        gone = asyncio.ensure_future(_until_gone(receive))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({gone, stopping}, timeout=HANG_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            stopping.cancel()
            self._hanging -= 1


def sent_by(answer: PreparedAnswer) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Header fields and body as they go out: of what is truncated half, or nothing of a byte that was announced."""
    if answer.fault is Fault.TRUNCATE:
        length = max(1, len(answer.body))
        headers = [pair for pair in answer.headers if pair[0] != b"content-length"]
        return [*headers, (b"content-length", b"%d" % length)], answer.body[: length // 2]
    if answer.fault is None or answer.fault.sends_a_body:
        return answer.headers, answer.body
    return [], GARBAGE if answer.fault is Fault.GARBAGE else b""


async def pause(seconds: float, *, unless: asyncio.Event) -> None:
    """Wait, but not when the event is set, and no longer than until it is."""
    try:
        async with asyncio.timeout(seconds):
            await unless.wait()
    except TimeoutError:
        pass


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _truncate(faults: Faults, call: Answering) -> None:
    headers, body = sent_by(call.answer)
    await call.send({"type": "http.response.start", "status": call.answer.status, "headers": headers})
    await call.send({"type": "http.response.body", "body": body, "more_body": True})
    call.exchange.drop()  # else the server closes, since the answer is not complete


async def _end(call: Answering, *, last_words: bytes = b"", reset: bool = False) -> None:
    if not call.exchange.drop(last_words=last_words, reset=reset):
        await call.send({"type": "http.response.start", "status": 502, "headers": [(b"content-length", b"1")]})
        await call.send({"type": "http.response.body", "body": b"", "more_body": True})


WAYS: dict[Fault, Callable[[Faults, Answering], Awaitable[None]]] = {
    Fault.RESET: lambda _, call: _end(call, reset=True),
    Fault.HANG: Faults.hang,
    Fault.DRIP: Faults.drip,
    Fault.TRUNCATE: _truncate,
    Fault.GARBAGE: lambda _, call: _end(call, last_words=GARBAGE),
    Fault.EMPTY: lambda _, call: _end(call),
}
"""How each is given."""
