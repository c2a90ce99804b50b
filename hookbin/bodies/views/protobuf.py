"""Protocol buffers without their schema: field numbers, wire types, and guesses at what nests.

The wire format: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from msgspec import Struct

from hookbin.bodies import limits
from hookbin.bodies.budget import Budget
from hookbin.bodies.match import Match
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View
from hookbin.text import size_text

_TYPES = (
    "application/protobuf",
    "application/x-protobuf",
    "application/vnd.google.protobuf",
    "application/x-google-protobuf",
)
_VARINT, _FIXED64, _BYTES, _OPEN, _CLOSE, _FIXED32 = 0, 1, 2, 3, 4, 5
_SHOWN_BYTES = 32
_SHOWN_TEXT = 200
_GUESSED = 4_096
"""Bytes up to which an undeclared body is tried."""


class Broken(ValueError):
    """These bytes are no message."""


class Wire(Struct, frozen=True):
    """One field: its number, its wire type, where it begins, and its value or bytes."""

    number: int
    type: int
    start: int
    value: int
    content: bytes = b""


def protobuf_fit(reading: Reading) -> Match:
    if reading.media_type in _TYPES and reading.body:
        return Match.DECLARED
    if reading.media_type not in ("", "application/octet-stream") or reading.text is not None:
        return Match.NO
    return Match.MAYBE if 2 <= len(reading.body) <= _GUESSED and _is_message(reading.body, reading.budget) else Match.NO


def protobuf_view(reading: Reading) -> View | None:
    dump = _Dump(reading.budget)
    broken = dump.message(reading.body[: limits.LOOKED_AT], 0)
    cut = dump.full or len(reading.body) > limits.LOOKED_AT
    notices = ["Read without a schema: what nests in a field, and what is text, is a guess."]
    if broken and not cut:
        notices.append(f"Broken: {broken}.")
    if cut:
        notices.append(f"The first {dump.count:,} fields are shown.")
    return View(name="protobuf", title="Protobuf", text="\n".join(dump.lines), truncated=cut, notice=" ".join(notices))


def fields(data: bytes) -> Iterator[Wire]:
    """Raises `Broken` where the wire format ends."""
    place = 0
    while place < len(data):
        start = place
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if not 1 <= number < 2**29:
            raise Broken(f"byte {start} is no field number")
        value, content = 0, b""
        if kind == _VARINT:
            value, place = _varint(data, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
            content = data[place : place + size]
            place += size
        elif kind == _BYTES:
            size, place = _varint(data, place)
            content = data[place : place + size]
            place += size
        elif kind not in (_OPEN, _CLOSE):
            raise Broken(f"byte {start} has the wire type {kind}, which does not exist")
        if place > len(data):
            raise Broken(f"the field at byte {start} goes {place - len(data):,} bytes past the end")
        yield Wire(number, kind, start, value, content)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise Broken("it ends inside a number")
        byte = data[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value & (2**64 - 1), place
    raise Broken(f"the number before byte {place} has more than ten bytes")


def _is_message(data: bytes, budget: Budget) -> bool:
    groups: list[int] = []
    try:
        for count, field in enumerate(fields(data)):
            if count == limits.NODES or (count % 256 == 0 and budget.spent()):
                return False
            if field.type == _OPEN:
                groups.append(field.number)
            elif field.type == _CLOSE and (not groups or groups.pop() != field.number):
                return False
    except Broken:
        return False
    return not groups


class _Dump:
    """Lines for the fields of a message, until there are enough."""

    def __init__(self, budget: Budget) -> None:
        self.lines: list[str] = []
        self.count = 0
        self._left = limits.SHOWN
        self._budget = budget

    @property
    def full(self) -> bool:
        return self.count >= limits.NODES or self._left <= 0 or self._budget.spent()

    def message(self, data: bytes, depth: int) -> str | None:
        """Returns what is wrong with it."""
        level = depth
        try:
            for field in fields(data):
                if self.full:
                    return None
                self.count += 1
                if field.type == _CLOSE:
                    level = max(depth, level - 1)
                    self._line(level, f"}} {field.number}: end of group")
                    continue
                self._field(field, level)
                level = min(level + 1, limits.DEPTH) if field.type == _OPEN else level
        except Broken as error:
            return str(error)
        return None

    def _field(self, field: Wire, depth: int) -> None:
        name = f"{field.number}: "
        if field.type == _VARINT:
            self._line(depth, f"{name}varint {_number(field.value)}")
        elif field.type == _FIXED64:
            integer, real = struct.unpack("<q", field.content)[0], struct.unpack("<d", field.content)[0]
            self._line(depth, f"{name}64-bit {integer} ({real!r} as double)")
        elif field.type == _FIXED32:
            integer, real = struct.unpack("<i", field.content)[0], struct.unpack("<f", field.content)[0]
            self._line(depth, f"{name}32-bit {integer} ({real!r} as float)")
        elif field.type == _OPEN:
            self._line(depth, f"{name}group {{")
        else:
            self._content(name, field.content, depth)

    def _content(self, name: str, content: bytes, depth: int) -> None:
        size = size_text(len(content))
        text = _text(content)
        if text is not None:
            more = " …" if len(text) > _SHOWN_TEXT else ""
            self._line(depth, f'{name}length-delimited, {size}: "{text[:_SHOWN_TEXT]}"{more}')
        elif content and depth < limits.DEPTH and _is_message(content, self._budget):
            self._line(depth, f"{name}length-delimited, {size}: message {{")
            self.message(content, depth + 1)
            self._line(depth, "}")
        else:
            more = " …" if len(content) > _SHOWN_BYTES else ""
            self._line(depth, f"{name}length-delimited, {size}: {content[:_SHOWN_BYTES].hex(' ')}{more}")

    def _line(self, depth: int, text: str) -> None:
        line = "  " * depth + text
        self._left -= len(line) + 1
        self.lines.append(line)


def _number(value: int) -> str:
    """Unsigned, and signed too when it reads as a negative number."""
    return f"{value} ({value - 2**64} signed)" if value >= 2**63 else str(value)


def _text(content: bytes) -> str | None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if all(sign.isprintable() or sign in "\n\r\t" for sign in text[:2_000]) else None
