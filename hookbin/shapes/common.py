"""What more than one noun of the API is made of."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")
Pair = tuple[str, str]
"""A header, or a parameter: name and value."""


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list, newest first. `next_cursor` is null on the last."""

    data: list[T]
    next_cursor: str | None = None


class Body(Struct, frozen=True, kw_only=True):
    """Has `text` when the bytes are UTF-8, else `base64`."""

    size: int
    truncated: bool
    text: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET


class Gone(Struct, frozen=True, kw_only=True):
    """Said on the stream of a bin or webhook that was deleted."""

    id: str
    deleted: bool = True


class Status(Struct, frozen=True, kw_only=True):
    status: Literal["ok"] = "ok"


class FieldError(Struct, frozen=True, kw_only=True):
    loc: str
    msg: str


class NearMiss(Struct, frozen=True, kw_only=True):
    """A captured request that was not as wanted."""

    id: str
    method: str
    target: str
    failed: list[str]
    """Each condition that it does not meet, and what it has instead."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. `code` is stable and listed in docs/errors.md."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []
    nearest: list[NearMiss] = []
