"""Reading a request body, to a limit of its own and one for all connections together."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from msgspec import Struct
from starlette.types import Receive

MAX_SPILLED = 64 * 1024 * 1024
"""Bytes that are still read, and thrown away, after the answer."""
MAX_IN_MEMORY = 128 * 1024 * 1024
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
    """There was no memory for it; nothing of it was kept."""


class MemoryBudget:
    """Counts the bytes of large bodies that are in memory."""

    def __init__(self, size: int = MAX_IN_MEMORY) -> None:
        self._size = size
        self.taken = 0

    def reserve(self) -> Reservation:
        """What one body takes of it, until the block is left."""
        return Reservation(self)

    def has(self, amount: int) -> bool:
        return self.taken + amount <= self._size


class Reservation:
    """The share of one body in a `MemoryBudget`: a context manager that gives back at its end what was taken."""

    __slots__ = ("_budget", "_taken")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._taken = 0

    def grow(self, size: int) -> bool:
        """Make it large enough for a body of `size` bytes; False when the budget has no more."""
        more = size - FREE - self._taken
        if more > 0:
            if not self._budget.has(more):
                return False
            self._taken += more
            self._budget.taken += more
        return True

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.taken -= self._taken


async def read_body(receive: Receive, *, limit: int, memory: Reservation) -> ReceivedBody:
    """Read the body to its end, to `limit` bytes, to where the sender broke off, or to where the server stops."""
    body = bytearray()
    try:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body") and len(message["body"]) <= limit:
            return ReceivedBody(message["body"])
        while message["type"] == "http.request":
            body += message.get("body", b"")
            unread = bool(message.get("more_body"))
            if len(body) > limit:
                del body[limit:]
                return ReceivedBody(bytes(body), truncated=True, unread=unread)
            if not memory.grow(len(body)):
                return ReceivedBody(b"", refused=True, unread=unread)
            if not unread:
                return ReceivedBody(bytes(body))
            message = await receive()
    except asyncio.CancelledError:
        pass  # uvicorn waits no longer when it stops, but there is time to keep what came
    return ReceivedBody(bytes(body), incomplete=True)


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
