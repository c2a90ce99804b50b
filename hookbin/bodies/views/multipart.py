"""Multipart bodies as a view: parts with headers, name, file name, and how each begins."""

from __future__ import annotations

from hookbin.bodies import limits
from hookbin.bodies.match import Match
from hookbin.bodies.multipart import Multipart, Part, file_name
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View, ViewPart
from hookbin.bodies.views import image

_LOOKED_AT = 4 * limits.PART_TEXT
_TOLD = 5
"""Parts of which it is said how they were decoded."""


def multipart_fit(reading: Reading) -> Match:
    return Match.DECLARED if reading.multipart else Match.NO


def part(reading: Reading, number: int) -> Part | None:
    """The part with this number, counted from 1, of those that are listed."""
    parts = reading.multipart.parts if reading.multipart else []
    return parts[number - 1] if 1 <= number <= len(parts) else None


def multipart_view(reading: Reading) -> View | None:
    body = reading.multipart
    if body is None or not body.parts:
        return None
    notices = []
    if body.split.more:
        notices.append(f"The first {len(body.parts):,} parts are listed; there are more.")
    elif not body.split.closed:
        notices.append("The closing boundary is missing: the last part may be incomplete.")
    left = limits.SHOWN
    parts: list[ViewPart] = []
    told: list[str] = []
    for number, one in enumerate(body.parts, 1):
        shape, how = _shape(body, one, number, min(left, limits.PART_TEXT))
        left -= len(shape.text or "") + sum(len(name) + len(value) for name, value in shape.headers)
        parts.append(shape)
        told += [f"Part {number}: {how}"] if how else []
    return View(
        name="multipart",
        title="Parts",
        parts=parts,
        truncated=body.split.more or any(one.truncated for one in parts),
        notice=" ".join([*notices, *told[:_TOLD]]) or None,
    )


def _shape(body: Multipart, part: Part, number: int, room: int) -> tuple[ViewPart, str | None]:
    """A part, and how its text was decoded."""
    text = body.text(part, most=_LOOKED_AT)
    shown = None if text is None else text.text[: max(0, room)]
    shape = ViewPart(
        number=number,
        name=body.name(part),
        filename=file_name(part),
        content_type=part.header("content-type"),
        size=len(part.content),
        headers=part.headers[:50] if room > 0 else [],
        text=shown,
        image=image.describe(part.content),
        truncated=text is not None and (not text.whole or len(shown or "") < len(text.text)),
    )
    return shape, text.notice if text and room > 0 else None
