"""Captured requests as the JSON API gives them."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from hookbin.bodies.headline import headline
from hookbin.clock import rfc3339, seq_id
from hookbin.models.common import Pair
from hookbin.models.request_target import path_and_query
from hookbin.models.requests import CapturedRequest, Malformed, RequestSummary
from hookbin.names import MAX_NOTE
from hookbin.shapes.bins import Signing
from hookbin.shapes.common import SHOWN_BODY, Body, body_shape
from hookbin.shapes.events import EventInList
from hookbin.shapes.undo import Undo


class Answer(Struct, frozen=True, kw_only=True):
    status: int | None
    rule: str | None
    delay_ms: int
    fault: str | None
    error: str | None


class Signature(Struct, frozen=True, kw_only=True):
    state: Literal["ok", "failed", "unsigned", "unchecked"]
    scheme: str | None
    reason: str | None


class RequestRow(Struct, frozen=True, kw_only=True):
    """A captured request in a list: without headers and body."""

    id: str
    seq: int
    bin: str
    received_at: str
    method: str
    target: str
    path: str
    query: str | None
    http_version: str
    scheme: str
    client: str | None
    content_type: str | None
    size: int
    truncated: bool
    incomplete: bool
    declared_size: int | None
    answer: Answer | None
    signature: Signature
    attempt_id: str | None
    note: str | None
    pinned: bool
    malformed: Annotated[
        Malformed | None,
        Meta(description="Set for what is no HTTP: the body is then its bytes, and method and target are empty."),
    ]
    flags: Annotated[
        list[str], Meta(description="What is odd about a request that was taken: `host_repeated`, `host_malformed`.")
    ]
    headline: Annotated[
        str | UnsetType | None,
        Meta(
            description="What it is, in a line: `GitHub push · octavia/lighthouse`; null when nothing tells. "
            "Not in lists of the API, and on the stream only for `headlines`."
        ),
    ] = UNSET


class RequestChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays."""

    note: Annotated[
        Annotated[str, Meta(min_length=1, max_length=MAX_NOTE)] | UnsetType | None,
        Meta(description="A line of text; null takes it away."),
    ] = UNSET
    pinned: Annotated[bool | UnsetType, Meta(description="Pinned requests are not trimmed; at most 100 of a bin.")] = (
        UNSET
    )


class RequestGone(Struct, frozen=True, kw_only=True):
    """Said on the stream of a captured request that was deleted."""

    id: str
    bin: str
    deleted: bool = True
    request_count: int
    """What the bin holds now."""


class Deleted(Struct, frozen=True, kw_only=True):
    """How many were deleted; `next_cursor` is null when none is left to look at."""

    deleted: int
    next_cursor: str | None
    undo: Undo | UnsetType = UNSET
    """How it can be undone, if that was asked for and any was deleted."""


class RequestShape(RequestRow, frozen=True, kw_only=True):
    headers: list[Pair]
    trailers: list[Pair]
    body: Body


MIN_REPLAYS = 1
MAX_REPLAYS = 20
"""How often one request is sent on at once."""


class ReplayChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent in the place of what came; what is left out stays as it came."""

    method: str | None = None
    path: Annotated[str | None, Meta(description="What is added to the destination's path: `/…`, or nothing.")] = None
    query: Annotated[str | None, Meta(description="Without `?`; an empty one takes it away.")] = None
    headers: Annotated[list[Pair] | None, Meta(description="All of them: those that came go.")] = None
    body: Annotated[str | None, Meta(description="As text, in UTF-8.")] = None
    body_base64: Annotated[str | None, Meta(description="Its bytes, in place of `body`.")] = None


class NewReplay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To a `destination`, or to a `webhook`; one of them."""

    destination: Annotated[
        str | None, Meta(description="An http or https URL; path and query below the bin are added.")
    ] = None
    webhook: Annotated[str | None, Meta(description="The id of a registered webhook.")] = None
    signature: Annotated[Signing, Meta(description="As it came, or made anew.")] = "original"
    secret: Annotated[
        str | None,
        Meta(
            description="`whsec_…` to sign anew with; without one that of the bin's `verify`, or of the "
            "webhook that had sent it."
        ),
    ] = None
    times: Annotated[int, Meta(ge=MIN_REPLAYS, le=MAX_REPLAYS)] = 1
    changes: ReplayChanges | None = None
    retry_schedule: Annotated[
        str | list[float] | None, Meta(description="Of a `destination`: seconds before each retry; none by default.")
    ] = None


class Replayed(Struct, frozen=True, kw_only=True):
    """The events that were made, one for each time."""

    request_id: str
    events: list[EventInList]


def request_row(request: RequestSummary, *, headline: str | UnsetType | None = UNSET) -> RequestRow:
    return RequestRow(**request_fields(request), headline=headline)


def request_shape(request: CapturedRequest, *, limit: int = SHOWN_BODY) -> RequestShape:
    return RequestShape(
        **request_fields(request),
        headline=headline(request.headers, request.body),
        headers=list(request.headers),
        trailers=list(request.trailers),
        body=body_shape(request.body, truncated=request.truncated, size=request.size, limit=limit),
    )


def request_fields(request: RequestSummary) -> dict[str, Any]:
    """The fields of a `RequestRow`: the stream encodes them as they are, which takes half the time."""
    path, query = path_and_query(request.target)
    return {
        "id": seq_id("req_", request.seq),
        "seq": request.seq,
        "bin": request.bin_id,
        "received_at": rfc3339(request.received_at),
        "method": request.method,
        "target": request.target,
        "path": path,
        "query": query,
        "http_version": request.http_version,
        "scheme": request.scheme,
        "client": request.client,
        "content_type": request.content_type,
        "size": request.size,
        "truncated": request.truncated,
        "incomplete": request.incomplete,
        "declared_size": request.declared_size,
        "answer": _answer(
            request.answer_status,
            request.answer_rule,
            request.answer_delay_ms,
            request.answer_fault,
            request.answer_error,
        ),
        "signature": _signature(request.signature, request.signature_scheme, request.signature_reason),
        "attempt_id": request.attempt_id,
        "note": request.note,
        "pinned": request.pinned,
        "malformed": request.malformed,
        "flags": list(request.flags),
    }


@lru_cache(maxsize=256)
def _answer(status: int | None, rule: str | None, delay_ms: int, fault: str | None, error: str | None) -> Answer | None:
    """None when nothing was answered because the sender was gone."""
    if status is None and fault is None:
        return None
    return Answer(status=status, rule=rule, delay_ms=delay_ms, fault=fault, error=error)


@lru_cache(maxsize=256)
def _signature(state: Any, scheme: str | None, reason: str | None) -> Signature:
    return Signature(state=state, scheme=scheme, reason=reason)
