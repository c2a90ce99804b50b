"""Bytes that came and were not begun with: a head until it is whole, or what lies behind a message."""

from __future__ import annotations

import re

from hookbin.wire.head import MAX_BEGINNING, MAX_FIELDS, MAX_HEAD, Head, may_begin, read_request_line
from hookbin.wire.message import FieldsTooLarge, MessageBroken, MessageReader
from hookbin.wire.refusals import MessageRefused, malformed, too_large

_END_OF_HEAD = b"\r\n\r\n"
_EMPTY_LINES = b"\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")


class Received:
    """They stay bytes, and none is looked at twice, however small the pieces that they come in."""

    __slots__ = ("_begin", "_bytes", "_lines", "_scanned", "size")

    def __init__(self) -> None:
        self._bytes: bytes | bytearray = b""
        """As they came, while they came in one piece."""
        self._begin = 0
        """Where those begin that were not taken yet."""
        self.size = 0
        """How many those are."""
        self._scanned = 0
        """Bytes in which no head ends and nothing is wrong so far."""
        self._lines = 0

    def add(self, data: bytes) -> None:
        if self.size:
            self._join()
            self._bytes += data
        else:
            self._bytes, self._begin = data, 0
        self.size += len(data)

    def take(self, size: int | None = None) -> bytes:
        """So many of them, or all."""
        size = self.size if size is None else min(size, self.size)
        taken = bytes(self._bytes[self._begin : self._begin + size])
        self._begin += size
        self.size -= size
        self._scanned = self._lines = 0
        if not self.size:
            self._bytes = b""
        return taken

    def take_head(self, reader: MessageReader) -> Head | None:
        """The head of the next request; None while it is not whole. Raises `MessageRefused`."""
        whole = self._take_whole()
        if whole is None:
            return None
        try:
            return reader.read_head(whole)
        except MessageBroken as broken:
            raise MessageRefused(malformed(whole + self.take(), size=len(whole), otherwise=str(broken))) from None
        except FieldsTooLarge:
            raise MessageRefused(too_large(whole + self.take())) from None

    def _take_whole(self) -> bytes | None:
        """Up to the end of the empty line."""
        if self._bytes[self._begin] in _EMPTY_LINES and not self._scanned:
            self._bytes = self._join().lstrip(_EMPTY_LINES)  # before a request they mean nothing (RFC 9112, 2.2)
            self.size = len(self._bytes)
        end = self._bytes.find(_END_OF_HEAD, self._begin + max(0, self._scanned - 3))
        if end < 0:
            self._check()
            return None
        size = end + len(_END_OF_HEAD) - self._begin
        if size > MAX_HEAD:
            raise MessageRefused(too_large(self.take()))
        return self.take(size)

    def _join(self) -> bytearray:
        """Make one buffer of what is left, that can grow."""
        if self._begin or not isinstance(self._bytes, bytearray):
            self._bytes, self._begin = bytearray(self._bytes[self._begin :]), 0
        return self._bytes

    def _check(self) -> None:
        """Wait for no more of what is no head already, nor of one that is too large."""
        data, scanned = self._join(), self._scanned
        self._lines += data.count(b"\n", scanned)
        if len(data) > MAX_HEAD or self._lines > MAX_FIELDS + 1:
            raise MessageRefused(too_large(bytes(data)))
        if _BARE_LF.search(data, scanned) or not self._may_be_a_head():
            raise MessageRefused(malformed(bytes(data), size=len(data)))
        self._scanned = len(data)

    def _may_be_a_head(self) -> bool:
        data = self._bytes
        first = data.find(b"\r\n", 0 if self._lines else max(0, self._scanned - 1))
        if first < 0:
            return self._scanned > MAX_BEGINNING or may_begin(data)
        return first + 1 < self._scanned or read_request_line(data) is not None
