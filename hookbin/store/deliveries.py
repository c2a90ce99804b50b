"""Deliveries and the attempts at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hookbin.errors import NotCancellable, NotRetryable
from hookbin.models.deliveries import (
    Action,
    Attempt,
    CancelReason,
    Delivery,
    DeliveryState,
    Trigger,
)
from hookbin.store.batch import FINISHING, Grouped
from hookbin.store.database import Database
from hookbin.store.delivery_states import change, is_possible, keep_to_intervals, shift_pending
from hookbin.store.publishing import NO_META_EVENTS, MetaEvents, usable_ids
from hookbin.store.readers import Row
from hookbin.store.record_attempts import Ending, finish_all
from hookbin.store.rows import ATTEMPTS, DELIVERIES
from hookbin.store.transaction import Transaction


class DeliveryStore:
    """The sending half of the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def finish(
        self,
        attempt: Attempt,
        *,
        began: Delivery,
        generation: int,
        action: Action,
        disable: str | None,
        meta_events: MetaEvents = NO_META_EVENTS,
    ) -> Attempt:
        """Commit an attempt and what it made of its delivery; returns it as it was written.

        `began` is the delivery as it was when the attempt began. One that was cancelled while it was under
        way stays cancelled, unless the attempt got through: then it has succeeded. A manual retry that was
        asked for meanwhile stays due, unless it did. `disable` says why the outcome disables the webhook;
        too many failures in a row do so as well (`retries.streak`). Its other pending deliveries are
        cancelled then. `generation` is the webhook's when the attempt began: if it is another by now, the
        outcome changes nothing of the webhook. Of a delivery that is no longer kept nothing is written.
        `meta_events` are published if what they tell of comes about.
        """
        ending = Ending(
            attempt=attempt,
            began=began,
            generation=generation,
            action=action,
            disable=disable,
            meta_events=meta_events,
        )
        size = len(attempt.response_body or attempt.response_raw or b"")
        return await self._database.transact(Grouped(finish_all, ending, FINISHING), size=size)

    async def retry(self, delivery_id: str, *, now: int) -> Delivery:
        """Make a delivery due now, as a manual attempt. Raises `NotRetryable`."""

        def hindrance(transaction: Transaction, delivery: Delivery) -> str | None:
            if delivery.state is DeliveryState.PENDING and delivery.next_trigger is Trigger.MANUAL:
                return "a manual retry is on its way already"
            if not usable_ids(transaction, [delivery.webhook_id]):
                return "its webhook is disabled or deleted; enable it, or register it anew and replay the event"
            return None

        changed = await self._change(delivery_id, Action.RETRY, hindrance, at=now)
        if isinstance(changed, str):
            raise NotRetryable(f"the delivery {delivery_id} can't be retried: {changed}")
        return changed

    async def cancel(self, delivery_id: str, *, now: int) -> Delivery:
        """Take a pending delivery out of the schedule. Raises `NotCancellable`."""
        changed = await self._change(delivery_id, Action.CANCEL, at=now, reason=CancelReason.OWNER)
        if isinstance(changed, str):
            raise NotCancellable(f"the delivery {delivery_id} can't be cancelled: {changed}")
        return changed

    async def _change(
        self,
        delivery_id: str,
        action: Action,
        hindrance: Callable[[Transaction, Delivery], str | None] = lambda *_: None,
        *,
        at: int,
        reason: CancelReason | None = None,
    ) -> Delivery | str:
        """The delivery as it is after the action, or what hinders that."""

        def change_or_explain(transaction: Transaction) -> Delivery | str:
            delivery = find(transaction, delivery_id)
            if delivery is None:
                return "it is no longer kept"
            if not is_possible(delivery, action):
                return f"it has {delivery.state}"
            return hindrance(transaction, delivery) or change(transaction, delivery, action, at=at, reason=reason)

        return await self._database.transact(change_or_explain)

    async def due(self, webhook_id: str, *, limit: int, ordered: bool = False) -> list[Row]:
        """`(id, next_attempt_at, turn)` of the pending deliveries of one webhook: those due first, or by their turn."""
        return await self._database.read(
            "SELECT id, next_attempt_at, turn FROM deliveries WHERE webhook_id = ? AND state = 'pending'"
            f" ORDER BY {'turn' if ordered else 'next_attempt_at'}, id LIMIT ?",
            (webhook_id, limit),
        )

    async def count_pending(self, webhook_id: str, *, limit: int) -> int:
        """How many deliveries of one webhook are pending; counts no further than `limit`."""
        sql = "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE webhook_id = ? AND state = 'pending' LIMIT ?)"
        ((count,),) = await self._database.read(sql, (webhook_id, limit))
        return int(count)

    async def last_of_type(self, webhook_id: str, event_type: str) -> int | None:
        """When the last delivery of such an event was made, among the webhook's last 1,000."""
        ((last,),) = await self._database.read(
            "SELECT max(d.created_at) FROM (SELECT event_id, created_at FROM deliveries WHERE webhook_id = ?"
            " ORDER BY id DESC LIMIT 1000) d JOIN events e ON e.id = d.event_id WHERE e.type = ?",
            (webhook_id, event_type),
        )
        return None if last is None else int(last)

    async def shift_pending(self, by: int, *, now: int, but: Sequence[str]) -> None:
        """Move what waits by as much as the clock was set to be `now`, apart from appointments and from those `but`."""
        await self._database.transact(lambda transaction: shift_pending(transaction, by, now=now, but=but))

    async def keep_to_intervals(self, *, now: int) -> None:
        """Let nothing wait longer than it was to wait, though the clock was set back before a restart."""
        await self._database.transact(lambda transaction: keep_to_intervals(transaction, now=now))

    async def ahead_of(self, delivery: Delivery) -> tuple[str, int | None] | None:
        """The first of the pending deliveries to the same webhook whose turn is before, and when it is due."""
        rows = await self._database.read(
            "SELECT id, next_attempt_at FROM deliveries WHERE webhook_id = ? AND state = 'pending'"
            " AND (turn, id) < (?, ?) ORDER BY turn, id LIMIT 1",
            (delivery.webhook_id, delivery.turn, delivery.id),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    async def count_due_before(self, delivery: Delivery, *, limit: int) -> int:
        """How many pending deliveries to the same webhook are due before; counts no further than `limit`."""
        sql = (
            "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE webhook_id = ? AND state = 'pending'"
            " AND (next_attempt_at, id) < (?, ?) LIMIT ?)"
        )
        values = (delivery.webhook_id, delivery.next_attempt_at, delivery.id, limit)
        ((count,),) = await self._database.read(sql, values)
        return int(count)

    async def get(self, delivery_id: str) -> Delivery | None:
        rows = await self._database.read(f"{DELIVERIES.select} WHERE d.id = ?", (delivery_id,))
        return DELIVERIES.read(rows[0]) if rows else None

    async def of_events(self, event_ids: Sequence[str]) -> dict[str, list[Delivery]]:
        """The deliveries of each of these events."""
        found: dict[str, list[Delivery]] = {id: [] for id in event_ids}
        marks = ", ".join("?" * len(event_ids))
        sql = f"{DELIVERIES.select} WHERE d.event_id IN ({marks}) ORDER BY d.id"
        for row in await self._database.read(sql, tuple(event_ids)):
            delivery = DELIVERIES.read(row)
            found[delivery.event_id].append(delivery)
        return found

    async def attempts(self, delivery: Delivery, *, newest: int = -1) -> list[Attempt]:
        """Every attempt at one delivery, or the `newest` so many, in order."""
        rows = await self._database.read(
            f"{ATTEMPTS.select} WHERE d.id = ? ORDER BY number DESC LIMIT ?", (delivery.id, newest)
        )
        return [ATTEMPTS.read(row) for row in reversed(rows)]

    async def attempt(self, delivery: Delivery, number: int) -> Attempt | None:
        rows = await self._database.read(f"{ATTEMPTS.select} WHERE d.id = ? AND number = ?", (delivery.id, number))
        return ATTEMPTS.read(rows[0]) if rows else None


def find(transaction: Transaction, id: str) -> Delivery | None:
    """Inside a transaction: the delivery as it is now."""
    row = transaction.execute(f"{DELIVERIES.select} WHERE d.id = ?", (id,)).fetchone()
    return DELIVERIES.read(row) if row else None
