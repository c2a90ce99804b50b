"""The end of a connection: at once, by a reset, or lingering, so that its peer gets to read a last answer."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from hookbin.wire.refusals import MAX_KEPT

GATHER_SECONDS = 0.05
"""How long the rest of a refused message is waited for."""
LINGER_SECONDS = 1.0
"""How long what still comes is taken in."""
MAX_LINGER = 1024 * 1024
"""Bytes of it, likewise."""


class Farewell:
    """The lingering close (RFC 9112, 9.6): closes our side, takes in what still comes, then closes altogether.

    A connection that is closed with bytes unread is reset, and the reset can overtake the answer. Of a refused message
    the rest is gathered first, for a moment, since it is kept before it is answered.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._received = b""
        self._gathered: Callable[[bytes], None] | None = None
        self._heard = 0

    def gather(self, received: bytes, gathered: Callable[[bytes], None]) -> None:
        """Wait for the rest of a message that began so; `gathered` is given it once, and has the last words said."""
        self._received, self._gathered = received, gathered
        self._timer = self._loop.call_later(GATHER_SECONDS, self.stop_gathering)

    @property
    def gathering(self) -> bool:
        return self._gathered is not None

    def stop_gathering(self) -> None:
        """No more of the message comes."""
        gathered, self._gathered = self._gathered, None
        if gathered is not None:
            self._stop_timer()
            gathered(self._received[:MAX_KEPT])

    def say(self, last_words: bytes) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(last_words)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._timer = self._loop.call_later(LINGER_SECONDS, self._transport.close)

    def hear(self, data: bytes) -> None:
        if self._gathered is not None:
            self._received += data
            if len(self._received) >= MAX_KEPT:
                self.stop_gathering()
        self._heard += len(data)
        if self._heard > MAX_LINGER:
            self._transport.close()

    def end(self) -> None:
        """The connection is gone."""
        self.stop_gathering()
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def reset_connection(transport: asyncio.Transport) -> None:
    """Close without the usual farewell: a linger time of 0 makes a RST of it (`socket(7)`, SO_LINGER)."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
