"""The row that is kept of a request, made of plain values: it does not matter who read them off the wire."""

from __future__ import annotations

from msgspec import Struct

from hookbin.answers.plan import PreparedAnswer
from hookbin.capture.signature_check import UNCHECKED
from hookbin.errors import SenderTimedOut
from hookbin.http_fields import host_flags
from hookbin.models.bins import Bin
from hookbin.models.common import Headers
from hookbin.models.requests import CapturedRequest, Malformed
from hookbin.problems import status_of
from hookbin.signatures.verification import SignatureCheck
from hookbin.wire.head import Pairs

_MAX_LENGTH_DIGITS = 18
"""Digits of a Content-Length that SQLite's integers hold."""


class SentFields(Struct, frozen=True):
    """The header fields of a request, and what of them the row tells apart."""

    headers: Headers
    """Latin-1, in wire case."""
    content_type: str | None = None
    declared_size: int | None = None
    attempt_id: str | None = None
    """The attempt of ours that it says it is; anybody can say so."""
    flags: tuple[str, ...] = ()
    """What is odd about them."""


def read_fields(pairs: Pairs) -> SentFields:
    """Of several fields of one name the last one counts."""
    content_type = declared_size = attempt_id = None
    hosts: list[str] = []
    headers = decoded(pairs)
    for name, value in headers:
        match len(name):
            case 4 if name.lower() == "host":
                hosts.append(value)
            case 12 if name.lower() == "content-type":
                content_type = value
            case 14 if name.lower() == "content-length":
                declared_size = int(value) if value.isdecimal() and len(value) <= _MAX_LENGTH_DIGITS else None
            case 18 if name.lower() == "hookbin-attempt-id":
                attempt_id = value
    return SentFields(headers, content_type, declared_size, attempt_id, host_flags(hosts))


def decoded(pairs: Pairs) -> Headers:
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]) if pairs else ()


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def captured_request(
    bin: Bin,
    *,
    received_at: int,
    method: str,
    target: str,
    http_version: str,
    scheme: str,
    client: str | None,
    fields: SentFields,
    body: bytes,
    answer: PreparedAnswer,
    attempt_id: str | None = None,
    signature: SignatureCheck = UNCHECKED,
    trailers: Headers = (),
    truncated: bool = False,
    incomplete: bool = False,
    timed_out: bool = False,
    malformed: Malformed | None = None,
) -> CapturedRequest:
    """`received_at` is in µs, `target` latin-1. The sender of half a request got no answer, but for a 408 in time."""
    status = answer.sent_status
    if incomplete:
        status = status_of(SenderTimedOut) if timed_out else None
    return CapturedRequest(
        bin_id=bin.id,
        received_at=received_at,
        method=method,
        target=target,
        http_version=http_version,
        scheme=scheme,
        client=client,
        content_type=fields.content_type,
        size=len(body),
        truncated=truncated,
        incomplete=incomplete,
        declared_size=fields.declared_size,
        answer_status=status,
        answer_rule=answer.rule,
        answer_delay_ms=answer.delay_ms,
        answer_fault=None if incomplete else answer.fault,
        answer_error=answer.error,
        attempt_id=attempt_id,
        signature=signature.state,
        signature_scheme=signature.scheme,
        signature_reason=signature.reason,
        malformed=malformed,
        flags=fields.flags,
        trailers=trailers,
        headers=fields.headers,
        body=body,
    )
