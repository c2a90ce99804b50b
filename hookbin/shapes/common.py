"""What more than one noun of the API is made of."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")


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
