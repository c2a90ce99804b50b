"""Images, known by their first bytes. SVG is not among them: it can hold script, and is shown as XML."""

from __future__ import annotations

from collections.abc import Callable

from hookbin.bodies import limits
from hookbin.bodies.match import Match
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View, ViewImage

Size = tuple[int, int]


def image_fit(reading: Reading) -> Match:
    return Match.DECLARED if media_type(reading.body) else Match.NO


def media_type(body: bytes) -> str | None:
    """By the marks of PNG, GIF89a, JFIF and WebP; None for everything else."""
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if body[:4] == b"RIFF" and body[8:12] == b"WEBP" else None


def describe(body: bytes) -> ViewImage | None:
    kind = media_type(body)
    if kind is None:
        return None
    size = _SIZES[kind](body)
    drawable = size is not None and 0 < size[0] * size[1] <= limits.PIXELS
    return ViewImage(
        media_type=kind, width=size[0] if size else None, height=size[1] if size else None, drawable=drawable
    )


def image_view(reading: Reading) -> View | None:
    image = describe(reading.body)
    if image is None:
        return None
    notice = None
    if image.width is None:
        notice = "Its size can't be read, so it is not drawn; download it to look at it."
    elif not image.drawable:
        notice = f"It is too large to be drawn: the limit is {limits.PIXELS:,} pixels. Download it to look at it."
    return View(name="image", title="Image", image=image, notice=notice, truncated=reading.cut)


def _png(body: bytes) -> Size | None:
    return (_big(body[16:20]), _big(body[20:24])) if body[12:16] == b"IHDR" and len(body) >= 24 else None


def _gif(body: bytes) -> Size | None:
    return (_little(body[6:8]), _little(body[8:10])) if len(body) >= 10 else None


def _jpeg(body: bytes) -> Size | None:
    """The first frame header (SOF) among the first few hundred segments."""
    place = 2
    for _ in range(300):
        if len(body) < place + 9 or body[place] != 0xFF:
            return None
        marker, length = body[place + 1], _big(body[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _big(body[place + 7 : place + 9]), _big(body[place + 5 : place + 7])
        place += 1 if marker == 0xFF else 2 + length
    return None


def _webp(body: bytes) -> Size | None:
    kind, data = body[12:16], body[20:30]
    if len(data) < 10:
        return None
    if kind == b"VP8X":
        return 1 + _little(data[4:7]), 1 + _little(data[7:10])
    if kind == b"VP8L":
        bits = _little(data[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return (_little(data[6:8]) & 0x3FFF, _little(data[8:10]) & 0x3FFF) if kind == b"VP8 " else None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_SIZES: dict[str, Callable[[bytes], Size | None]] = {
    "image/png": _png,
    "image/gif": _gif,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
}
