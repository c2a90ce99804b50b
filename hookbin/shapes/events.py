"""Events as the JSON API takes and gives them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Raw, Struct

from hookbin.models.deliveries import Delivery, DeliveryState, Replayed
from hookbin.models.events import Event, EventSummary
from hookbin.shapes.common import Body, body_shape, fields_of


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
    content_encoding: Annotated[
        str | None, Meta(description="How a raw body is compressed, as its publisher said; sent along.")
    ]
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


_ROW = fields_of(EventSummary, EventRow)


def event_row(event: EventSummary) -> EventRow:
    return EventRow(**_ROW(event))


def event_in_list(event: EventSummary, deliveries: list[Delivery]) -> EventInList:
    return EventInList(**_ROW(event), deliveries=[_delivery_ref(delivery) for delivery in deliveries])


def event_shape(event: Event, deliveries: list[Delivery]) -> EventShape:
    states = [_delivery_ref(delivery) for delivery in deliveries]
    return EventShape(
        **_ROW(event), deliveries=states, content_encoding=event.content_encoding, body=body_shape(event.body)
    )


def replay_shape(event_id: str, done: Replayed) -> ReplayShape:
    return ReplayShape(
        event_id=event_id,
        created=[_delivery_ref(delivery) for delivery in done.made],
        retried=[_delivery_ref(delivery) for delivery in done.retried],
        left_alone=[
            LeftAlone(id=delivery.id, webhook_id=delivery.webhook_id, state=delivery.state, reason=reason)
            for delivery, reason in done.left
        ],
    )


def _delivery_ref(delivery: Delivery) -> DeliveryRef:
    return DeliveryRef(id=delivery.id, webhook_id=delivery.webhook_id, state=delivery.state)
