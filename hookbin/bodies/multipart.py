"""Multipart bodies taken apart: parts between boundaries, and each part as text in the charset that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from hookbin.bodies import limits
from hookbin.bodies.charsets import FieldDecoder, Text, decode, known_charset
from hookbin.bodies.json_values import read_json
from hookbin.bodies.media import parameters
from hookbin.text import wire

_BOUNDARY = 200
"""Characters that a boundary may have; RFC 2046 allows 70."""
_CHARSETS = 64 * 1024
"""Bytes of a field that names the charsets of others."""


class Part(Struct, frozen=True, kw_only=True):
    """A part as it stands in the body."""

    headers: list[tuple[str, str]]
    content: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def disposition(self) -> dict[str, str]:
        return parameters(self.header("content-disposition") or "")


class Split(Struct, frozen=True, kw_only=True):
    parts: list[Part]
    more: bool
    """There are more than `limits.PARTS`."""
    closed: bool
    """The last boundary was there."""


class Multipart:
    """A multipart body, with what its fields say of the charsets of others (RFC 7578, 4.6; SendGrid's `charsets`)."""

    def __init__(self, body: bytes, boundary: bytes) -> None:
        self.split = split(body, boundary)
        self.parts = self.split.parts

    def text(self, part: Part, *, most: int) -> Text | None:
        """What the beginning of a part says; by its own content type first (RFC 7578, 4.4)."""
        content_type = part.header("content-type") or ("" if file_name(part) else "text/plain")
        name = self.name(part)
        default = self._charsets.get(name or "") or self._default
        return decode(part.content[:most], content_type, whole=len(part.content) <= most, default=default)

    def name(self, part: Part) -> str | None:
        given = part.disposition.get("name")
        return None if given is None else FieldDecoder(self._default or "utf-8")(given.encode("latin-1"))

    @cached_property
    def _default(self) -> str | None:
        found = next(self._contents("_charset_"), b"").strip().decode("ascii", "replace")
        return found if known_charset(found) else None

    @cached_property
    def _charsets(self) -> dict[str, str]:
        found: Any = read_json(next(self._contents("charsets"), b"").decode("utf-8", "replace"))
        names = found if isinstance(found, dict) else {}
        return {name: charset for name, charset in names.items() if isinstance(charset, str)}

    def _contents(self, name: str) -> Iterator[bytes]:
        """Of the fields of that name that are short enough to be what they are called."""
        for part in self.parts:
            if len(part.content) <= _CHARSETS and part.disposition.get("name") == name:
                yield part.content


def boundary_of(media_type: str, content_type: str) -> bytes | None:
    """None of what is no multipart body."""
    if not media_type.startswith("multipart/"):
        return None
    return parameters(content_type).get("boundary", "")[:_BOUNDARY].encode("latin-1", "replace") or None


def split(body: bytes, boundary: bytes, *, most: int = limits.PARTS) -> Split:
    """The parts between the boundaries (RFC 2046, 5.1.1); line ends may be bare."""
    delimiter = b"--" + boundary
    parts: list[Part] = []
    start, tried, place = None, 0, 0
    while tried < most * 4:
        tried += 1
        found = body.find(delimiter, place)
        if found < 0:
            break
        place = found + len(delimiter)
        line_end = body.find(b"\n", place, place + 200)
        line_end = min(len(body), place + 200) if line_end < 0 else line_end
        closing = body.startswith(b"--", place)
        if (found and body[found - 1] != 10) or (not closing and body[place:line_end].strip()):
            continue  # the same bytes inside a part
        if start is not None:
            if len(parts) == most:
                return Split(parts=parts, more=True, closed=False)
            parts.append(_part(body, start, found))
        if closing:
            return Split(parts=parts, more=False, closed=True)
        start = place = line_end + 1
    if start is not None and len(parts) < most and start < len(body):
        parts.append(_part(body, start, len(body)))
    return Split(parts=parts, more=tried >= most * 4, closed=False)


def _part(body: bytes, start: int, end: int) -> Part:
    if body[end - 1 : end] == b"\n" and end > start:
        end -= 2 if end - 2 >= start and body[end - 2] == 13 else 1
    if body.startswith((b"\r\n", b"\n"), start):
        return Part(headers=[], content=body[start + (2 if body[start] == 13 else 1) : end])
    limit = min(end, start + limits.PART_HEAD)
    ends = [(found, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (found := body.find(mark, start, limit)) >= 0]
    head_end, blank = min(ends, default=(limit, 0))
    lines = body[start:head_end].decode("latin-1").replace("\r\n", "\n").split("\n")
    headers = [(name.strip(), value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon]
    return Part(headers=headers, content=body[head_end + blank : end])


def file_name(part: Part) -> str | None:
    """As the sender wrote it (RFC 7578, 4.2; RFC 8187 too): text to show, not to use."""
    given = part.disposition
    if "filename*" in given:
        charset, _, rest = given["filename*"].partition("'")
        if known := known_charset(charset):
            return unquote_to_bytes(rest.partition("'")[2]).decode(known, "replace")
    return wire(given["filename"]) if "filename" in given else None
