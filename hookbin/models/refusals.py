"""A message that was no HTTP."""

from __future__ import annotations

from msgspec import Struct


class RefusedMessage(Struct, frozen=True, kw_only=True):
    """A message that reached nobody."""

    refused_at: int
    client: str | None
    """`address:port` of the peer."""
    status: int
    """What it was answered with."""
    reason: str
    offset: int
    """The byte at which it went wrong."""
    beginning: bytes
