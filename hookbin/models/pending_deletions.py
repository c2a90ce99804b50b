"""A deletion that can still be undone."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

MAX_UNDO = 60
"""Seconds for which a deletion can be undone, at most."""


class DeletionKind(StrEnum):
    REQUESTS = "requests"
    BIN = "bin"
    WEBHOOK = "webhook"


class PendingDeletion(Struct, frozen=True, kw_only=True):
    """What is hidden, and goes when it is due."""

    id: str
    kind: DeletionKind
    target: str
    """The id of the bin or of the webhook; of requests, that of their bin."""
    due: int
    """µs; 0 once it is being carried out, and can't be undone any more."""
    count: int = 0
    """Requests that are hidden by it."""
    pinned: int = 0
    """How many of them are pinned."""


class DeletionUndone(Struct, frozen=True, kw_only=True):
    """What was hidden is there again."""

    kind: DeletionKind
    target: str
