"""A large body as a string of JSON, piece by piece: who encodes one holds the interpreter's lock until it is done."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

_PIECE = 192 * 1024
"""Bytes of a body that are taken at once: a multiple of three, so that their base64 can be put together."""
_MARK = b"\0"
"""Stands where the string belongs; no JSON has it (RFC 8259, 7)."""
_decoder = codecs.getincrementaldecoder("utf-8")


class JsonBody:
    """Its text when it is UTF-8, else its base64. What it is a part of has `place` where it is to stand."""

    place = msgspec.Raw(_MARK)

    def __init__(self, body: bytes) -> None:
        self.size = len(body)
        self.kind: Literal["text", "base64"] = "text"
        try:
            self._pieces = [msgspec.json.encode(piece)[1:-1] for piece in text_pieces(body)]
        except UnicodeDecodeError:
            self.kind = "base64"
            self._pieces = base64_pieces(body)

    def written_in(self, shape: Any) -> list[bytes]:
        """The shape in JSON, with the body in its place if it has one: one piece, or several of a large body."""
        before, mark, behind = msgspec.json.encode(shape).partition(_MARK)
        whole = [before + b'"', *self._pieces, b'"' + behind] if mark else [before]
        return whole if len(self._pieces) > 1 else [b"".join(whole)]


def text_pieces(body: bytes) -> Iterator[str]:
    """Raises `UnicodeDecodeError` for what is no UTF-8, at the end at last."""
    decode = _decoder().decode
    for piece in _cut(body):
        yield decode(piece)
    decode(b"", final=True)


def base64_pieces(body: bytes) -> list[bytes]:
    return [base64.b64encode(piece) for piece in _cut(body)]


def _cut(body: bytes) -> Iterator[bytes]:
    return (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))
