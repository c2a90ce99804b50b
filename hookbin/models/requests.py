"""A captured request, with and without its large parts."""

from __future__ import annotations

from msgspec import Struct

from hookbin.models.common import Headers


class Malformed(Struct, frozen=True, kw_only=True):
    """Why what arrived is no HTTP request."""

    reason: str
    offset: int
    """Where in the bytes it stopped being one."""


class RequestSummary(Struct, frozen=True, kw_only=True):
    """A captured request without the parts that can be large."""

    seq: int = 0
    """Its number in the log, given by the writer; 0 before that."""
    bin_id: str
    received_at: int
    method: str
    target: str
    """The request target as sent, query included; latin-1."""
    http_version: str
    scheme: str
    client: str | None
    """`address:port` of the peer, or of the client that a trusted proxy names."""
    content_type: str | None = None
    size: int
    truncated: bool = False
    incomplete: bool = False
    declared_size: int | None = None
    """The Content-Length that the sender claimed, if it claimed one."""
    answer_status: int | None
    """None when the sender was gone before it could be answered, or a fault left it without a status."""
    answer_rule: str | None = None
    """What of the bin's response chose the answer; None for the response itself."""
    answer_delay_ms: int = 0
    answer_fault: str | None = None
    answer_error: str | None = None
    """Why the answer could not be made as its owner meant it, such as a template that failed."""
    attempt_id: str | None = None
    signature: str = "unchecked"
    """`ok`, `failed`, `unsigned` or `unchecked`."""
    signature_scheme: str | None = None
    signature_reason: str | None = None
    """Why it failed, in words."""
    note: str | None = None
    pinned: bool = False
    malformed: Malformed | None = None
    """Set for what is no HTTP: its body is then the bytes as they came, its method and target are empty."""
    flags: tuple[str, ...] = ()
    """Words for what is odd about a request that was taken all the same."""


class Opening(Struct, frozen=True, kw_only=True):
    """What a request begins with: its header fields, and its body if that is small."""

    headers: Headers
    body: bytes


class CapturedRequest(RequestSummary, frozen=True, kw_only=True):
    """A captured request as it arrived."""

    trailers: Headers = ()
    headers: Headers
    body: bytes
