"""Which captured requests somebody looks for, and what of one is not as wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import msgspec
from msgspec import Struct

from hookbin.conditions.matching import MAX_JSON, NOTHING, Incoming, at, glob, json_path, path_glob, same
from hookbin.models.common import SECOND, Headers
from hookbin.models.request_target import below_the_bin, path_and_query
from hookbin.models.requests import RequestSummary

SEARCHED_BODY = 64 * 1024
"""Bytes of a body, from its beginning, that a text is looked for in."""
MAX_SEARCH = 256
"""Characters of that text."""
_SHOWN = 100
"""Characters of what was found instead that a complaint shows."""

_AGO = re.compile(r"-(\d{1,9})([smhd])")
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
_STATUS = re.compile(r"[1-5]xx|[1-5]\d\d|none", re.IGNORECASE)


class Pair(Struct, frozen=True):
    """A header or parameter, and a pattern for its value; None for any."""

    name: str
    value: str | None


class JsonValue(Struct, frozen=True):
    """A path into a JSON body, and what stands there: a pattern for a string, or another value."""

    path: str
    value: Any


class RequestFilter(Struct, frozen=True, kw_only=True):
    """What a request must be like; what is None or empty is not looked at."""

    methods: tuple[str, ...] = ()
    statuses: tuple[tuple[int, int], ...] = ()
    """First and last of each range of answers; `(0, 0)` stands for those that got none."""
    after: int | None = None
    """With a higher `seq`."""
    since: int | None = None
    """Received then or later, µs."""
    until: int | None = None
    """Received before, µs."""
    signature: str | None = None
    pinned: bool | None = None
    malformed: bool | None = None
    """Whether it is no HTTP."""
    attempt_id: str | None = None
    path: str | None = None
    """A glob over the path below the bin."""
    headers: tuple[Pair, ...] = ()
    query: tuple[Pair, ...] = ()
    json: tuple[JsonValue, ...] = ()
    text: str | None = None
    """In any case: somewhere in target, headers or the first `SEARCHED_BODY` of the body."""


NO_FILTER = RequestFilter()


class Candidate:
    """A captured request as conditions look at it; what is costly is read when it is asked for, and once."""

    def __init__(self, *, target: str, headers: Headers, body: Callable[[int], bytes]) -> None:
        self.target = target
        self.headers = headers
        self._body = body
        """Gives so many bytes of the body's beginning."""

    @cached_property
    def incoming(self) -> Incoming:
        path, query = path_and_query(self.target)
        below = unquote(below_the_bin(path).encode("latin-1").decode(errors="replace"))
        fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        return Incoming(method="", path=below or "/", query=query or "", headers=fields, body=b"")

    @cached_property
    def json(self) -> Any:
        return Incoming(method="", path="", query="", headers=(), body=self._body(MAX_JSON + 1)).json

    @cached_property
    def beginning(self) -> bytes:
        return self._body(SEARCHED_BODY)


class Check(Struct, frozen=True):
    """One condition that only a look into the request can answer."""

    name: str
    holds: Callable[[Candidate], bool]
    instead: Callable[[Candidate], str]
    """What is there, for people."""


def checks(filter: RequestFilter) -> tuple[Check, ...]:
    """The cheap ones first. Raises `ValueError` for a path into JSON that makes no sense."""
    return tuple(_checks(filter))


def _checks(filter: RequestFilter) -> Iterator[Check]:
    if filter.path is not None:
        match = path_glob(filter.path)
        yield Check(f"path {filter.path}", lambda seen: match(seen.incoming.path), lambda seen: seen.incoming.path)
    for pair in filter.headers:
        yield _pair_check("header", pair, lambda seen: seen.incoming.headers)
    for pair in filter.query:
        yield _pair_check("query", pair, lambda seen: seen.incoming.query)
    for value in filter.json:
        yield _json_check(value)
    if filter.text is not None:
        yield Check(f"q {filter.text}", _text_test(filter.text), lambda seen: "it stands nowhere")


def _pair_check(kind: str, pair: Pair, pairs: Callable[[Candidate], Mapping[str, list[str]]]) -> Check:
    match = glob("*" if pair.value is None else pair.value)
    wanted = pair.name if pair.value is None else f"{pair.name}:{pair.value}"
    return Check(
        f"{kind} {wanted}",
        lambda seen: any(map(match, pairs(seen).get(pair.name, ()))),
        lambda seen: ", ".join(pairs(seen).get(pair.name, ())) or "it is not there",
    )


def _json_check(wanted: JsonValue) -> Check:
    path = json_path(wanted.path)
    match = glob(wanted.value) if isinstance(wanted.value, str) else None

    def holds(seen: Candidate) -> bool:
        found = at(seen.json, path)
        if match is None:
            return same(found, wanted.value)
        return found is not NOTHING and (wanted.value == "*" or (isinstance(found, str) and match(found)))

    def instead(seen: Candidate) -> str:
        found = at(seen.json, path)
        return "it is not there" if found is NOTHING else msgspec.json.encode(found).decode()

    return Check(f"json {wanted.path}=={msgspec.json.encode(wanted.value).decode()}", holds, instead)


def _text_test(text: str) -> Callable[[Candidate], bool]:
    """In capitals or not; other letters than ASCII are read as UTF-8."""
    folded = text.casefold()
    needle = folded.encode() if text.isascii() else None

    def has(content: bytes) -> bool:
        return folded in content.decode(errors="replace").casefold() if needle is None else needle in content.lower()

    return lambda seen: any(map(has, _before_body(seen))) or has(seen.beginning)


def _before_body(seen: Candidate) -> Iterator[bytes]:
    raw = seen.target.encode("latin-1")
    yield raw
    if b"%" in raw:
        yield unquote_to_bytes(raw)
    yield "\n".join(f"{name}: {value}" for name, value in seen.headers).encode("latin-1")


def is_row_wanted(filter: RequestFilter, row: RequestSummary) -> bool:
    return not any(_complaints_about_row(filter, row))


def complaints(filter: RequestFilter, checks: Sequence[Check], row: RequestSummary, seen: Candidate) -> list[str]:
    """Each condition that the request does not meet, and what it has instead."""
    found = list(_complaints_about_row(filter, row))
    found += [f"{check.name}: {check.instead(seen)[:_SHOWN]}" for check in checks if not check.holds(seen)]
    return found


def _complaints_about_row(filter: RequestFilter, row: RequestSummary) -> Iterator[str]:
    if filter.methods and row.method not in filter.methods:
        yield f"method {','.join(filter.methods)}: {row.method[:_SHOWN]}"
    if filter.statuses and not any(low <= (row.answer_status or 0) <= high for low, high in filter.statuses):
        yield f"status: {row.answer_status or 'none'}"
    if filter.after is not None and row.seq <= filter.after:
        yield "after: it came before"
    if filter.since is not None and row.received_at < filter.since:
        yield "since: it came before"
    if filter.until is not None and row.received_at >= filter.until:
        yield "until: it came later"
    if filter.signature is not None and row.signature != filter.signature:
        yield f"signature {filter.signature}: {row.signature}"
    if filter.malformed is not None and (row.malformed is not None) != filter.malformed:
        yield "malformed: it is not" if filter.malformed else "malformed: it is"
    if filter.pinned is not None and row.pinned != filter.pinned:
        yield "pinned: it is not" if filter.pinned else "pinned: it is"
    if filter.attempt_id is not None and row.attempt_id != filter.attempt_id:
        yield f"attempt {filter.attempt_id}: {row.attempt_id or 'none'}"


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
