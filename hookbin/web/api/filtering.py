"""The query parameters by which captured requests are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hookbin.bodies.json_values import NOTHING, read_json
from hookbin.clock import parse_rfc3339
from hookbin.conditions.filters import MAX_SEARCH, JsonValue, Pair, RequestFilter, parse_ago, parse_statuses
from hookbin.conditions.matching import complaints
from hookbin.errors import FieldsInvalid
from hookbin.models.answers import MAX_CONDITIONS, MAX_PATTERN, When
from hookbin.names import MAX_EVENT_TYPE

TIME = "2026-11-24T06:00:00Z (RFC 3339), or how long ago: -90s, -5m, -2h, -1d"
"""How a time is written."""
MAX_CONDITION = 1024
"""Characters of one `header`, `query` or `json`; a value may be longer than a rule's pattern."""
_Texts = Annotated[list[Annotated[str, Meta(min_length=1, max_length=MAX_CONDITION)]], Meta(max_length=MAX_CONDITIONS)]
_Words = Annotated[str, Meta(min_length=1, max_length=MAX_PATTERN)]
EventType = Annotated[
    Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_TYPE)] | None,
    Meta(description="The event's type; `*` stands for any characters."),
]


class FilterQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    q: Annotated[
        Annotated[str, Meta(min_length=1, max_length=MAX_SEARCH)] | None,
        Meta(
            description="Text, in capitals or not, as a page shows it of the target, the headers and the first 64 KiB"
            " of the body."
        ),
    ] = None
    method: Annotated[
        _Words | None,
        Meta(description="A method, or several with commas."),
    ] = None
    status: Annotated[
        _Words | None,
        Meta(description="What it was answered with: 404, 4xx, none, or several with commas."),
    ] = None
    since: Annotated[str | None, Meta(description=f"Received then or later: {TIME}.")] = None
    until: Annotated[str | None, Meta(description=f"Received before: {TIME}.")] = None
    path: Annotated[
        _Words | None,
        Meta(description="Pattern for what follows the bin: `*` within a segment, `**` across, `?` one character."),
    ] = None
    header: Annotated[
        _Texts,
        Meta(
            description="`name`, or `name:pattern`; may be given more than once, as `query` and `json`: all must hold."
        ),
    ] = []
    query: Annotated[_Texts, Meta(description="A parameter of its query: `name`, or `name:pattern`.")] = []
    json: Annotated[
        _Texts,
        Meta(
            description="A path into its JSON body, or `path==value`: `data.items[0].id==7`, `type==user.*`, "
            '`id=="7"`. A value that is no JSON, or a string of JSON, is a pattern for a string.'
        ),
    ] = []
    form: Annotated[_Texts, Meta(description="A field of its form, multipart too: `name`, or `name:pattern`.")] = []
    signature: Annotated[
        Literal["ok", "failed", "unsigned", "unchecked"] | None, Meta(description="How its signature was found.")
    ] = None
    pinned: Annotated[bool | None, Meta(description="Whether it is pinned.")] = None
    attempt: Annotated[str | None, Meta(description="The attempt of ours that it came from.")] = None


def to_filter(query: FilterQuery, *, now: int, after: int | None = None) -> RequestFilter:
    """Raises `FieldsInvalid`."""
    try:
        statuses = () if query.status is None else parse_statuses(query.status)
    except ValueError as error:
        raise FieldsInvalid(("status", str(error))) from error
    filter = RequestFilter(
        methods=() if query.method is None else _methods(query.method),
        statuses=statuses,
        since=parse_time("since", query.since, now=now),
        until=parse_time("until", query.until, now=now),
        signature=query.signature,
        pinned=query.pinned,
        attempt_id=query.attempt,
        after=after,
        path=query.path,
        headers=tuple(_pair(text.partition(":")[0].lower(), text) for text in query.header),
        query=tuple(_pair(text.partition(":")[0], text) for text in query.query),
        json=tuple(_json_value(text) for text in query.json),
        form=tuple(_pair(text.partition(":")[0], text) for text in query.form),
        text=query.q,
    )
    if found := list(_complaints(filter)):
        raise FieldsInvalid(*found)
    return filter


def _complaints(filter: RequestFilter) -> Iterator[tuple[str, str]]:
    """The same rules as those of a bin's answers."""
    yield from complaints(When(path=filter.path))
    for index, pair in enumerate(filter.headers):
        yield from _of("header", index, When(header={pair.name: pair.value or "*"}))
    for index, pair in enumerate(filter.query):
        yield from _of("query", index, When(query={pair.name: pair.value or "*"}))
    for index, pair in enumerate(filter.form):
        yield from _of("form", index, When(form={pair.name: pair.value or "*"}))
    for index, value in enumerate(filter.json):
        yield from _of("json", index, When(json={value.path: value.value}))


def _of(name: str, index: int, when: When) -> Iterator[tuple[str, str]]:
    for _, message in complaints(when):
        yield f"{name}[{index}]", message


def parse_time(loc: str, text: str | None, *, now: int) -> int | None:
    """A time as µs; None for none. Raises `FieldsInvalid`."""
    if text is None:
        return None
    ago = parse_ago(text)
    time = parse_rfc3339(text) if ago is None else now - ago
    if time is None:
        plus = "; in a URL write %2B for +" if " " in text else ""
        raise FieldsInvalid((loc, f"is no time; write {TIME}{plus}"))
    return time


def _methods(text: str) -> tuple[str, ...]:
    """As they are given, and in capitals: who writes `post` means POST, as in a rule. Raises `FieldsInvalid`."""
    given = [method.strip() for method in text.split(",") if method.strip()]
    if not given:
        raise FieldsInvalid(("method", "names no method; write POST, or several with commas"))
    return tuple(dict.fromkeys([*given, *map(str.upper, given)]))


def _pair(name: str, text: str) -> Pair:
    _, colon, value = text.partition(":")
    return Pair(name.strip(), value.strip() if colon else None)


def _json_value(text: str) -> JsonValue:
    path, equals, written = text.partition("==")
    if not equals:
        return JsonValue(path, "*")
    value = read_json(written)
    return JsonValue(path, written if value is NOTHING else value)
