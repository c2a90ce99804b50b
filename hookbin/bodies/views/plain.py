"""The plain looks at a body: as text, as the source of HTML, in hex."""

from __future__ import annotations

import re

from hookbin.bodies import limits
from hookbin.bodies.charsets import text_from
from hookbin.bodies.match import Match
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View, place_of
from hookbin.text import size_text

_HTML = re.compile(r"\s{0,1000}<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)


def text_fit(reading: Reading) -> Match:
    return Match.ALWAYS if reading.body and reading.text is not None else Match.NO


def text_view(reading: Reading) -> View | None:
    return _text(reading, "text", "Text", None)


def html_fit(reading: Reading) -> Match:
    if reading.text is None:
        return Match.NO
    if reading.media_type in ("text/html", "application/xhtml+xml"):
        return Match.DECLARED
    return Match.LOOKS if _HTML.match(reading.text.text) else Match.NO


def html_view(reading: Reading) -> View | None:
    """Its source; nothing of it is ever rendered."""
    return _text(reading, "html", "HTML source", "html")


def _text(reading: Reading, name: str, title: str, language: str | None) -> View | None:
    text = reading.text
    if text is None:
        return None
    start = reading.start
    shown, more = text.text[: limits.SHOWN], len(text.text) > limits.SHOWN or not text.whole
    if start:
        shown, more = text_from(reading.body, text, start, most=limits.SHOWN)
    notices = [text.notice] if text.notice else []
    if start:
        notices.append(f"Characters {start + 1:,} to {start + len(shown):,}{', and there are more' if more else ''}.")
    elif more:
        notices.append(_first(limits.SHOWN, len(reading.body)))
    return View(
        name=name,
        title=title,
        text=shown,
        language=language,
        truncated=more or start > 0,
        notice=" ".join(notices) or None,
        place=place_of(start, limits.SHOWN, more=more),
    )


def hex_fit(reading: Reading) -> Match:
    return Match.ALWAYS if reading.body else Match.NO


def hex_view(reading: Reading) -> View | None:
    return _hex(reading.body, "hex", "Hex", reading.start)


def sent_fit(reading: Reading) -> Match:
    return Match.MAYBE if reading.unpacked.encodings else Match.NO


def sent_view(reading: Reading) -> View | None:
    """The bytes before decompression."""
    return _hex(reading.sent, "sent", "Hex as it came", reading.start)


def _hex(body: bytes, name: str, title: str, start: int) -> View:
    piece, more = body[start : start + limits.HEX], len(body) > start + limits.HEX
    notice = f"Bytes {start:,} to {start + len(piece):,} of {len(body):,}." if start else None
    return View(
        name=name,
        title=title,
        text=hex_dump(piece, start),
        truncated=more or start > 0,
        notice=_first(limits.HEX, len(body)) if more and not start else notice,
        place=place_of(start, limits.HEX, more=more),
    )


def hex_dump(data: bytes, start: int = 0) -> str:
    """Offset, sixteen bytes and their ASCII on each line."""
    return "\n".join(_hex_line(start + offset, data[offset : offset + 16]) for offset in range(0, len(data), 16))


def _hex_line(offset: int, chunk: bytes) -> str:
    digits = f"{chunk[:8].hex(' ')}  {chunk[8:].hex(' ')}"
    printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in chunk)
    return f"{offset:08x}  {digits:<48}  {printable}"


def _first(shown: int, length: int) -> str:
    return f"The first {size_text(shown)} of {size_text(length)} are shown."
