"""Lists: newest first, a page at a time. A cursor names the last row given, and works when that row is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

from hookbin.clock import ALPHABET, parse_seq_id, seq_id
from hookbin.errors import FieldsInvalid
from hookbin.shapes.common import Page

MAX_ROWS = 250
"""Rows on a page."""
Row = TypeVar("Row")
Shape = TypeVar("Shape")
Limit = Annotated[int, Meta(ge=1, le=MAX_ROWS, description="Rows on a page.")]
Cursor = Annotated[str | None, Meta(description="`next_cursor` of the page before.")]


class PageQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: Limit = 50
    cursor: Cursor = None


def page(
    rows: Sequence[Row], *, limit: int, cursor_of: Callable[[Row], str], shape: Callable[[Row], Shape]
) -> Page[Shape]:
    """A page of `rows`, of which there is one more than `limit` when another page follows."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(data=[shape(row) for row in shown], next_cursor=cursor_of(shown[-1]) if more else None)


def number_cursor(prefix: str, number: int) -> str:
    """A cursor of a list that is in the order of a number."""
    return seq_id(prefix, number)


def before_number(prefix: str, cursor: str | None, *, loc: str = "cursor") -> int | None:
    """The number in such a cursor: the page goes on below it."""
    if cursor is None:
        return None
    number = parse_seq_id(prefix, cursor)
    if number is None:
        raise _bad_cursor() if loc == "cursor" else FieldsInvalid((loc, f"is no id of the kind {prefix}…"))
    return number


def before_id(prefix: str, cursor: str | None) -> str | None:
    """The id in a cursor of a list that is in the order of its ids: the page goes on below it."""
    if cursor is not None and re.fullmatch(f"{prefix}[{ALPHABET}]{{26}}", cursor) is None:
        raise _bad_cursor()
    return cursor


def _bad_cursor() -> FieldsInvalid:
    return FieldsInvalid(("cursor", "is not one that this list gave; leave it out to begin anew"))
