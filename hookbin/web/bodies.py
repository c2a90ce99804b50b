"""A body as a person reads it: JSON laid out, text as text, anything else as a hex dump, all with limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape
from msgspec import Struct
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.data import JsonLexer

from hookbin.web.writing import reveal, size_text

SHOWN_TEXT = 64 * 1024
SHOWN_BINARY = 4 * 1024
FORMATTED_JSON = 256 * 1024
"""Bytes up to which JSON is laid out, and characters that this may lead to."""


class BodyView(Struct, frozen=True, kw_only=True):
    """A body as a person reads it."""

    kind: str
    """`empty`, `json`, `text` or `binary`."""
    size: int
    text: Markup = Markup()
    notice: str | None = None
    """Says so when not all is shown."""


def body_view(body: bytes, *, size: int | None = None, content_type: str | None = None) -> BodyView:
    """Laid out when it is JSON, as text when it is text, else as a hex dump; cut where it gets long."""
    size = len(body) if size is None else size
    if not body:
        return BodyView(kind="empty", size=size)
    text = _decoded(body, content_type)
    if text is None:
        notice = _cut_notice(SHOWN_BINARY, len(body))
        return BodyView(kind="binary", size=size, text=escape(hex_dump(body[:SHOWN_BINARY])), notice=notice)
    laid_out = indented(text) if len(body) <= FORMATTED_JSON else None
    if laid_out is None:
        notice = _cut_notice(SHOWN_TEXT, len(text))
        return BodyView(kind="text", size=size, text=reveal(text[:SHOWN_TEXT]), notice=notice)
    colored = Markup(highlight(laid_out[:SHOWN_TEXT], _JSON, _SPANS))  # noqa: S704 - Pygments escapes it
    return BodyView(kind="json", size=size, text=reveal(colored), notice=_cut_notice(SHOWN_TEXT, len(laid_out)))


_JSON = JsonLexer(stripnl=False, ensurenl=False)
_SPANS = HtmlFormatter(nowrap=True)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+0-9.eE]+|true|false|null|[][{}:,]')


def indented(text: str) -> str | None:
    """JSON laid out over lines, each token kept as it was written; None when it is not JSON."""
    try:
        if not isinstance(json.loads(text, parse_constant=_refuse), dict | list):
            return None
    except (ValueError, RecursionError):
        return None
    pieces: list[str] = []
    length = 0
    for piece in _laid_out(_TOKEN.findall(text)):
        pieces.append(piece)
        length += len(piece)
        if length > FORMATTED_JSON:
            return None
    return "".join(pieces)


def _refuse(constant: str) -> None:
    """`NaN` and its like are Python's, not JSON's."""
    raise ValueError(constant)


def _laid_out(tokens: Sequence[str]) -> Iterator[str]:
    depth = 0
    for place, word in enumerate(tokens):
        if word in "}]" and tokens[place - 1] not in "{[":
            depth -= 1
            yield "\n" + "  " * depth
        yield word
        if word in "{[":
            if tokens[place + 1] in "}]":
                continue
            depth += 1
            yield "\n" + "  " * depth
        elif word == ",":
            yield "\n" + "  " * depth
        elif word == ":":
            yield " "


def _decoded(body: bytes, content_type: str | None) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        if not (content_type or "").startswith("text/"):
            return None
        text = body.decode("latin-1")
    return None if "\0" in text else text


def hex_dump(data: bytes) -> str:
    return "\n".join(_hex_line(offset, data[offset : offset + 16]) for offset in range(0, len(data), 16))


def _hex_line(offset: int, chunk: bytes) -> str:
    digits = f"{chunk[:8].hex(' ')}  {chunk[8:].hex(' ')}"
    printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in chunk)
    return f"{offset:08x}  {digits:<48}  {printable}"


def _cut_notice(shown: int, length: int) -> str | None:
    return None if length <= shown else f"The first {size_text(shown)} of {size_text(length)} are shown."
