"""A message's bytes on their way through llhttp: head, body, trailers, and where it ends.

The parser is never given a byte from behind the end of a message: what follows is the next request's, and if it is
none, this one stands all the same. With a Content-Length the end is counted. A chunked message can end behind an
empty line only (RFC 9112, 7.1), so that is where its bytes are cut.
"""

from __future__ import annotations

from typing import Final

import httptools

from hookbin.wire.head import MAX_FIELDS, MAX_HEAD, Head, Pairs, RequestLine

_EMPTY_LINE: Final = b"\r\n\r\n"
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


class MessageBroken(Exception):
    """The parser's words for what is no HTTP."""


class FieldsTooLarge(Exception):
    """There are more header fields or trailers than are taken, or they are longer."""


class MessageReader:
    """The parser of one connection, and what it found of the message that it is in.

    It refers to its parser and that back to it, until `close`.
    """

    def __init__(self) -> None:
        self.whole = True
        """The message has come to its end."""
        self.trailers: Pairs = []
        self._parser: httptools.HttpRequestParser | None = _new_parser(self)
        self._pairs: Pairs = []
        self._fields: Pairs = []
        self._body: list[bytes] = []
        self._in_head = False
        self._muted = False
        self._keep_alive = False
        self._left: int | None = 0
        """Bytes of the body that are still to come; None when it is chunked."""
        self._overhead = 0
        """Bytes of chunk sizes, their extensions and trailers since the last of the body."""
        self._tail = b""
        """The last three bytes, in which an empty line may have begun."""

    def read_head(self, line: RequestLine, head: bytes) -> Head:
        """Take in a head that is whole. Raises `MessageBroken`, `FieldsTooLarge`."""
        if head.count(b"\n") > MAX_FIELDS + 2:
            raise FieldsTooLarge
        self._pairs, self._fields, self._in_head, self.whole = [], [], True, False
        self.trailers = []  # a list for each: the one before may still be read
        self._feed(b"POST / HTTP/1.%b\r\n%b" % (line.minor, head[line.size :]))
        self._in_head = False
        named = dict(self._fields)
        length = self._framing(named)
        self._left, self._overhead, self._tail = length, 0, b""
        return Head(
            method=line.method,
            target=line.target,
            http_version="1.1" if line.minor == b"1" else "1.0",
            pairs=self._pairs,
            fields=self._fields,
            length=length,
            keep_alive=self._keep_alive and line.minor == b"1",
            expects_continue=named.get(b"expect", b"").lower() == b"100-continue",
        )

    def read_body(self, data: bytes) -> bytes:
        """Take in some of a body; what lies behind the message's end. Raises `MessageBroken`, `FieldsTooLarge`."""
        if self._left is None:
            return self._read_chunks(data)
        rest = data[self._left :]
        piece = data[: self._left] if rest else data
        self._left -= len(piece)
        self._feed(piece)
        return rest

    def take_body(self) -> bytes:
        """What of the body was read since the last time."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        return body

    def close(self) -> None:
        """Let go of the parser."""
        self._parser = None

    @staticmethod
    def _framing(named: dict[bytes, bytes]) -> int | None:
        """The body's length, None when it is chunked (RFC 9112, 6.3). The parser has let no other coding through."""
        if b"transfer-encoding" in named:
            return None
        length = named.get(b"content-length")
        return 0 if length is None else int(length)

    def _read_chunks(self, data: bytes) -> bytes:
        joined, known = self._tail + data, len(self._tail)
        begun = 0
        while not self.whole and begun < len(data):
            found = joined.find(_EMPTY_LINE, begun)
            end = len(data) if found < 0 else found + len(_EMPTY_LINE) - known
            pieces = len(self._body)
            self._feed(data[begun:end])
            self._overhead = 0 if len(self._body) > pieces else self._overhead + end - begun
            if self._overhead > MAX_HEAD:
                raise FieldsTooLarge
            begun = end
        self._tail = joined[-3:]
        return data[begun:]

    def _feed(self, data: bytes) -> None:
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._go_on_without_upgrade()
        except httptools.HttpParserCallbackError:
            raise FieldsTooLarge from None
        except httptools.HttpParserError as error:
            raise MessageBroken(str(error)) from None

    def _go_on_without_upgrade(self) -> None:
        """No upgrade is ever made here, so a request for one is like any other (RFC 9110, 7.8).

        The parser takes everything behind such a head for another protocol's. A new one goes on from
        there, led in by fields of the same framing.
        """
        framing = [b"%b: %b" % pair for pair in self._fields if pair[0] in _FRAMING]
        keep_alive = self._keep_alive
        self._parser = _new_parser(self)
        self._muted, self.whole = True, False
        self._feed(b"\r\n".join((b"POST / HTTP/1.1", *framing, b"", b"")))
        self._muted, self._keep_alive = False, keep_alive

    # What the parser calls

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            if not self._muted:
                self._pairs.append((name, value))
                self._fields.append((name.lower(), value))
            return
        if len(self.trailers) >= MAX_FIELDS:
            raise FieldsTooLarge
        self.trailers.append((name, value))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        self._keep_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.whole = True


def _new_parser(reader: MessageReader) -> httptools.HttpRequestParser:
    return httptools.HttpRequestParser(reader)
