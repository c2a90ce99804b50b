"""The query parameters by which captured requests are looked for."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from hookbin.clock import parse_rfc3339
from hookbin.errors import FieldsInvalid
from hookbin.filters import HeaderWanted, RequestFilter, parse_ago, parse_statuses

_TIME = "2026-11-24T06:00:00Z (RFC 3339), or how long ago: -90s, -5m, -2h, -1d"


class FilterQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    q: Annotated[
        Annotated[str, Meta(min_length=1, max_length=256)] | None,
        Meta(description="Text, in capitals or not, in the target, the headers or the first 64 KiB of the body."),
    ] = None
    method: Annotated[
        Annotated[str, Meta(min_length=1, max_length=256)] | None,
        Meta(description="A method, or several with commas."),
    ] = None
    status: Annotated[
        Annotated[str, Meta(min_length=1, max_length=256)] | None,
        Meta(description="What it was answered with: 404, 4xx, none, or several with commas."),
    ] = None
    since: Annotated[str | None, Meta(description=f"Received then or later: {_TIME}.")] = None
    until: Annotated[str | None, Meta(description=f"Received before: {_TIME}.")] = None
    header: Annotated[
        Annotated[list[Annotated[str, Meta(min_length=1, max_length=1024)]], Meta(max_length=20)],
        Meta(description="`name`, or `name:value`; may be given more than once, then all must be there."),
    ] = []
    signature: Annotated[
        Literal["ok", "failed", "unsigned", "unchecked"] | None, Meta(description="How its signature was found.")
    ] = None
    pinned: Annotated[bool | None, Meta(description="Whether it is pinned.")] = None
    attempt: Annotated[str | None, Meta(description="The attempt of ours that it came from.")] = None


def to_filter(query: FilterQuery, *, now: int) -> RequestFilter:
    """Raises `FieldsInvalid`."""
    try:
        statuses = () if query.status is None else parse_statuses(query.status)
    except ValueError as error:
        raise FieldsInvalid(("status", str(error))) from error
    return RequestFilter(
        methods=() if query.method is None else tuple(method for method in query.method.split(",") if method),
        statuses=statuses,
        since=_time("since", query.since, now=now),
        until=_time("until", query.until, now=now),
        signature=query.signature,
        pinned=query.pinned,
        attempt_id=query.attempt,
        headers=tuple(_header(text) for text in query.header),
        text=query.q,
    )


def _time(loc: str, text: str | None, *, now: int) -> int | None:
    if text is None:
        return None
    ago = parse_ago(text)
    time = parse_rfc3339(text) if ago is None else now - ago
    if time is None:
        plus = "; in a URL write %2B for +" if " " in text else ""
        raise FieldsInvalid((loc, f"is no time; write {_TIME}{plus}"))
    return time


def _header(text: str) -> HeaderWanted:
    name, colon, value = text.partition(":")
    return HeaderWanted(name.strip().lower(), value.strip() if colon else None)
