"""URL-encoded forms and queries taken apart: names and values in order, in the charset that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from hookbin.bodies import limits
from hookbin.bodies.charsets import FieldDecoder, known_charset
from hookbin.bodies.match import Match
from hookbin.bodies.media import parameters

FORM = "application/x-www-form-urlencoded"
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
"""Bytes that a form would have written as %xx."""
_FORM = re.compile(rb"[A-Za-z0-9_.*%\[\]+~:$-]{1,200}=[^\s<>{}\"]{0,2000}")
_CHARSET = re.compile(rb"(?:^|&)(_charset_|charset)=([\w.:-]{1,40})(?=&|$)", re.IGNORECASE)
"""What HTML puts into a form that asks for it (4.10.22.4), and what PayPal sends."""
_LONGEST = 4 * limits.SHOWN
"""Bytes of a name or value that are decoded."""
MAX_PAIRS = 1000
"""Parameters of a query that are read."""


class FormField(Struct, frozen=True):
    """A field. `end` is where the next one begins; `cut` says that it is not all of it."""

    name: str
    value: str
    cut: bool
    end: int


def form_match(body: bytes, media_type: str) -> Match:
    """How well a body suits being read as a form."""
    if not body or _BINARY.search(body, 0, limits.SHOWN):
        return Match.NO  # what curl sends of a file without a type says that it is a form
    if media_type == FORM:
        json_sent_by_curl = body[:1000].lstrip()[:1] in (b"{", b"[")
        return Match.MAYBE if json_sent_by_curl else Match.DECLARED
    if media_type in ("", "text/plain") and _FORM.match(body) and not re.search(rb"\s", body[:2000].strip()):
        return Match.MAYBE
    return Match.NO


class Form:
    """The fields of a form, read as they are asked for; `+` is a blank, `%xx` a byte."""

    def __init__(self, body: bytes, charsets: Sequence[str] = ()) -> None:
        self.size = min(len(body), limits.LOOKED_AT)
        self._body = body[: self.size]
        self._decode = FieldDecoder(*charsets)

    def __iter__(self) -> Iterator[FormField]:
        start = 0
        while start < self.size:
            end = self._body.find(b"&", start)
            end = self.size if end < 0 else end
            if end > start:
                name, _, value = self._body[start:end].partition(b"=")
                cut = len(name) > _LONGEST or len(value) > _LONGEST
                yield FormField(self._plain(name), self._plain(value), cut, end + 1)
            start = end + 1

    @property
    def notice(self) -> str | None:
        """How the fields that were read by now were decoded."""
        return self._decode.notice

    def _plain(self, encoded: bytes) -> str:
        return self._decode(unquote_to_bytes(encoded[:_LONGEST].replace(b"+", b" ")))


def query_pairs(query: str, *, most: int = MAX_PAIRS) -> list[tuple[str, str]]:
    """The first parameters of a query that is kept as latin-1."""
    form = Form("&".join(query.split("&", most)[:most]).encode("latin-1"))
    return [(field.name, field.value) for field in form]


def charsets_of(body: bytes, content_type: str) -> list[str]:
    """The names that it may be in, what HTML defines first; what is called `charset` may be anything."""
    inside = {
        name.lower(): value.decode("ascii", "replace") for name, value in _CHARSET.findall(body[: limits.LOOKED_AT])
    }
    named = [inside.get(b"_charset_"), parameters(content_type).get("charset"), inside.get(b"charset")]
    if named[2] is not None and known_charset(named[2]) is None:
        named.pop()
    return [name for name in named if name]
