"""Undoing what was deleted with `?undo=`."""

from __future__ import annotations

from starlette.responses import Response

from hookbin.models.pending_deletions import PendingDeletion
from hookbin.shapes.undo import Undoable, undo_shape
from hookbin.web.rest.route import Call


async def undo(call: Call[None, None]) -> None:
    """Undo a deletion.

    One that was asked for with `?undo=`, as long as it is not carried out; everything is there again.
    """
    await call.stores.pending_deletions.undo(call.path["undo"])


def answer(pending: PendingDeletion | None) -> Undoable | Response:
    """How it can be undone; nothing for what can't be."""
    return Response(status_code=204) if pending is None else Undoable(undo=undo_shape(pending))
