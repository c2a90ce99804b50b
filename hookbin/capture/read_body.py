"""Taking a request body in, to a limit of its own and one for all connections together."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from msgspec import Struct
from starlette.types import Receive

MAX_SPILLED = 64 * 1024 * 1024
"""Bytes that are still read, and thrown away, after the answer."""
ROOM = 128 * 1024 * 1024
"""Bytes of bodies that come in or wait to be written, over all connections."""
FREE = 64 * 1024
"""Bytes of each body that are not counted, so that small ones pass however many large ones come."""


class ReceivedBody(Struct, frozen=True):
    """A request body, as much of it as came and was kept."""

    body: bytes
    truncated: bool = False
    incomplete: bool = False
    unread: bool = False
    """More of it is to come."""
    refused: bool = False
    """There was no room; nothing of it was kept."""
    reserved: int = 0
    """Bytes to be given back to the room once the body is written."""


class MemoryBudget:
    """Counts the bytes of large bodies that are in memory. Whoever takes gives back."""

    def __init__(self, size: int = ROOM) -> None:
        self._size = size
        self.taken = 0

    def take(self, amount: int) -> bool:
        if self.taken + amount > self._size:
            return False
        self.taken += amount
        return True

    def give(self, amount: int) -> None:
        self.taken -= amount


async def drain(receive: Receive, *, limit: int, room: MemoryBudget) -> ReceivedBody:
    """Read the body to its end, to `limit` bytes, to where the sender broke off, or to where the server stops."""
    body, reserved = bytearray(), 0
    try:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body") and len(message["body"]) <= limit:
            return ReceivedBody(message["body"])
        while message["type"] == "http.request":
            body += message.get("body", b"")
            unread = bool(message.get("more_body"))
            if len(body) > limit:
                del body[limit:]
                return ReceivedBody(bytes(body), truncated=True, unread=unread, reserved=reserved)
            wanted = max(0, len(body) - FREE)
            if wanted > reserved:
                if not room.take(wanted - reserved):
                    room.give(reserved)
                    return ReceivedBody(b"", refused=True, unread=unread)
                reserved = wanted
            if not unread:
                return ReceivedBody(bytes(body), reserved=reserved)
            message = await receive()
    except asyncio.CancelledError:
        pass  # uvicorn waits no longer when it stops, but there is time to keep what came
    return ReceivedBody(bytes(body), incomplete=True, reserved=reserved)


async def linger(receive: Receive, *, seconds: float) -> None:
    """Take in what is still on its way, for no longer than that, and throw it away.

    A connection that is closed with bytes unread is reset, and then the sender may never see its
    answer (RFC 9112, 9.6).
    """
    spilled = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            message = await receive()
            while message["type"] == "http.request" and message.get("more_body") and spilled < MAX_SPILLED:
                spilled += len(message["body"])
                message = await receive()
