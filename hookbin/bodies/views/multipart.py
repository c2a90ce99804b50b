"""Multipart bodies: their parts with headers, name and file name, found leniently and cut out exactly."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from msgspec import Struct

from hookbin.bodies import limits
from hookbin.bodies.charsets import decode
from hookbin.bodies.media import parameters
from hookbin.bodies.shapes import View, ViewPart
from hookbin.bodies.source import Match, Source
from hookbin.text import wire

_BOUNDARY = 200
"""Characters that a boundary may have; RFC 2046 allows 70."""


class Part(Struct, frozen=True, kw_only=True):
    """A part as it stands in the body."""

    headers: list[tuple[str, str]]
    content: bytes


class Split(Struct, frozen=True, kw_only=True):
    parts: list[Part]
    more: bool
    """There are more than `limits.PARTS`."""
    closed: bool
    """The last boundary was there."""


def multipart_fit(source: Source) -> Match:
    if not source.media_type.startswith("multipart/"):
        return Match.NO
    return Match.DECLARED if _boundary(source) else Match.NO


def _boundary(source: Source) -> bytes:
    return parameters(source.content_type).get("boundary", "")[:_BOUNDARY].encode("latin-1", "replace")


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


def part(source: Source, number: int) -> Part | None:
    """The part with this number, counted from 1, of those that are listed."""
    boundary = _boundary(source)
    if not boundary or not source.media_type.startswith("multipart/") or not 1 <= number <= limits.PARTS:
        return None
    parts = split(source.body, boundary).parts
    return parts[number - 1] if number <= len(parts) else None


def file_name(part: Part) -> str | None:
    """As the sender wrote it (RFC 7578, 4.2; RFC 8187 too): text to show, not to use."""
    given = parameters(_header(part, "content-disposition") or "")
    if "filename*" in given:
        charset, _, rest = given["filename*"].partition("'")
        if charset.lower() in ("utf-8", "iso-8859-1"):
            return unquote_to_bytes(rest.partition("'")[2]).decode(charset, "replace")
    return wire(given["filename"]) if "filename" in given else None


def _header(part: Part, name: str) -> str | None:
    return next((value for key, value in part.headers if key.lower() == name), None)


def multipart_view(source: Source) -> View | None:
    found = split(source.body, _boundary(source))
    if not found.parts:
        return None
    notices = []
    if found.more:
        notices.append(f"The first {len(found.parts):,} parts are listed; there are more.")
    elif not found.closed:
        notices.append("The closing boundary is missing: the last part may be incomplete.")
    left = limits.SHOWN
    parts: list[ViewPart] = []
    for number, one in enumerate(found.parts, 1):
        shape = _shape(one, number, min(left, limits.PART_TEXT))
        left -= len(shape.text or "") + sum(len(name) + len(value) for name, value in shape.headers)
        parts.append(shape)
    return View(
        name="multipart",
        title="Parts",
        parts=parts,
        truncated=found.more or any(one.truncated for one in parts),
        notice=" ".join(notices) or None,
    )


def _shape(part: Part, number: int, room: int) -> ViewPart:
    disposition = parameters(_header(part, "content-disposition") or "")
    content_type = _header(part, "content-type")
    looked_at = 4 * limits.PART_TEXT
    text = decode(part.content[:looked_at], content_type or "", whole=len(part.content) <= looked_at)
    shown = None if text is None else text.text[: max(0, room)]
    return ViewPart(
        number=number,
        name=wire(disposition["name"]) if "name" in disposition else None,
        filename=file_name(part),
        content_type=content_type,
        size=len(part.content),
        headers=part.headers[:50] if room > 0 else [],
        text=shown,
        truncated=text is not None and (not text.whole or len(shown or "") < len(text.text)),
    )
