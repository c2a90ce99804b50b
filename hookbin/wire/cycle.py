"""uvicorn's request-response cycle, the ASGI side of one request."""

from __future__ import annotations

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Cycle(RequestResponseCycle):
    """Writes nothing to a connection that is closing: the application hears of that a moment later.

    Until then it may still send, and uvloop raises at a write to what is closed.
    """

    async def send(self, message: ASGISendEvent) -> None:
        if not self.transport.is_closing():
            await super().send(message)
