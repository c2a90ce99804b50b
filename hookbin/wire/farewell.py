"""The end of a connection: at once, by a reset, or lingering, so that its peer gets to read a last answer."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from hookbin.wire.refusals import MAX_KEPT

LINGER_SECONDS = 1.0
"""How long what still comes is taken in."""
MAX_LINGER = 1024 * 1024
"""Bytes of it, likewise."""


class Farewell:
    """The lingering close (RFC 9112, 9.6): closes our side, takes in what still comes, then closes altogether.

    A connection that is closed with bytes unread is reset, and the reset can overtake the answer.
    `received` grows by what comes meanwhile, to `MAX_KEPT` bytes; `ended` is given it when that is over.
    """

    def __init__(self, transport: asyncio.Transport, *, received: bytes, ended: Callable[[bytes], None] | None) -> None:
        self._transport = transport
        self._received = received
        self._ended = ended
        self._lingered = 0

    def say(self, last_words: bytes, *, loop: asyncio.AbstractEventLoop) -> None:
        self._transport.write(last_words)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._timer = loop.call_later(LINGER_SECONDS, self._transport.close)

    def hear(self, data: bytes) -> None:
        if len(self._received) < MAX_KEPT:
            self._received = (self._received + data)[:MAX_KEPT]
        self._lingered += len(data)
        if self._lingered > MAX_LINGER:
            self._transport.close()

    def end(self) -> None:
        """The connection is gone."""
        self._timer.cancel()
        if self._ended is not None:
            self._ended(self._received)
            self._ended = None


def reset_connection(transport: asyncio.Transport) -> None:
    """Close without the usual farewell: a linger time of 0 makes a RST of it (`socket(7)`, SO_LINGER)."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
