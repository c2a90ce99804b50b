"""Captured requests as the JSON API gives them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from hookbin.web.api.shapes.common import Body, Pair


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


class RequestShape(RequestRow, frozen=True, kw_only=True):
    headers: list[Pair]
    trailers: list[Pair]
    body: Body
