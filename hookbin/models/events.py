"""An event that was published."""

from __future__ import annotations

from msgspec import Struct

from hookbin.models.common import Headers


class EventSummary(Struct, frozen=True, kw_only=True):
    seq: int = 0
    """Its number in the log, given by the writer; 0 before that."""
    id: str
    type: str
    created_at: int
    deliver_at: int | None = None
    """When its first attempts are due, if not at once."""
    content_type: str
    idempotency_key: str | None = None
    hops: int = 0
    """How many times it came back to us through our own webhooks."""
    request_id: str | None = None
    """The captured request that it sends on, if it does."""
    only_webhook: str | None = None
    """The one webhook that it is meant for; None for all that want its type."""
    size: int


class Original(Struct, frozen=True, kw_only=True):
    """What of a captured request is sent on beside its body."""

    method: str
    suffix: str
    """What followed the bin in the path; added to the destination's."""
    query: str | None
    headers: Headers
    keep_signature: bool = False
    """It goes out with the signature it came with, whatever the webhook's style."""


class Event(EventSummary, frozen=True, kw_only=True):
    """Something that was published; `body` is what every delivery of it sends."""

    fingerprint: bytes
    """SHA-256 of what was posted, to tell a repeat from a clash under one idempotency key; empty without a key."""
    original: Original | None = None
    """Set for a captured request that is sent on; None for what was posted as an event."""
    body: bytes
    trail: str = ""
    """Which bins and webhooks led to it, as `delivery.trails` writes that."""
    content_encoding: str | None = None
    """How the body is compressed, as its publisher said; it is sent along."""

    @property
    def content_headers(self) -> Headers:
        """What is said of the body where it was not captured."""
        said = (("content-type", self.content_type),)
        return said if self.content_encoding is None else (*said, ("content-encoding", self.content_encoding))
