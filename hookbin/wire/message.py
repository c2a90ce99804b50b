"""Where a message's body ends, and what llhttp says of heads that are not plain and of chunks and trailers.

The parser is never given a byte from behind the end of a message: what follows is the next request's, and if it is
none, this one stands all the same. With a Content-Length the end is counted, and the parser sees nothing of the body.
A chunked message can end behind an empty line only (RFC 9112, 7.1), so that is where its bytes are cut.
"""

from __future__ import annotations

from typing import Final

import httptools

from hookbin.wire.head import (
    MAX_FIELDS,
    MAX_HEAD,
    NO_REQUEST,
    Head,
    Pairs,
    by_name,
    expects_continue,
    read_plain_head,
    read_request_line,
)

_EMPTY_LINE: Final = b"\r\n\r\n"


class MessageBroken(Exception):
    """The parser's words for what is no HTTP."""


class FieldsTooLarge(Exception):
    """There are more header fields or trailers than are taken, or they are longer."""


class MessageReader:
    """What was found of the message that a connection is in; a parser is made for one that needs it.

    The two refer to each other until the message is whole, or `close`.
    """

    def __init__(self) -> None:
        self.whole = True
        """The message has come to its end."""
        self.trailers: Pairs = []
        self._parser: httptools.HttpRequestParser | None = None
        self._pairs: Pairs = []
        self._body: list[bytes] = []
        self._in_head = False
        self._keep_alive = False
        self.left: int | None = 0
        """Bytes of the body that are still to come; None when it is chunked."""
        self._overhead = 0
        """Bytes of chunk sizes, their extensions and trailers since the last of the body."""
        self._tail = b""
        """The last three bytes, in which an empty line may have begun."""

    def read_head(self, whole: bytes) -> Head:
        """Take in a head that is whole. Raises `MessageBroken`, `FieldsTooLarge`."""
        head = read_plain_head(whole) or self._read_by_parser(whole)
        self.trailers = []  # a list for each: the one before may still be read
        self.whole = head.length == 0
        self.left, self._overhead, self._tail = head.length, 0, b""
        if head.length is not None:
            self._parser = None
        return head

    def _read_by_parser(self, head: bytes) -> Head:
        line = read_request_line(head)
        if line is None:
            raise MessageBroken(NO_REQUEST)
        if head.count(b"\n") > MAX_FIELDS + 2:
            raise FieldsTooLarge
        self._pairs, self._in_head = [], True
        self._parser = httptools.HttpRequestParser(self)
        self._feed(b"POST / HTTP/1.%b\r\n%b" % (line.minor, head[line.size :]))
        self._in_head = False
        named = by_name(self._pairs)
        return Head(
            method=line.method,
            target=line.target,
            http_version="1.1" if line.minor == b"1" else "1.0",
            pairs=self._pairs,
            named=named,
            length=_length(named),
            keep_alive=self._keep_alive and line.minor == b"1",
            expects_continue=expects_continue(named),
        )

    def read_body(self, data: bytes) -> bytes:
        """Take in some of a body; what lies behind the message's end. Raises `MessageBroken`, `FieldsTooLarge`."""
        if self.left is None:
            return self._read_chunks(data)
        rest = data[self.left :]
        piece = data[: self.left] if rest else data
        self.left -= len(piece)
        self._body.append(piece)
        self.whole = not self.left
        return rest

    def take_body(self) -> bytes:
        """What of the body was read since the last time."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        return body

    def close(self) -> None:
        """Let go of the parser."""
        self._parser = None

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
        if self.whole:
            self._parser = None
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

        The parser takes everything behind such a head for another protocol's, and asks nothing of its coding. A new
        one is told that alone: it refuses it, or takes the chunks from there.
        """
        kept = self._keep_alive, self._pairs
        codings = [f"{name}: {value}\r\n" for name, value in self._pairs if name.lower() == "transfer-encoding"]
        self._parser, self._pairs = httptools.HttpRequestParser(self), []
        self._feed(f"POST / HTTP/1.1\r\n{''.join(codings)}\r\n".encode("latin-1"))
        self._keep_alive, self._pairs = kept

    # What the parser calls

    def on_header(self, name: bytes, value: bytes) -> None:
        fields = self._pairs if self._in_head else self.trailers
        if len(fields) >= MAX_FIELDS:
            raise FieldsTooLarge
        fields.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        self._keep_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.whole = True


def _length(named: dict[str, str]) -> int | None:
    """The body's length, None when it is chunked (RFC 9112, 6.3). The parser has let no other coding through."""
    return None if "transfer-encoding" in named else int(named.get("content-length", "0"))
