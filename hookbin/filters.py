"""Which captured requests somebody looks for, and what of one is not as wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from hookbin.models import SECOND, Headers

SEARCHED_BODY = 64 * 1024
"""Bytes of a body, from its beginning, that a text is looked for in."""

_AGO = re.compile(r"-(\d{1,9})([smhd])")
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
_STATUS = re.compile(r"[1-5]xx|[1-5]\d\d|none", re.IGNORECASE)


class HeaderWanted(Struct, frozen=True):
    name: str
    """In lower case."""
    value: str | None
    """None for any."""


class RequestFilter(Struct, frozen=True, kw_only=True):
    """What a request must be like; what is None or empty is not looked at."""

    methods: tuple[str, ...] = ()
    statuses: tuple[tuple[int, int], ...] = ()
    """First and last of each range of answers; `(0, 0)` stands for those that got none."""
    since: int | None = None
    """Received then or later, µs."""
    until: int | None = None
    """Received before, µs."""
    signature: str | None = None
    pinned: bool | None = None
    attempt_id: str | None = None
    headers: tuple[HeaderWanted, ...] = ()
    text: str | None = None
    """In any case: somewhere in target, headers or the first `SEARCHED_BODY` of the body."""


NO_FILTER = RequestFilter()


class Body(Protocol):
    def __call__(self, size: int) -> bytes:
        """So many bytes of the body's beginning."""


def is_wanted(filter: RequestFilter, *, target: str, headers: Headers, body: Body) -> bool:
    """Whether the parts that only a look into the request shows are as wanted. The body is read last, if at all."""
    if any(not has_header(wanted, headers) for wanted in filter.headers):
        return False
    return filter.text is None or has_text(filter.text, target=target, headers=headers, body=body)


def has_header(wanted: HeaderWanted, headers: Headers) -> bool:
    return any(name.lower() == wanted.name and wanted.value in (None, value) for name, value in headers)


def has_text(text: str, *, target: str, headers: Headers, body: Body) -> bool:
    found = finder(text)
    return any(map(found, _before_body(target, headers))) or found(body(SEARCHED_BODY))


def _before_body(target: str, headers: Headers) -> Iterator[bytes]:
    raw = target.encode("latin-1")
    yield raw
    if b"%" in raw:
        yield unquote_to_bytes(raw)
    yield "\n".join(f"{name}: {value}" for name, value in headers).encode("latin-1")


class Finder(Protocol):
    def __call__(self, content: bytes) -> bool: ...


def finder(text: str) -> Finder:
    """What tells whether bytes hold `text`, in capitals or not; other letters than ASCII are read as UTF-8."""
    folded = text.casefold()
    if text.isascii():
        needle = folded.encode()
        return lambda content: needle in content.lower()
    return lambda content: folded in content.decode(errors="replace").casefold()


def parse_statuses(text: str) -> tuple[tuple[int, int], ...]:
    """`404,5xx,none` as ranges. Raises `ValueError`."""
    ranges = []
    for word in text.lower().split(","):
        if _STATUS.fullmatch(word) is None:
            raise ValueError(f"{word[:40]!r} is not a status; write 404, 4xx, none, or several with commas")
        if word == "none":
            ranges.append((0, 0))
        elif word.endswith("xx"):
            ranges.append((int(word[0]) * 100, int(word[0]) * 100 + 99))
        else:
            ranges.append((int(word), int(word)))
    return tuple(ranges)


def parse_ago(text: str) -> int | None:
    """Microseconds that `-90s`, `-5m`, `-2h` or `-1d` lie back; None for anything else."""
    match = _AGO.fullmatch(text)
    return None if match is None else int(match[1]) * _UNITS[match[2]]
