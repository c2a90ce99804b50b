"""Captured requests deleted by hand: one, those that were found, or all of a bin; in steps no capture waits for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hookbin.models.announcements import RequestsDeleted
from hookbin.models.bins import Bin
from hookbin.store.batch import Freeing
from hookbin.store.database import Database
from hookbin.store.transaction import Transaction

STEP = 500
"""Rows that one transaction deletes at most."""
STEP_BYTES = 32 * 1024 * 1024
"""Bytes of bodies over which it takes fewer: each of their pages is visited."""

_SHOWN = "seq NOT IN (SELECT seq FROM hidden_requests)"
"""What is hidden goes with its own deletion (`pending_deletions`), which has counted it."""
_ONE = "seq = ?"
FOUND = "bin = ? AND seq IN (SELECT value FROM json_each(?)) AND (NOT pinned OR ?)"
ALL = "bin = ? AND seq <= ? AND NOT pinned"
PINNED = "bin = ? AND seq <= ? AND pinned"


_KEEP_HIGHEST = (
    "UPDATE highest_seq SET seq = (SELECT max(seq) FROM requests) WHERE seq < (SELECT max(seq) FROM requests)"
)
"""No number may be given out again, also not that of the newest row."""
_STEP = (
    "SELECT count(*), ifnull(sum(pinned), 0), ifnull(sum(size), 0), min(seq), max(seq) FROM"
    " (SELECT seq, pinned, size FROM shown_requests WHERE {condition} ORDER BY seq LIMIT ?)"
)
"""In one row, since the interpreter's lock is given away and taken back for each."""


def delete_rows(transaction: Transaction, condition: str, *params: object) -> None:
    """Delete captured requests; nothing else does."""
    transaction.execute(_KEEP_HIGHEST)
    transaction.execute(f"DELETE FROM requests WHERE {condition}", params)


def delete_some(transaction: Transaction, condition: str, *params: object, most: int = STEP) -> tuple[int, int]:
    """Delete the oldest requests that meet the condition, as many as make one step; how many went, and were pinned.

    They are found first and go by the range of their numbers: their index is gone through once and in order.
    """
    count, pinned, first, last = _find_step(transaction, condition, *params, most=most)
    if count:
        delete_rows(transaction, f"{condition} AND seq BETWEEN ? AND ? AND {_SHOWN}", *params, first, last)
    return count, pinned


def _find_step(transaction: Transaction, condition: str, *params: object, most: int) -> tuple[int, int, int, int]:
    """How many the step is, how many of them are pinned, and the first and the last number."""
    while True:
        found = transaction.execute(_STEP.format(condition=condition), (*params, most)).fetchone()
        count, pinned, size, first, last = found
        if count < 2 or size <= STEP_BYTES:
            return count, pinned, first, last
        most = count // 2


class RequestRemoval:
    """Deletes requests; what is deleted is announced, and gone for every reader by then."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def one(self, seq: int) -> bool:
        """Delete the request of that number; returns whether there was one."""

        def delete(transaction: Transaction) -> bool:
            sql = "SELECT bins.id FROM shown_requests JOIN shown_bins AS bins ON bins.key = bin WHERE seq = ?"
            bin = transaction.execute(sql, (seq,)).fetchone()
            if bin is None:
                return False
            _, pinned = delete_some(transaction, _ONE, seq)
            transaction.announce(RequestsDeleted(bin_id=bin[0], count=1, pinned=pinned, seq=seq))
            return True

        return await self._database.transact(Freeing(delete))

    async def found(self, bin: Bin, seqs: Sequence[int], *, with_pinned: bool) -> int:
        """Delete the requests of these numbers; returns how many went."""
        numbers = msgspec.json.encode(seqs).decode()
        return await self._in_steps(bin, (FOUND, bin.key, numbers, with_pinned))

    async def all(self, bin: Bin, *, with_pinned: bool) -> int:
        """Delete all that is captured so far; returns how many went."""
        upto = self._database.last_seq
        conditions = [(ALL, bin.key, upto), (PINNED, bin.key, upto)]
        return await self._in_steps(bin, *conditions[: 1 + with_pinned])

    async def _in_steps(self, bin: Bin, *conditions: tuple[object, ...]) -> int:
        total = 0
        for condition, *params in conditions:
            while gone := await self._step(bin, str(condition), *params):
                total += gone
        if total:
            done = RequestsDeleted(bin_id=bin.id, count=0, pinned=0, seq=None, complete=True)
            await self._database.transact(lambda transaction: transaction.announce(done))
        return total

    async def _step(self, bin: Bin, condition: str, *params: object) -> int:
        return await self._database.transact(Freeing(lambda each: delete_of_bin(each, bin, condition, *params)))


def delete_of_bin(transaction: Transaction, bin: Bin, condition: str, *params: object, most: int = STEP) -> int:
    """Delete one step of a bin's requests that meet the condition, and announce it; returns how many went."""
    count, pinned = delete_some(transaction, condition, *params, most=most)
    transaction.announce(RequestsDeleted(bin_id=bin.id, count=count, pinned=pinned, seq=None))
    return count
