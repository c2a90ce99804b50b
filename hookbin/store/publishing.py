"""Writing an event and its deliveries inside somebody else's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from hookbin.models.deliveries import Delivery
from hookbin.models.events import Event
from hookbin.models.webhooks import Webhook
from hookbin.store.rows import DELIVERIES, EVENTS
from hookbin.store.transaction import Transaction


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """An event, and the deliveries that it is to have."""

    event: Event
    deliveries: tuple[Delivery, ...]


DisabledEventMaker: TypeAlias = Callable[[Webhook], Publication]
"""Makes the event that is published of a webhook once it is disabled, and its deliveries."""


class MetaEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Meta events that a transaction publishes if it brings about what they tell of."""

    exhausted: Publication | None = None
    """Of a delivery that failed."""
    disabled: DisabledEventMaker | None = None


NO_META_EVENTS = MetaEvents()


def insert(transaction: Transaction, publication: Publication) -> Publication:
    """Write and announce both; deliveries to webhooks that can't be used by now are left out of what is returned."""
    return insert_all(transaction, [publication])[0]


def insert_all(transaction: Transaction, publications: Sequence[Publication]) -> list[Publication]:
    """As `insert` does, several in few statements."""
    wanted = {delivery.webhook_id for publication in publications for delivery in publication.deliveries}
    usable = usable_ids(transaction, list(wanted))
    made = [_keep(publication, usable) for publication in publications]
    for each in made:
        transaction.record(each.event)
        transaction.announce(*each.deliveries)
    transaction.insert_rows(EVENTS.insert, [EVENTS.values(each.event) for each in made])
    transaction.insert_rows(DELIVERIES.insert, [DELIVERIES.values(row) for each in made for row in each.deliveries])
    return made


def _keep(publication: Publication, usable: set[str]) -> Publication:
    if all(delivery.webhook_id in usable for delivery in publication.deliveries):
        return publication
    kept = tuple(delivery for delivery in publication.deliveries if delivery.webhook_id in usable)
    return Publication(event=publication.event, deliveries=kept)


def insert_deliveries(transaction: Transaction, deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """Write and announce deliveries of events that are there, but for those whose event has one to that webhook."""
    made = []
    for delivery in deliveries:
        sql = DELIVERIES.insert + " ON CONFLICT (event_id, webhook_id) DO NOTHING"
        if transaction.execute(sql, DELIVERIES.values(delivery)).rowcount:
            made.append(delivery)
    transaction.announce(*made)
    return tuple(made)


def usable_ids(transaction: Transaction, ids: Sequence[str]) -> set[str]:
    """Those of the webhooks that a delivery may be made for."""
    sql = "SELECT id FROM webhooks WHERE id IN (SELECT value FROM json_each(?)) AND NOT disabled AND deleted_at IS NULL"
    return {id for (id,) in transaction.execute(sql, (msgspec.json.encode(ids).decode(),))}
