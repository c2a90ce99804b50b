"""Lists: newest first, a page at a time. A cursor is the id of the last row that was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

from hookbin.clock import parse_seq_id
from hookbin.errors import FieldsInvalid
from hookbin.web.api.shapes import Page

Row = TypeVar("Row")
Shape = TypeVar("Shape")
Limit = Annotated[int, Meta(ge=1, le=250, description="Rows on a page.")]
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


def after(rows: Sequence[Row], *, cursor: str | None, id_of: Callable[[Row], str]) -> Sequence[Row]:
    """Those of `rows` that come behind the one the cursor names."""
    if cursor is None:
        return rows
    for index, row in enumerate(rows):
        if id_of(row) == cursor:
            return rows[index + 1 :]
    raise bad_cursor()


def seq_cursor(prefix: str, cursor: str | None) -> int | None:
    """The `seq` in a cursor that is the id of a row of the log."""
    if cursor is None:
        return None
    seq = parse_seq_id(prefix, cursor)
    if seq is None:
        raise bad_cursor()
    return seq


def bad_cursor() -> FieldsInvalid:
    return FieldsInvalid(("cursor", "is not one that this list gave; leave it out to begin at the newest"))
