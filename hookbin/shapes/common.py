"""What more than one noun of the API is made of."""

from __future__ import annotations

import base64
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Generic, Literal, TypeVar, get_origin, get_type_hints

from msgspec import UNSET, Struct, UnsetType

from hookbin.clock import rfc3339

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list, newest first. `next_cursor` is null on the last."""

    data: list[T]
    next_cursor: str | None = None
    notice: str | UnsetType = UNSET
    """What a search did not look at, where there was such a thing."""


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


SHOWN_BODY = 256 * 1024
"""Bytes of a body that a JSON answer carries; all of it is at `/requests/{id}/body`."""


def time_or_none(value: int | None) -> str | None:
    return None if value is None else rfc3339(value)


def body_shape(body: bytes, *, truncated: bool = False, size: int | None = None, limit: int = SHOWN_BODY) -> Body:
    """`text` when the bytes are UTF-8, else `base64`; cut at `limit`."""
    size = len(body) if size is None else size
    shown = body[:limit]
    truncated = truncated or len(body) > limit
    try:
        text = shown.decode()
    except UnicodeDecodeError as error:
        if len(body) > limit and error.start > len(shown) - 4:  # the cut went through a character
            return Body(size=size, truncated=True, text=shown[: error.start].decode())
        return Body(size=size, truncated=truncated, base64=base64.b64encode(shown).decode())
    return Body(size=size, truncated=truncated, text=text)


def fields_of(model: type[Struct], shape: type[Struct]) -> Callable[[Struct], dict[str, Any]]:
    """What gives the fields that a shape shares with its model: times (`…_at`) as text, tuples as lists."""
    hints = get_type_hints(shape)
    names = tuple(name for name in shape.__struct_fields__ if hasattr(model, name))
    changes: list[tuple[str, Callable[[Any], Any]]] = [
        *((name, time_or_none) for name in names if name.endswith("_at")),
        *((name, list) for name in names if get_origin(hints[name]) is list),
    ]
    values = attrgetter(*names)

    def shared(row: Struct) -> dict[str, Any]:
        fields = dict(zip(names, values(row), strict=True))
        for name, change in changes:
            fields[name] = change(fields[name])
        return fields

    return shared
