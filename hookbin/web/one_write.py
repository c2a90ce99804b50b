"""An answer in one system call."""

from __future__ import annotations

import asyncio
from typing import Any


class OneWrite:
    """A transport that sends what is written in one step of the event loop as one system call.

    uvicorn writes the head of an answer and then its body, and uvloop sends each at once: two
    system calls, a fifth of the time that a capture takes (`benchmarks/capture.py`).
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            data, self._waiting = b"".join(self._waiting), []
            self._transport.write(data)
