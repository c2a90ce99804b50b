"""Deliveries and attempts as the JSON API gives them."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hookbin.models.common import Pair
from hookbin.models.deliveries import (
    MAX_RAW,
    Attempt,
    AttemptSummary,
    CancelReason,
    Connection,
    Delivery,
    DeliveryState,
    ErrorClass,
    Timings,
    Trigger,
)
from hookbin.shapes.common import Body, body_shape, fields_of


class AttemptRow(Struct, frozen=True, kw_only=True):
    """An attempt as the stream carries it."""

    id: str
    seq: int
    delivery_id: str
    event_id: str
    event_type: str
    webhook_id: str
    webhook_name: str
    number: int
    trigger: Trigger
    started_at: str
    duration_ms: float
    status: int | None
    error: ErrorClass | None
    error_detail: str | None
    delivery_state: DeliveryState
    next_attempt_at: str | None


class SentRequest(Struct, frozen=True, kw_only=True):
    method: str
    url: str
    headers: list[Pair]
    body: Body


class ReceivedResponse(Struct, frozen=True, kw_only=True):
    """What came back: an answer, or as `raw` what is no HTTP."""

    headers: list[Pair]
    body: Body | None
    raw: Body | None


class Phases(Struct, frozen=True, kw_only=True):
    """When each phase was over, in ms from `started_at`; null for one that did not happen."""

    resolved: float | None
    connected: float | None
    tls: float | None
    sent: float | None
    first_byte: float | None
    last_byte: float | None


class AttemptShape(AttemptRow, frozen=True, kw_only=True):
    request: SentRequest
    response: ReceivedResponse | None
    note: str | None
    timings: Phases | None
    connection: Connection | None


class DeliveryRow(Struct, frozen=True, kw_only=True):
    """A delivery in a list: without its attempts."""

    id: str
    event_id: str
    event_type: str
    webhook_id: str
    webhook_name: str
    destination: str
    state: DeliveryState
    attempt_count: int
    next_attempt_at: str | None
    created_at: str
    finished_at: str | None


class DeliveryInList(DeliveryRow, frozen=True, kw_only=True):
    """With how its last attempt went, and why it was cancelled."""

    status: int | None
    error: ErrorClass | None
    cancel_reason: CancelReason | None


class DeliveryShape(DeliveryRow, frozen=True, kw_only=True):
    explanation: str
    attempts: list[AttemptShape]


_ATTEMPT = fields_of(AttemptSummary, AttemptRow)
_DELIVERY = fields_of(Delivery, DeliveryRow)


def attempt_row(attempt: AttemptSummary) -> AttemptRow:
    return AttemptRow(**_ATTEMPT(attempt), duration_ms=attempt.duration / 1000)


def attempt_shape(attempt: Attempt, *, sent: bytes) -> AttemptShape:
    """`sent` is the event's body: what the attempt sent."""
    request = SentRequest(
        method=attempt.method, url=attempt.url, headers=list(attempt.request_headers), body=body_shape(sent)
    )
    return AttemptShape(
        **_ATTEMPT(attempt),
        duration_ms=attempt.duration / 1000,
        request=request,
        response=_response(attempt),
        note=attempt.note,
        timings=None if attempt.timings is None else phases(attempt.timings),
        connection=attempt.connection,
    )


def phases(timings: Timings) -> Phases:
    times = msgspec.structs.asdict(timings)
    return Phases(**{name: None if time is None else time / 1000 for name, time in times.items()})


def _response(attempt: Attempt) -> ReceivedResponse | None:
    if attempt.response_raw is not None:
        raw = body_shape(attempt.response_raw, truncated=len(attempt.response_raw) >= MAX_RAW)
        return ReceivedResponse(headers=[], body=None, raw=raw)
    if attempt.response_headers is None:
        return None
    body = body_shape(attempt.response_body or b"", truncated=attempt.response_truncated)
    return ReceivedResponse(headers=list(attempt.response_headers), body=body, raw=None)


def delivery_row(delivery: Delivery) -> DeliveryRow:
    return DeliveryRow(**_DELIVERY(delivery))


def delivery_in_list(delivery: Delivery, *, status: int | None, error: ErrorClass | None) -> DeliveryInList:
    return DeliveryInList(**_DELIVERY(delivery), status=status, error=error, cancel_reason=delivery.cancel_reason)


def delivery_shape(delivery: Delivery, attempts: list[Attempt], *, sent: bytes, explanation: str) -> DeliveryShape:
    return DeliveryShape(
        **_DELIVERY(delivery),
        explanation=explanation,
        attempts=[attempt_shape(attempt, sent=sent) for attempt in attempts],
    )
