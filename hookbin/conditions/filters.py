"""Which captured requests somebody looks for, and what of one is not as wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from hookbin.bodies.forms import query_pairs
from hookbin.bodies.views.words import shown_texts
from hookbin.conditions.incoming import MAX_JSON, SEARCHED_BODY, Incoming, decoded_path
from hookbin.conditions.matching import (
    SHOWN,
    Condition,
    form_condition,
    header_condition,
    json_condition,
    path_condition,
    query_condition,
    unmet,
)
from hookbin.models.common import SECOND
from hookbin.models.request_target import path_and_query
from hookbin.models.requests import RequestSummary
from hookbin.text import size_text, wire

MAX_SEARCH = 256
"""Characters of that text."""
_BEYOND = f" in the first {size_text(SEARCHED_BODY)}, and the body is longer"

_COLON = re.compile(r'":(?:\\ )*')
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
    form: tuple[Pair, ...] = ()
    text: str | None = None
    """In any case: somewhere in what a page shows of target, headers and the first `SEARCHED_BODY` of the body."""


NO_FILTER = RequestFilter()


def checks(filter: RequestFilter) -> tuple[Condition, ...]:
    """What only a look into the request can answer, the cheap first. Raises `ValueError` for a senseless JSON path."""
    return tuple(_checks(filter))


def _checks(filter: RequestFilter) -> Iterator[Condition]:
    if filter.path is not None:
        yield path_condition(filter.path)
    for pair in filter.headers:
        yield header_condition(pair.name, pair.value)
    for pair in filter.query:
        yield query_condition(pair.name, pair.value)
    for value in filter.json:
        yield json_condition(value.path, value.value)
    for pair in filter.form:
        yield form_condition(pair.name, pair.value)
    if filter.text is not None:
        yield _text_condition(filter.text)


def body_needed(filter: RequestFilter) -> int:
    """Bytes of a body, from its beginning, for its checks: one more than they read, to see that it goes on."""
    if filter.json or filter.form:
        return MAX_JSON + 1
    return 0 if filter.text is None else SEARCHED_BODY + 1


def text_place(text: str) -> Callable[[Incoming], str | None]:
    """What tells where a text stands, in capitals or not: in what a page shows of target, headers or body."""
    folded = text.casefold()
    laid_out = re.compile(_COLON.sub(r'"\\s*:\\s*', re.escape(folded))) if '":' in folded else None

    def has(shown: str) -> bool:
        shown = shown.casefold()
        return folded in shown or (laid_out is not None and laid_out.search(shown) is not None)

    def place(seen: Incoming) -> str | None:
        if has("\n".join(_target_texts(seen))):
            return "target"
        if has(seen.headers_text):
            return "headers"
        if seen.is_shown_as_sent:
            texts: Iterable[str] = (seen.body[:SEARCHED_BODY].decode("ascii"),)
        else:
            texts = shown_texts(seen.beginning)
        return "body" if any(map(has, texts)) else None

    return place


def _text_condition(text: str) -> Condition:
    place = text_place(text)
    return Condition(
        f"q {text}",
        lambda seen: place(seen) is not None,
        lambda seen: "it stands nowhere" + (_BEYOND if seen.goes_on else ""),
    )


def unsearched_words(longer: int) -> str | None:
    """What is to be said of bodies without the text that are longer than what was searched of them."""
    if not longer:
        return None
    are = "1 body without the text is" if longer == 1 else f"{longer:,} bodies without the text are"
    return f"The first {size_text(SEARCHED_BODY)} of each body were searched; {are} longer."


def _target_texts(seen: Incoming) -> Iterator[str]:
    yield wire(seen.target)
    if "%" in seen.target or "+" in seen.target:
        yield decoded_path(path_and_query(seen.target)[0])
        yield "&".join(f"{name}={value}" for name, value in query_pairs(seen.query_string))


def is_row_wanted(filter: RequestFilter, row: RequestSummary) -> bool:
    return not any(_complaints_about_row(filter, row))


def complaints(filter: RequestFilter, checks: Sequence[Condition], row: RequestSummary, seen: Incoming) -> list[str]:
    """Each condition that the request does not meet, and what it has instead."""
    return [*_complaints_about_row(filter, row), *unmet(checks, seen)]


def _complaints_about_row(filter: RequestFilter, row: RequestSummary) -> Iterator[str]:
    if filter.methods and row.method not in filter.methods:
        yield f"method {','.join(filter.methods)}: {row.method[:SHOWN]}"
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
