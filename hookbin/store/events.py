"""Events: published once, with one delivery for each webhook that wants them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hookbin.errors import IdempotencyMismatch
from hookbin.models.deliveries import Delivery
from hookbin.models.events import Event, EventSummary
from hookbin.models.webhooks import Webhook
from hookbin.store import webhooks
from hookbin.store.batch import PUBLISHING, Grouped
from hookbin.store.database import Database
from hookbin.store.publishing import Publication, insert, insert_all
from hookbin.store.rows import DELIVERIES, EVENTS, TABLES
from hookbin.store.transaction import Transaction

_WITH_DELIVERY = f"SELECT {DELIVERIES.columns}, {EVENTS.columns} FROM {TABLES} WHERE d.id = ?"


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing led to; `repeated` when the idempotency key had been used for the same before."""

    event: EventSummary
    deliveries: tuple[Delivery, ...]
    repeated: bool = False


class EventStore:
    """What was published."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, publication: Publication) -> Published:
        """Commit an event and its deliveries as one; those to webhooks disabled meanwhile are left out.

        Raises `IdempotencyMismatch` when the key was used for another event.
        """
        size = publication.event.size + 200 * len(publication.deliveries)
        published = await self._database.transact(Grouped(_publish_all, publication, PUBLISHING), size=size)
        if published is None:
            raise IdempotencyMismatch(
                f"the key {publication.event.idempotency_key!r} was used for another event; use a new key, or send the"
                " same again"
            )
        return published

    async def publish_all(self, publications: Sequence[Publication], *, once: Webhook | None) -> list[Published]:
        """Commit several events as one; `once` is a destination that is made with them unless it is there.

        All deliveries go to it then. It is enabled again: who sends there by hand means it.
        """

        def publish_to_one(transaction: Transaction) -> list[Publication]:
            if once is None:
                return insert_all(transaction, publications)
            kept = webhooks.ensure_once(transaction, once)
            return insert_all(transaction, [_to(kept, each) for each in publications])

        size = sum(each.event.size + 200 for each in publications)
        made = await self._database.transact(publish_to_one, size=size)
        return [Published(event=each.event, deliveries=each.deliveries) for each in made]

    async def get(self, event_id: str) -> Event | None:
        rows = await self._database.read(f"{EVENTS.select} WHERE id = ?", (event_id,))
        return EVENTS.read(rows[0]) if rows else None

    async def with_delivery(self, delivery_id: str) -> tuple[Delivery, Event] | None:
        """A delivery and the event that it brings, both as they are now."""
        rows = await self._database.read(_WITH_DELIVERY, (delivery_id,))
        if not rows:
            return None
        count = len(Delivery.__struct_fields__)
        return DELIVERIES.read(rows[0][:count]), EVENTS.read(rows[0][count:])


def _publish_all(transaction: Transaction, wanted: Sequence[Publication]) -> list[Published | None]:
    """Write events with their deliveries; None for one whose key was used for another."""
    if any(publication.event.idempotency_key is not None for publication in wanted):
        return [_publish(transaction, publication) for publication in wanted]
    made = insert_all(transaction, wanted)
    return [Published(event=each.event, deliveries=each.deliveries) for each in made]


def _publish(transaction: Transaction, publication: Publication) -> Published | None:
    event = publication.event
    before = _event_by_key(transaction, event.idempotency_key)
    if before is not None:
        return _repeated(transaction, before) if before.fingerprint == event.fingerprint else None
    made = insert(transaction, publication)
    return Published(event=event, deliveries=made.deliveries)


def _to(webhook: Webhook, publication: Publication) -> Publication:
    deliveries = (msgspec.structs.replace(each, webhook_id=webhook.id) for each in publication.deliveries)
    return msgspec.structs.replace(publication, deliveries=tuple(deliveries))


def _event_by_key(transaction: Transaction, key: str | None) -> Event | None:
    if key is None:
        return None
    row = transaction.execute(f"{EVENTS.select} WHERE idempotency_key = ?", (key,)).fetchone()
    return EVENTS.read(row) if row else None


def _repeated(transaction: Transaction, event: Event) -> Published:
    rows = transaction.execute(f"{DELIVERIES.select} WHERE d.event_id = ? ORDER BY d.id", (event.id,))
    return Published(event=event, deliveries=tuple(map(DELIVERIES.read, rows)), repeated=True)
