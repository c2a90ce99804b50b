"""Writing an event and its deliveries inside somebody else's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from hookbin.models import Delivery, Event, Webhook

_EVENT_FIELDS = Event.__struct_fields__
_INSERT = f"INSERT INTO events ({', '.join(_EVENT_FIELDS)}) VALUES ({', '.join('?' * len(_EVENT_FIELDS))})"
_INSERT_DELIVERY = (
    "INSERT INTO deliveries (id, event_id, webhook_id, state, attempt_count, next_attempt_at, next_trigger, created_at,"
    " finished_at, turn, cancel_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """An event, and the deliveries that it is to have."""

    event: Event
    deliveries: tuple[Delivery, ...]


Notice: TypeAlias = Callable[[Webhook], Publication]
"""What is to be published of a webhook once it is disabled."""


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """Events that a transaction publishes if it brings about what they tell of."""

    exhausted: Publication | None = None
    """Of a delivery that failed."""
    disabled: Notice | None = None


NO_NOTICES = Notices()


def announced(publication: Publication) -> tuple[Event | Delivery, ...]:
    """What is told after the commit."""
    return (publication.event, *publication.deliveries)


def insert(connection: sqlite3.Connection, publication: Publication) -> Publication:
    """Write both; deliveries to webhooks that can't be used by now are left out of what is returned."""
    usable = usable_ids(connection, [delivery.webhook_id for delivery in publication.deliveries])
    kept = tuple(delivery for delivery in publication.deliveries if delivery.webhook_id in usable)
    connection.execute(_INSERT, _event_params(publication.event))
    connection.executemany(_INSERT_DELIVERY, [_delivery_params(delivery) for delivery in kept])
    return Publication(event=publication.event, deliveries=kept)


def insert_deliveries(connection: sqlite3.Connection, deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """Write deliveries of events that are there; those whose event has one to that webhook already are left out."""
    made = []
    for delivery in deliveries:
        sql = _INSERT_DELIVERY + " ON CONFLICT (event_id, webhook_id) DO NOTHING"
        if connection.execute(sql, _delivery_params(delivery)).rowcount:
            made.append(delivery)
    return tuple(made)


def usable_ids(connection: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Those of the webhooks that a delivery may be made for."""
    sql = "SELECT id FROM webhooks WHERE id IN (SELECT value FROM json_each(?)) AND NOT disabled AND deleted_at IS NULL"
    return {id for (id,) in connection.execute(sql, (msgspec.json.encode(ids).decode(),))}


def _event_params(event: Event) -> tuple[object, ...]:
    fields = msgspec.structs.asdict(event)
    if event.original is not None:
        fields["original"] = msgspec.json.encode(event.original)
    return tuple(fields.values())


def _delivery_params(delivery: Delivery) -> tuple[object, ...]:
    return (
        delivery.id,
        delivery.event_id,
        delivery.webhook_id,
        delivery.state,
        delivery.attempt_count,
        delivery.next_attempt_at,
        delivery.next_trigger,
        delivery.created_at,
        delivery.finished_at,
        delivery.turn,
        delivery.cancel_reason,
    )
