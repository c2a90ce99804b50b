"""One request as it came over the wire, and the connection that is answered on.

ASGI gives header names in lower case and a decoded path, and sends head and body of an answer apart. What a bin
shows is what was sent, and its answers break the rules of HTTP where their owner wants it. So our protocol puts an
`Exchange` into the scope of each request (ASGI, "Extensions"); other servers give no hold of their connections, and
`exchange_of` makes do with what the scope says.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TypeAlias

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

Pairs: TypeAlias = list[tuple[bytes, bytes]]

EXTENSION = "hookbin.wire"
"""Where our protocol puts it, under the `extensions` of the scope."""


class Exchange:
    """What was sent, and how it can be answered beyond ASGI.

    The protocol makes it when a head is whole, and adds what comes later: trailers, and that time ran out.
    """

    __slots__ = ("cycle", "headers", "target", "timed_out", "trailers")

    def __init__(self, target: bytes, headers: Pairs, cycle: RequestResponseCycle | None = None) -> None:
        self.target = target
        """As sent, query included."""
        self.headers = headers
        """In the case and the order that they were sent in."""
        self.trailers: Pairs = []
        """Fields behind a chunked body (RFC 9110, 6.5), once that is in."""
        self.timed_out = False
        """The rest of the body did not come in time, and the sender was told so."""
        self.cycle = cycle
        """None under another server: nothing below can be done there."""

    def answer(self, *, status: int, fields: bytes, body: bytes) -> bool:
        """Send a whole answer as one write; `fields` are its header lines. False where the server can't.

        ASGI sends head and body apart, and uvicorn checks each header anew and makes two system calls of
        it, which a profile of captures under load showed as its largest single cost.
        """
        cycle = self.cycle
        if cycle is None:
            return False
        if cycle.disconnected:
            return True
        head = [STATUS_LINE[status], *(b"%b: %b\r\n" % field for field in cycle.default_headers), fields]
        head.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"".join(head) if cycle.scope["method"] == "HEAD" else b"".join((*head, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True

    def break_off(self) -> None:
        """Close the connection in the middle of an answer, and drop what its reader does not take."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.transport.abort()

    def drop(self, *, last_words: bytes = b"", reset: bool = False) -> bool:
        """Close the connection instead of answering, after these bytes or with a TCP RST. False where it can't be."""
        cycle = self.cycle
        if cycle is None:
            return False
        if cycle.disconnected:
            return True
        cycle.disconnected = cycle.response_complete = True
        if reset:
            _reset(cycle.transport)
        else:
            if last_words:
                cycle.transport.write(last_words)
            cycle.transport.close()
        return True


def exchange_of(scope: Scope) -> Exchange:
    """The one that our protocol made, or as much of it as another server tells."""
    found: Exchange | None = scope.get("extensions", {}).get(EXTENSION)
    if found is not None:
        return found
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return Exchange(path + b"?" + query if query else path, scope["headers"])


def _reset(transport: asyncio.Transport) -> None:
    """Close without the usual farewell: a linger time of 0 makes a RST of it (`socket(7)`, SO_LINGER)."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
