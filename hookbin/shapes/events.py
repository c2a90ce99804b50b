"""Events as the JSON API takes and gives them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Raw, Struct

from hookbin.models.deliveries import DeliveryState
from hookbin.shapes.common import Body


class NewEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data` is sent byte for byte as it stands in the request."""

    type: Annotated[str, Meta(description="1 to 128 of letters, digits and `_ - . / :`.")]
    data: Annotated[Raw, Meta(description="Any JSON value.")]
    deliver_at: Annotated[
        str | None, Meta(description="When its first attempts are due, RFC 3339; at most 30 days ahead.")
    ] = None
    webhook: Annotated[str | None, Meta(description="Send it to this webhook only, whatever types it asked for.")] = (
        None
    )


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
    deliver_at: str | None
    content_type: str
    idempotency_key: str | None
    request_id: str | None
    size: int


class EventInList(EventRow, frozen=True, kw_only=True):
    deliveries: list[DeliveryRef]


class EventShape(EventInList, frozen=True, kw_only=True):
    body: Body


class Replay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    webhook: Annotated[str | None, Meta(description="Only to this webhook, whatever types it asks for.")] = None


class LeftAlone(DeliveryRef, frozen=True, kw_only=True):
    reason: str


class ReplayShape(Struct, frozen=True, kw_only=True):
    """What became of the event's deliveries; there is one for each webhook, ever."""

    event_id: str
    created: list[DeliveryRef]
    retried: list[DeliveryRef]
    left_alone: list[LeftAlone]
