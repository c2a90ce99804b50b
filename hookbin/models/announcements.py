"""What is told after a commit."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from hookbin.models.bins import Bin
from hookbin.models.deliveries import AttemptSummary, Delivery
from hookbin.models.events import EventSummary
from hookbin.models.pending_deletions import DeletionUndone, PendingDeletion
from hookbin.models.requests import Opening, RequestSummary
from hookbin.models.webhooks import Webhook


class Removed(Struct, frozen=True, kw_only=True):
    """A bin or a webhook that is no more."""

    kind: str
    """`bin` or `webhook`."""
    id: str


class RequestChanged(Struct, frozen=True, kw_only=True):
    """A captured request whose note or pin was changed."""

    request: RequestSummary
    opening: Opening
    pinned: int
    """How many more pinned requests its bin holds now: 1, 0 or -1."""


class RequestsDeleted(Struct, frozen=True, kw_only=True):
    """Captured requests that are no more, or are hidden until their deletion is carried out.

    With a number below 0 they are there again, since that was undone.
    """

    bin_id: str
    count: int
    pinned: int
    """How many of them were pinned."""
    seq: int | None
    """The number of the one that was deleted by itself; None when several were."""
    complete: bool = False
    """Whether this was the last of several steps: whoever shows the bin's list loads it anew then."""


LogRow: TypeAlias = RequestSummary | EventSummary | AttemptSummary
"""What the one timeline is made of; the full types are kinds of their summaries."""
LOG_ROWS = (RequestSummary, EventSummary, AttemptSummary)
"""The same for `isinstance`, for which a union would be made anew at each call."""

Announcement: TypeAlias = (
    LogRow | Delivery | Bin | Webhook | Removed | RequestChanged | RequestsDeleted | PendingDeletion | DeletionUndone
)
"""What is told after a commit, in the order it was written."""
