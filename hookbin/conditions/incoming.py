"""A request as conditions and handshakes look at it: what is costly is read when it is asked for, and once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes

from hookbin.bodies import limits
from hookbin.bodies.charsets import FieldDecoder
from hookbin.bodies.forms import MAX_PAIRS, query_pairs
from hookbin.bodies.json_values import NOTHING
from hookbin.bodies.reading import Reading
from hookbin.bodies.views.words import is_shown_as_sent
from hookbin.models.common import Headers
from hookbin.models.request_target import below_the_bin, path_and_query
from hookbin.models.requests import CapturedRequest
from hookbin.text import wire

SEARCHED_BODY = 64 * 1024
"""Bytes of a body, unpacked, that a text is looked for in."""
MAX_JSON = limits.READ
"""Bytes of a body that is read as JSON while its sender waits; a larger one matches no JSON path."""
_ECHOABLE = re.compile(r"[\x20-\x7e\x80-\xff]{1,4096}")


class Incoming:
    """A request on its way in, or a captured one. `target` and `headers` are as they came, in latin-1."""

    def __init__(
        self,
        *,
        method: str = "",
        target: str,
        headers: Headers = (),
        body: bytes = b"",
        cut: bool = False,
        trailers: Headers = (),
    ) -> None:
        self.method = method
        self.target = target
        self.fields = headers
        self.body = body
        self._cut = cut
        self._trailers = trailers

    @cached_property
    def path(self) -> str:
        """Below the bin, decoded, `/` at least."""
        return decoded_path(below_the_bin(path_and_query(self.target)[0])) or "/"

    @property
    def query_string(self) -> str:
        return path_and_query(self.target)[1] or ""

    @cached_property
    def headers(self) -> Mapping[str, list[str]]:
        return _by_name((name.lower(), wire(value)) for name, value in self.fields)

    @cached_property
    def query(self) -> Mapping[str, list[str]]:
        """Empty when there are more than `MAX_PAIRS` of them."""
        pairs = self.query_string
        return _by_name(query_pairs(pairs)) if pairs.count("&") < MAX_PAIRS else {}

    @cached_property
    def reading(self) -> Reading:
        return Reading(self.body, self.fields, cut=self._cut, most=limits.READ)

    @cached_property
    def beginning(self) -> Reading:
        """The part of the body that is searched."""
        start = self.body[:SEARCHED_BODY]
        return Reading(start, self.fields, cut=self._cut or len(start) < len(self.body), most=SEARCHED_BODY)

    @cached_property
    def headers_text(self) -> str:
        """As a page shows them and the trailers, a line each."""
        text = "\n".join([f"{name}: {value}" for name, value in (*self.fields, *self._trailers)])
        return text if text.isascii() else "\n".join(map(wire, text.split("\n")))

    @cached_property
    def is_shown_as_sent(self) -> bool:
        return is_shown_as_sent(self.body[:SEARCHED_BODY], self.headers_text)

    @property
    def goes_on(self) -> bool:
        """Whether there is more of the body than what is searched."""
        return self._cut or len(self.body) > SEARCHED_BODY or (not self.is_shown_as_sent and self.beginning.cut)

    @property
    def json(self) -> Any:
        """The JSON in the body; `NOTHING` when there is none, or it is too large."""
        return NOTHING if len(self.body) > MAX_JSON else self.reading.json

    @cached_property
    def form(self) -> Mapping[str, list[str]]:
        return _by_name(self.reading.fields)

    def header(self, name: str) -> str | None:
        """The first of that name, in lower case."""
        return next(iter(self.headers.get(name, ())), None)

    def echoable(self, name: str) -> str | None:
        """The header's values in latin-1, to be sent back; None without any, or with odd characters in it."""
        value = ", ".join(value for field, value in self.fields if field.lower() == name)
        return value if _ECHOABLE.fullmatch(value) else None

    def parameter(self, name: str) -> str | None:
        """The first of that name in the query, in capitals or not."""
        return next((values[0] for known, values in self.query.items() if known.lower() == name.lower()), None)


def captured(request: CapturedRequest) -> Incoming:
    return Incoming(
        method=request.method,
        target=request.target,
        headers=request.headers,
        body=request.body,
        cut=request.truncated or request.incomplete,
        trailers=request.trailers,
    )


def decoded_path(path: str) -> str:
    """A path, kept in latin-1, with its `%xx` read: as UTF-8, else as windows-1252."""
    return FieldDecoder()(unquote_to_bytes(path.encode("latin-1")))


def _by_name(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
