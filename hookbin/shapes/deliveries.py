"""Deliveries and attempts as the JSON API gives them."""

from __future__ import annotations

from msgspec import Struct

from hookbin.models.common import Pair
from hookbin.models.deliveries import DeliveryState, ErrorClass, Trigger
from hookbin.shapes.common import Body


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
    headers: list[Pair]
    body: Body


class AttemptShape(AttemptRow, frozen=True, kw_only=True):
    request: SentRequest
    response: ReceivedResponse | None


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


class DeliveryShape(DeliveryRow, frozen=True, kw_only=True):
    explanation: str
    attempts: list[AttemptShape]
