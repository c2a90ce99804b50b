"""Deletions that can be undone, as the JSON API takes and gives them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from hookbin.clock import rfc3339
from hookbin.models.pending_deletions import MAX_UNDO, PendingDeletion

Seconds: TypeAlias = Annotated[
    Annotated[int, Meta(ge=1, le=MAX_UNDO)] | None,
    Meta(description="Seconds for which it can be undone: it is hidden at once, and deleted then. At once without."),
]


class UndoQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    undo: Seconds = None


class Undo(Struct, frozen=True, kw_only=True):
    id: Annotated[str, Meta(description="`POST /undo/{id}` undoes it.")]
    until: Annotated[str, Meta(description="When it is carried out.")]


class Undoable(Struct, frozen=True, kw_only=True):
    """What was deleted can come back for a while."""

    undo: Undo


def undo_shape(pending: PendingDeletion) -> Undo:
    return Undo(id=pending.id, until=rfc3339(pending.due))
