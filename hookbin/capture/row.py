"""The row that is kept of a request, made of plain values: it does not matter who read them off the wire."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from hookbin.answers.plan import PreparedAnswer
from hookbin.capture.signature_check import UNCHECKED
from hookbin.errors import SenderTimedOut
from hookbin.http_fields import host_flags
from hookbin.models.bins import Bin
from hookbin.models.common import Headers
from hookbin.models.requests import CapturedRequest, Malformed
from hookbin.problems import status_of
from hookbin.signatures.verification import SignatureCheck
from hookbin.wire.head import MAX_LENGTH_DIGITS, Pairs


class SentFields(Struct, frozen=True, kw_only=True):
    """The header fields of a request, and what of them the row tells apart."""

    headers: Headers
    """Latin-1, in wire case."""
    content_type: str | None = None
    declared_size: int | None = None
    attempt_id: str | None = None
    """The attempt of ours that it says it is; anybody can say so."""
    flags: tuple[str, ...] = ()
    """What is odd about them."""


def read_fields(pairs: Pairs, named: Mapping[str, str]) -> SentFields:
    """`named` are the same fields `by_name`: of several of one name the last one counts."""
    length = named.get("content-length", "")
    return SentFields(
        headers=tuple(pairs),
        content_type=named.get("content-type"),
        declared_size=int(length) if length.isdecimal() and len(length) <= MAX_LENGTH_DIGITS else None,
        attempt_id=named.get("hookbin-attempt-id"),
        flags=host_flags(_hosts(pairs, named)),
    )


def _hosts(pairs: Pairs, named: Mapping[str, str]) -> list[str]:
    if len(named) < len(pairs):
        return [value for name, value in pairs if name.lower() == "host"]
    return [named["host"]] if "host" in named else []


def address(host: str, port: int) -> str:
    """As the row has it; a port of 0 is none that is known."""
    if not port:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def plain_request(
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
    status: int | None,
) -> CapturedRequest:
    """One that came whole, got the plain answer of its bin, and of which nothing else is to be said.

    `received_at` is in µs, `target` latin-1.
    """
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
        declared_size=fields.declared_size,
        answer_status=status,
        headers=fields.headers,
        body=body,
    )


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
    """Any other. The sender of half a request got no answer, but for a 408 in time."""
    status = answer.sent_status
    if incomplete:
        status = status_of(SenderTimedOut) if timed_out else None
    return replace(
        plain_request(
            bin,
            received_at=received_at,
            method=method,
            target=target,
            http_version=http_version,
            scheme=scheme,
            client=client,
            fields=fields,
            body=body,
            status=status,
        ),
        truncated=truncated,
        incomplete=incomplete,
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
    )
