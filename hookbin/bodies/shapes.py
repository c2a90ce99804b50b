"""Views of a body as the JSON API gives them, and as the pages draw them."""

from __future__ import annotations

from msgspec import Struct

from hookbin.models.common import Pair


class BrokenAt(Struct, frozen=True, kw_only=True):
    """Where a syntax error is. Lines and columns count from 1, in characters; `offset` counts bytes from 0."""

    message: str
    line: int
    column: int
    offset: int
    before: str
    """The text that leads up to it."""
    after: str
    """The text from there on."""


class ViewField(Struct, frozen=True, kw_only=True):
    """A field of a form. `json` is its value laid out, when that is JSON."""

    name: str
    value: str
    truncated: bool
    json: str | None = None


class ViewImage(Struct, frozen=True, kw_only=True):
    """An image, served by `/requests/{id}/image`. Sizes are in pixels, null when they could not be read."""

    media_type: str
    width: int | None
    height: int | None
    drawable: bool
    """False when it is too large to be drawn safely."""


class ViewPart(Struct, frozen=True, kw_only=True):
    """A part of a multipart body; `/requests/{id}/parts/{number}` downloads it. `text` is how it begins."""

    number: int
    name: str | None
    filename: str | None
    content_type: str | None
    size: int
    headers: list[Pair]
    text: str | None
    truncated: bool
    image: ViewImage | None = None
    """What `/requests/{id}/image?part={number}` draws."""


class ViewToken(Struct, frozen=True, kw_only=True):
    """A JSON Web Token, decoded and not verified: anybody can write one."""

    where: str
    header: str
    payload: str
    notes: list[str]


class Place(Struct, frozen=True, kw_only=True):
    """Where a page of a body begins, and those before and behind it: in characters of the text, in bytes of a dump."""

    start: int
    previous: int | None
    next: int | None


class View(Struct, frozen=True, kw_only=True):
    """One way to read a body. `text` is plain text, never markup; `truncated` says that it is not all."""

    name: str
    title: str
    notice: str | None = None
    truncated: bool = False
    place: Place | None = None
    """Which page of a body this is, where it has several."""
    text: str | None = None
    language: str | None = None
    """What `text` is written in: `json`, `xml` or `html`."""
    broken: BrokenAt | None = None
    fields: list[ViewField] = []
    parts: list[ViewPart] = []
    tokens: list[ViewToken] = []
    image: ViewImage | None = None


def place_of(start: int, step: int, *, more: bool) -> Place | None:
    """None for a body that is one page."""
    if not start and not more:
        return None
    return Place(start=start, previous=max(0, start - step) if start else None, next=start + step if more else None)


class Views(Struct, frozen=True, kw_only=True):
    """All views that apply, the best first. `encodings` lists the compressions that were undone, in that order."""

    data: list[View]
    encodings: list[str]
    decoded_size: int
    """Bytes that the views were made of."""
