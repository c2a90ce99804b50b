"""What the views of a body show, as text to be searched: however the sender spelled it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hookbin.bodies.multipart import file_name
from hookbin.bodies.reading import Reading
from hookbin.bodies.views.jwt import jwt_view

_SPELLS = b"\\%+\0\x1b"
"""What begins something that a view shows in another way."""
_ESCAPE = re.compile(r'((?:\\u[0-9a-fA-F]{4})+)|\\(["\\/bfnrt])')
_MEANS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def shown_texts(reading: Reading) -> Iterator[str]:
    """The text as it came, what its escapes mean, the fields and files of forms, what tokens hold."""
    text = reading.text
    if text is not None:
        yield from _spellings(text.text)
    if text is None or text.charset != "utf-8":
        yield reading.body.decode("utf-8", "replace")  # what can be read in hex
    for name, value in reading.fields:
        yield from _spellings(f"{name}={value}")
    for part in reading.multipart.parts if reading.multipart else ():
        yield file_name(part) or ""
    if b"eyJ" in reading.body or any("eyJ" in value for _, value in reading.headers):
        view = jwt_view(reading)
        for token in view.tokens if view else ():
            yield token.header
            yield token.payload


def is_shown_as_sent(body: bytes, headers: str) -> bool:
    """Whether no view of a body can show a text that is not in its bytes; a quick look that may say no for nothing."""
    named = headers.lower()
    if "content-encoding" in named or "charset" in named or "eyJ" in headers:
        return False
    return body.isascii() and b"eyJ" not in body and len(body.translate(None, _SPELLS)) == len(body)


def unescaped(text: str) -> str:
    """Text with the escapes of JSON undone, wherever they stand."""
    return _ESCAPE.sub(_meaning, text)


def _spellings(text: str) -> Iterator[str]:
    yield text
    if "\\" in text:
        yield unescaped(text)


def _meaning(match: re.Match[str]) -> str:
    if match[1]:
        return bytes.fromhex(match[1].replace("\\u", "")).decode("utf-16-be", "replace")
    return _MEANS.get(match[2], match[2])
