"""Bins as the JSON API takes and gives them."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from hookbin.config import Age
from hookbin.web.api.shapes.common import Pair


class Response(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bin answers."""

    status: Annotated[int, Meta(ge=200, le=599, description="HTTP status.")] = 200
    headers: Annotated[list[Pair], Meta(max_length=50, description="Ordered pairs; duplicates are kept.")] = field(
        default_factory=lambda: [("content-type", "text/plain; charset=utf-8")]
    )
    body: Annotated[str, Meta(max_length=262_144, description="Sent as UTF-8.")] = "ok\n"
    delay_ms: Annotated[int, Meta(ge=0, le=30_000, description="Waits this long after the commit.")] = 0


class NewBin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str | None, Meta(description="`[a-z0-9][a-z0-9-]{0,62}`; without one the id is the address.")] = (
        None
    )
    response: Response | UnsetType = UNSET
    max_requests: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    max_age: Age | UnsetType | None = UNSET


class BinChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; null puts the default back."""

    name: str | UnsetType | None = UNSET
    response: Response | UnsetType | None = UNSET
    max_requests: Annotated[int, Meta(ge=1, le=1000000)] | UnsetType | None = UNSET
    max_age: Age | UnsetType | None = UNSET


class BinShape(Struct, frozen=True, kw_only=True):
    id: str
    name: str | None
    url: str
    created_at: str
    request_count: int
    response: Response
    max_requests: int
    max_age: int | None
