"""The wire: uvicorn's httptools protocol, told to remember what it would tidy away.

ASGI gives header names in lower case and a decoded path. A bin shows what was sent, so the
protocol puts the header pairs in wire case and the raw request target into the scope, as an `Exchange`.
Trailers (RFC 9110, 6.5) are no headers: they stand there by themselves once the body is in.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hookbin.wire.connections import FULL, LOOKS, TIMED_OUT, Connections
from hookbin.wire.exchange import EXTENSION, Exchange, Pairs

MAX_HEAD = 256 * 1024
"""Bytes of request line and headers, or of trailers, that are waited for; the parser would wait for more and more."""
HALF_CLOSED_SECONDS = 5.0
"""What an answer may take whose sender has closed its side of the connection."""
MAX_PATIENCE = 20
"""Times the sender's timeout that a body may take in all, though it never stands still for one."""
_TOO_MUCH_HEAD = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _Owed(Enum):
    """What a sender has not sent yet."""

    REQUEST = auto()
    """The first byte of one, and no keep-alive timeout runs."""
    HEAD = auto()
    BODY = auto()
    REST = auto()
    """Of a body that was answered before it was in; nobody reads it."""


class WireProtocol(HttpToolsProtocol):
    """Keeps header names as sent and the target undecoded, and reads the body of a request that asks for an upgrade.

    No upgrade is ever made here, so such a request is like any other (RFC 9110, 7.8), but the parser
    takes everything behind its headers for another protocol's. A second parser goes on from there,
    led in by headers of the same framing that call nothing back.
    """

    _leading_in = False
    _in_head = False
    _in_chunk = False
    """A chunk has begun and nothing of it has come. Behind the last one, which is empty, come the trailers."""
    _head_size = 0
    _owing = False
    """A request has begun and its end has not come."""
    _moved = False
    """Some of a body came since the last look."""
    _seen: tuple[_Owed | None, object] = (None, None)
    """What was owed at the last look, and the headers of which request."""
    _looks = _still = 0
    """How often that was seen since; how often in a row when nothing had moved."""

    def __init__(self, *arguments: Any, watch: Connections, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._watch = watch

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._watch.admit(cast(Any, self.connections), self.loop):
            transport.write(FULL)
            transport.close()

    def looked_at(self) -> None:
        """Time out what has been owed for too long; called `LOOKS` times in the time that a sender has.

        A head has that time in all, and so has the rest of a body that was answered. A body may
        stand still for so long, and take `MAX_PATIENCE` times that in all.
        """
        owed = self._owed()
        if self._seen[0] is not owed or self._seen[1] is not self.headers:
            self._seen = owed, self.headers
            self._looks = self._still = 0
            return
        self._looks += 1
        self._still = 0 if self._moved else self._still + 1
        self._moved = False
        if owed is _Owed.BODY:
            if self._still >= LOOKS or self._looks >= LOOKS * MAX_PATIENCE:
                self._give_up_body()
        elif owed is not None and self._looks >= LOOKS:
            if owed is _Owed.HEAD:
                self.transport.write(TIMED_OUT)
            self.transport.close()

    def _owed(self) -> _Owed | None:
        """None while it is our turn, or while an earlier request is being answered."""
        cycle = self.cycle
        answered = cycle is None or cycle.response_complete
        if self.transport.is_closing() or self.pipeline:
            return None
        if not self._owing:
            return _Owed.REQUEST if answered and self.timeout_keep_alive_task is None else None
        if self._in_head:
            return _Owed.HEAD if answered else None
        if answered:
            return _Owed.REST
        return None if cycle.response_started or self.flow.read_paused else _Owed.BODY

    def _give_up_body(self) -> None:
        """Answer, and tell the application that no more will come, as when the sender hangs up."""
        self._exchange.timed_out = True
        self.transport.write(TIMED_OUT)
        self.transport.close()
        self.cycle.disconnected = True
        self.cycle.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)
        else:
            self._head_size = self._head_size + len(data) if self._in_head or self._in_chunk else 0
            if self._head_size > MAX_HEAD:
                self.transport.write(_TOO_MUCH_HEAD)
                self.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]
        """True keeps a connection open whose sender has said all and still listens (RFC 9112, 9.6: half-closed).

        Only for the answer of a bin, and not for long: one that has gone altogether looks the same.
        """
        cycle = self.cycle
        if cycle is None or cycle.response_started or cycle.more_body or not cycle.scope["path"].startswith("/b/"):
            return False
        if not self.pipeline:
            cycle.keep_alive = False
        self.loop.call_later(HALF_CLOSED_SECONDS, self.transport.close)
        return True

    def on_message_begin(self) -> None:
        if not self._leading_in:
            super().on_message_begin()
            self._pairs: Pairs = []
            self._owing = self._in_head = True
            self._in_chunk = False

    def on_url(self, url: bytes) -> None:
        if not self._leading_in:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self._pairs.append((name, value))
            super().on_header(name, value)
        elif not self._leading_in:
            self._exchange.trailers.append((name, value))

    def on_headers_complete(self) -> None:
        if not self._leading_in:
            self._exchange = Exchange(self.url, self._pairs)
            self.scope["extensions"] = cast(Any, {EXTENSION: self._exchange})
            super().on_headers_complete()
            self._exchange.cycle = self.cycle
            self._in_head, self._head_size = False, 0

    def on_chunk_header(self) -> None:
        self._in_chunk = True

    def on_body(self, body: bytes) -> None:
        self._moved = True
        if self._in_chunk:
            self._in_chunk, self._head_size = False, 0
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        self._in_chunk = False

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._owing = False
            super().on_message_complete()

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._lead_in()

    def _lead_in(self) -> None:
        framing = [pair for pair in self._pairs if pair[0].lower() in (b"content-length", b"transfer-encoding")]
        head = [b"POST / HTTP/1.1", *(b"%b: %b" % pair for pair in framing), b"", b""]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._leading_in = True
        try:
            self.parser.feed_data(b"\r\n".join(head))
        finally:
            self._leading_in = False
