"""What the JSON API takes and gives: one type for each shape. `present` makes them from models."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from hookbin.config import Age
from hookbin.models import DeliveryState, ErrorClass, Trigger

T = TypeVar("T")
Pair = tuple[str, str]


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list, newest first. `next_cursor` is null on the last."""

    data: list[T]
    next_cursor: str | None = None


class Body(Struct, frozen=True, kw_only=True):
    """Has `text` when the bytes are UTF-8, else `base64`."""

    size: int
    truncated: bool
    text: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET


class Response(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bin answers."""

    status: Annotated[int, Meta(ge=200, le=599, description="HTTP status.")] = 200
    headers: Annotated[list[Pair], Meta(max_length=50, description="Ordered pairs; duplicates are kept.")] = field(
        default_factory=lambda: [("content-type", "text/plain; charset=utf-8")]
    )
    body: Annotated[str, Meta(max_length=262_144, description="Sent as UTF-8.")] = "ok\n"
    delay_ms: Annotated[int, Meta(ge=0, le=30_000, description="Waits this long after the commit.")] = 0


class NewBin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str | None, Meta(description="`[a-z0-9][a-z0-9-]{0,62}`; without one the id is the address.")] = (
        None
    )
    response: Response | UnsetType = UNSET
    max_requests: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    max_age: Age | UnsetType | None = UNSET


class BinChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; null puts the default back."""

    name: str | UnsetType | None = UNSET
    response: Response | UnsetType | None = UNSET
    max_requests: Annotated[int, Meta(ge=1, le=1000000)] | UnsetType | None = UNSET
    max_age: Age | UnsetType | None = UNSET


class BinShape(Struct, frozen=True, kw_only=True):
    id: str
    name: str | None
    url: str
    created_at: str
    request_count: int
    response: Response
    max_requests: int
    max_age: int | None


class Answer(Struct, frozen=True, kw_only=True):
    status: int
    delay_ms: int


class Signature(Struct, frozen=True, kw_only=True):
    state: Literal["ok", "failed", "unsigned", "unchecked"]


class RequestRow(Struct, frozen=True, kw_only=True):
    """A captured request in a list: without headers and body."""

    id: str
    seq: int
    bin: str
    received_at: str
    method: str
    target: str
    path: str
    query: str | None
    http_version: str
    scheme: str
    client: str | None
    content_type: str | None
    size: int
    truncated: bool
    incomplete: bool
    declared_size: int | None
    answer: Answer | None
    signature: Signature
    attempt_id: str | None


class RequestShape(RequestRow, frozen=True, kw_only=True):
    headers: list[Pair]
    body: Body


class NewWebhook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(description="1 to 100 characters; need not be unique.")]
    destination: Annotated[str, Meta(description="An http or https URL.")]
    events: Annotated[list[str], Meta(min_length=1, max_length=50, description="Type patterns such as `user.*`.")] = (
        field(default_factory=lambda: ["*"])
    )
    secret: Annotated[str | None, Meta(description="`whsec_` and base64 of 24 to 64 bytes; made when left out.")] = None
    retry_schedule: Annotated[
        str | list[float] | None, Meta(description="Seconds before each retry, or default, standard, fast, none.")
    ] = None
    retry_on: Annotated[list[str] | None, Meta(description="Of 5xx, network, 408, 429, 4xx, 3xx.")] = None
    timeout: Annotated[float, Meta(gt=0, le=120, description="Seconds that one attempt may take in all.")] = 15.0
    max_in_flight: Annotated[int, Meta(ge=1, le=64, description="Attempts under way at once.")] = 8
    heartbeat: Annotated[
        Annotated[float, Meta(ge=1, le=86_400)] | None, Meta(description="Seconds between `webhook.heartbeat` events.")
    ] = None
    disabled: bool = False
    ping: Annotated[bool, Meta(description="Send `webhook.ping` at once.")] = True


class WebhookChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; null puts the default back."""

    name: str | UnsetType = UNSET
    destination: str | UnsetType = UNSET
    events: Annotated[list[str], Meta(min_length=1, max_length=50)] | UnsetType | None = UNSET
    retry_schedule: str | list[float] | UnsetType | None = UNSET
    retry_on: list[str] | UnsetType | None = UNSET
    timeout: Annotated[float, Meta(gt=0, le=120)] | UnsetType | None = UNSET
    max_in_flight: Annotated[int, Meta(ge=1, le=64)] | UnsetType | None = UNSET
    heartbeat: Annotated[float, Meta(ge=1, le=86400)] | UnsetType | None = UNSET
    disabled: bool | UnsetType | None = UNSET


class WebhookShape(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`secret` is there only when it was asked for, and when the webhook was made."""

    id: str
    name: str
    destination: str
    events: list[str]
    retry_schedule: list[float]
    retry_on: list[str]
    timeout: float
    max_in_flight: int
    heartbeat: float | None
    disabled: bool
    disabled_reason: str | None
    created_at: str
    secret: str | UnsetType = UNSET


class NewEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data` is sent byte for byte as it stands in the request."""

    type: Annotated[str, Meta(description="1 to 128 of letters, digits and `_ - . / :`.")]
    data: Annotated[Raw, Meta(description="Any JSON value.")]


class DeliveryRef(Struct, frozen=True, kw_only=True):
    id: str
    webhook_id: str
    state: DeliveryState


class EventRow(Struct, frozen=True, kw_only=True):
    """An event without its body and deliveries, as the stream carries it."""

    id: str
    seq: int
    type: str
    created_at: str
    content_type: str
    idempotency_key: str | None
    size: int


class EventInList(EventRow, frozen=True, kw_only=True):
    deliveries: list[DeliveryRef]


class EventShape(EventInList, frozen=True, kw_only=True):
    body: Body


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


class Gone(Struct, frozen=True, kw_only=True):
    """Said on the stream of a bin or webhook that was deleted."""

    id: str
    deleted: bool = True


class Status(Struct, frozen=True, kw_only=True):
    status: Literal["ok"] = "ok"


class FieldError(Struct, frozen=True, kw_only=True):
    loc: str
    msg: str


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. `code` is stable and listed in docs/errors.md."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []
