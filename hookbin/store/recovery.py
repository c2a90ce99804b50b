"""Sending again: what of the past a webhook missed, and an event to everyone once more."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from hookbin.models.deliveries import Action, Delivery, DeliveryState, Replayed, Trigger
from hookbin.store.database import Database
from hookbin.store.deliveries import find
from hookbin.store.delivery_states import change, is_possible
from hookbin.store.publishing import insert_deliveries, usable_ids
from hookbin.store.rows import DELIVERIES
from hookbin.store.transaction import Transaction

_PAST = (
    "SELECT e.id, e.type, e.created_at, e.deliver_at, e.request_id, e.only_webhook, d.id, d.state,"
    " EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_id = d.id AND a.delivery_state = 'succeeded')"
    " FROM events e LEFT JOIN deliveries d ON d.event_id = e.id AND d.webhook_id = ?"
    " WHERE e.id > ? ORDER BY e.id LIMIT ?"
)


class PastEvent(msgspec.Struct, frozen=True, array_like=True):
    """An event, and how it stands with one webhook; a row converts to it as it is."""

    event_id: str
    type: str
    created_at: int
    deliver_at: int | None
    request_id: str | None
    only_webhook: str | None
    delivery_id: str | None
    state: DeliveryState | None
    succeeded: int
    """Whether the webhook got it at any time."""


class RecoveryStore:
    """Makes and revives deliveries of events that were published before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def past(self, webhook_id: str, *, after: str, limit: int) -> list[PastEvent]:
        """Events in the order of publishing, from behind the id `after`."""
        return msgspec.convert(await self._database.read(_PAST, (webhook_id, after, limit)), list[PastEvent])

    async def bring_back(
        self, webhook_id: str, *, retry: Sequence[tuple[str, int]], make: Sequence[Delivery]
    ) -> tuple[int, int] | None:
        """Make `retry` (id and due time) due as manual attempts, and write those of `make`; returns how many of each.

        Returns None when the webhook can't be used by now. What was retried or made meanwhile is left out.
        """

        def retry_and_make(transaction: Transaction) -> tuple[int, int] | None:
            if not usable_ids(transaction, [webhook_id]):
                return None
            again = 0
            for id, due in retry:
                delivery = find(transaction, id)
                if delivery is not None and _is_over(delivery):
                    change(transaction, delivery, Action.RETRY, at=due)
                    again += 1
            return again, len(insert_deliveries(transaction, make))

        return await self._database.transact(retry_and_make)

    async def replay(
        self, event_id: str, deliveries: Sequence[Delivery], *, only: str | None, busy: Collection[str], now: int
    ) -> Replayed:
        """Write those of `deliveries` that the event lacks; those it has are due again, as manual attempts.

        `only` names the one webhook that is meant. Deliveries in `busy` are being sent and left alone.
        """

        def retry_and_make(transaction: Transaction) -> Replayed:
            there = _of_event(transaction, event_id, only=only)
            usable = usable_ids(transaction, [delivery.webhook_id for delivery in (*there, *deliveries)])
            retried, left = [], []
            for delivery in there:
                reason = _hindrance(delivery, usable=usable, busy=busy)
                if reason is None:
                    retried.append(change(transaction, delivery, Action.REPLAY, at=now))
                else:
                    left.append((delivery, reason))
            wanted = [delivery for delivery in deliveries if delivery.webhook_id in usable]
            made = insert_deliveries(transaction, wanted)
            return Replayed(made=made, retried=tuple(retried), left=tuple(left))

        return await self._database.transact(retry_and_make)


def _hindrance(delivery: Delivery, *, usable: Collection[str], busy: Collection[str]) -> str | None:
    if delivery.webhook_id not in usable:
        return "its webhook is disabled or deleted"
    if delivery.id in busy:
        return "it is being sent now"
    if delivery.state is DeliveryState.PENDING and delivery.next_trigger is Trigger.MANUAL:
        return "a manual attempt is on its way already"
    return None


def _is_over(delivery: Delivery) -> bool:
    """Whether it ended without having got through."""
    return delivery.state is not DeliveryState.PENDING and is_possible(delivery, Action.RETRY)


def _of_event(transaction: Transaction, event_id: str, *, only: str | None) -> list[Delivery]:
    sql = f"{DELIVERIES.select} WHERE d.event_id = ?1 AND (?2 IS NULL OR d.webhook_id = ?2) ORDER BY d.id"
    return list(map(DELIVERIES.read, transaction.execute(sql, (event_id, only))))
