"""Captured requests as the JSON API gives them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from hookbin.models.common import Pair
from hookbin.names import MAX_NOTE
from hookbin.shapes.bins import Signing
from hookbin.shapes.common import Body
from hookbin.shapes.events import EventInList


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


class RequestShape(RequestRow, frozen=True, kw_only=True):
    headers: list[Pair]
    trailers: list[Pair]
    body: Body


MIN_REPLAYS = 1
MAX_REPLAYS = 20
"""How often one request is sent on at once."""


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
    retry_schedule: Annotated[
        str | list[float] | None, Meta(description="Of a `destination`: seconds before each retry; none by default.")
    ] = None


class Replayed(Struct, frozen=True, kw_only=True):
    """The events that were made, one for each time."""

    request_id: str
    events: list[EventInList]
