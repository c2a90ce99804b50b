"""What is deleted in the end, in steps so small that no capture waits for one."""

from __future__ import annotations

from hookbin.models.announcements import Removed
from hookbin.models.bins import Bin
from hookbin.models.common import SECOND
from hookbin.store.batch import Freeing
from hookbin.store.database import Database
from hookbin.store.delete_requests import STEP, delete_of_bin, delete_some
from hookbin.store.transaction import Transaction

MAX_ENDED_DELIVERIES = 100_000
"""Deliveries kept after they ended, with their attempts; and events that led to no delivery."""

_OF_BIN = "bin = ?"
_UNPINNED_OF_BIN = "bin = ? AND NOT pinned"
_EXPIRED = (
    "SELECT max(seq) FROM (SELECT seq, received_at FROM shown_requests WHERE bin = ? AND NOT pinned"
    " ORDER BY seq LIMIT ?) WHERE received_at < ?"
)
_EXPIRED_OF_BIN = "bin = ? AND NOT pinned AND received_at < ? AND seq <= ?"
_BINS_HELD = (  # jumps from bin to bin in the index, however many requests they hold
    "WITH RECURSIVE held(bin) AS (SELECT min(bin) FROM requests UNION ALL"
    " SELECT (SELECT min(bin) FROM requests WHERE bin > held.bin) FROM held WHERE held.bin IS NOT NULL)"
)
_DELETED_BINS = f"{_BINS_HELD} SELECT bin FROM held WHERE bin IS NOT NULL AND bin NOT IN (SELECT key FROM bins) LIMIT 1"
_OLDEST_KEPT_EVENT = "SELECT seq FROM events ORDER BY id DESC LIMIT 1 OFFSET ?"  # the index on ids holds all of it
_UNDELIVERED_EVENTS = (
    "SELECT seq FROM events WHERE seq >= ? AND seq < ?"
    " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id) ORDER BY seq LIMIT ?"
)
_ENDED = (  # two counts that indexes answer; one of all that are not pending reads every row
    "SELECT (SELECT count(*) FROM deliveries) - (SELECT count(*) FROM deliveries WHERE state = 'pending')"
)
_DONE_WITH = (
    "SELECT id, deleted_at FROM webhooks WHERE (deleted_at IS NOT NULL OR kind = 'once')"
    " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE webhook_id = webhooks.id)"
    " AND id NOT IN (SELECT target FROM pending_deletions) LIMIT ?"
)


class Retention:
    """Each method takes one step and returns how many rows went; 0 means that nothing is left to do."""

    def __init__(self, database: Database, *, ended_deliveries: int = MAX_ENDED_DELIVERIES) -> None:
        self._database = database
        self._ended_deliveries = ended_deliveries
        self._newest_event: int | None = None
        self._events_looked_at = 0
        """Below this `seq` each event has deliveries, with the last of which it goes."""

    async def trim_bin(self, bin: Bin, *, count: int, now: int) -> int:
        """Delete requests of `bin` that are over its number or its age; `count` is what it holds unpinned."""
        over = count - bin.max_requests
        if over > 0:
            return await self._delete(bin, _UNPINNED_OF_BIN, bin.key, most=min(over, STEP))
        if bin.max_age is None:
            return 0
        before = now - bin.max_age * SECOND
        ((newest,),) = await self._database.read(_EXPIRED, (bin.key, STEP, before))
        return 0 if newest is None else await self._delete(bin, _EXPIRED_OF_BIN, bin.key, before, newest)

    async def trim_orphans(self) -> int:
        """Delete requests whose bin was deleted."""
        deleted = await self._database.read(_DELETED_BINS)
        if not deleted:
            return 0
        return await self._database.transact(Freeing(lambda each: delete_some(each, _OF_BIN, *deleted[0])[0]))

    async def trim_deliveries(self) -> int:
        """Delete the oldest ended deliveries, their attempts, and events that have no delivery left."""
        ((ended,),) = await self._database.read(_ENDED)
        over = min(ended - self._ended_deliveries, STEP)
        if over <= 0:
            return 0

        def delete_ended(transaction: Transaction) -> int:
            sql = "SELECT id, event_id FROM deliveries WHERE state != 'pending' ORDER BY id LIMIT ?"
            rows = transaction.execute(sql, (over,)).fetchall()
            transaction.executemany("DELETE FROM attempts WHERE delivery_id = ?", [(id,) for id, _ in rows])
            transaction.executemany("DELETE FROM deliveries WHERE id = ?", [(id,) for id, _ in rows])
            transaction.executemany(
                "DELETE FROM events WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = ?1)",
                list({(event,) for _, event in rows}),
            )
            return len(rows)

        return await self._database.transact(Freeing(delete_ended))

    async def trim_undelivered_events(self) -> int:
        """Delete the oldest events that no webhook wanted."""
        ((newest,),) = await self._database.read("SELECT max(seq) FROM events")
        if newest == self._newest_event:
            return 0
        oldest_kept = await self._database.read(_OLDEST_KEPT_EVENT, (self._ended_deliveries,))
        upto: int = oldest_kept[0][0] if oldest_kept else 0
        found = await self._database.read(_UNDELIVERED_EVENTS, (self._events_looked_at, upto, STEP))
        if len(found) < STEP:
            self._newest_event = newest
        self._events_looked_at = upto if len(found) < STEP else found[-1][0]
        if not found:
            return 0

        def delete_undelivered(transaction: Transaction) -> int:
            sql = (
                "DELETE FROM events WHERE seq = ? AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id)"
            )
            return transaction.executemany(sql, found).rowcount

        return await self._database.transact(Freeing(delete_undelivered))

    async def trim_webhooks(self) -> int:
        """Delete webhooks whose last delivery is gone, if they were deleted or made for single requests."""
        if not await self._database.read(_DONE_WITH, (1,)):
            return 0

        def delete_done_with(transaction: Transaction) -> int:
            found = transaction.execute(_DONE_WITH, (STEP,)).fetchall()  # anew: one may have been used meanwhile
            transaction.executemany("DELETE FROM webhooks WHERE id = ?", [(id,) for id, _ in found])
            # what was deleted by its owner was announced then
            transaction.announce(*(Removed(kind="webhook", id=id) for id, deleted_at in found if deleted_at is None))
            return len(found)

        return await self._database.transact(Freeing(delete_done_with))

    async def _delete(self, bin: Bin, condition: str, *params: int, most: int = STEP) -> int:
        return await self._database.transact(
            Freeing(lambda transaction: delete_of_bin(transaction, bin, condition, *params, most=most))
        )
