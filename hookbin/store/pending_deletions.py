"""Deletions that can be undone: what is to go is hidden at once, and goes when it is due.

- Requests are hidden by their numbers, in `hidden_requests`; whoever reads requests reads `shown_requests`. Taking in a
  request asks for none of it; to hide 100,000 takes the writer 0.12 s. What is hidden is neither trimmed nor counted,
  so counts stay right whatever happens.
- A hidden bin goes on capturing, so that nothing is missing from it when it comes back.
- A hidden webhook is a deleted one that keeps its secrets and what is pending: nothing is sent to it, nor published.
- To hide takes room, so on a full disk it fails as any write does; carrying it out makes room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from hookbin.clock import Clock, Ids
from hookbin.errors import UndoNotFound
from hookbin.models.announcements import RequestsDeleted
from hookbin.models.bins import Bin
from hookbin.models.common import SECOND
from hookbin.models.pending_deletions import DeletionKind, DeletionUndone, PendingDeletion
from hookbin.models.webhooks import Webhook
from hookbin.store import bins, webhooks
from hookbin.store.batch import Freeing
from hookbin.store.database import Database
from hookbin.store.delete_requests import ALL, FOUND, PINNED, STEP, STEP_BYTES, delete_rows
from hookbin.store.rows import PENDING_DELETIONS
from hookbin.store.transaction import Transaction

_HIDE = "INSERT INTO hidden_requests SELECT seq, ? FROM shown_requests WHERE "
_NEXT = (
    "SELECT seq, ifnull(size, 0) FROM hidden_requests LEFT JOIN requests USING (seq) WHERE deletion = ?"
    " ORDER BY seq LIMIT ?"
)
_OF_STEP = "deletion = ? AND seq BETWEEN ? AND ?"

Condition = tuple[str, tuple[object, ...]]


class PendingDeletions:
    """Hides, undoes and carries out."""

    def __init__(self, database: Database, *, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    async def all(self) -> list[PendingDeletion]:
        """Every one that is not carried out yet, those due first in front."""
        sql = f"{PENDING_DELETIONS.select} ORDER BY due"
        return [PENDING_DELETIONS.read(row) for row in await self._database.read(sql)]

    async def hide_request(self, seq: int, *, seconds: int) -> PendingDeletion | None:
        """Hide the request of that number; None if there is none."""

        def hide(transaction: Transaction) -> PendingDeletion | None:
            sql = "SELECT shown_bins.id, pinned FROM shown_requests JOIN shown_bins ON key = bin WHERE seq = ?"
            found = transaction.execute(sql, (seq,)).fetchone()
            if found is None:
                return None
            pending = self._new(DeletionKind.REQUESTS, found[0], seconds, count=1, pinned=found[1])
            transaction.execute(_HIDE + "seq = ?", (_add(transaction, pending), seq))
            transaction.announce(_told(pending, sign=1, seq=seq))
            return pending

        return await self._database.transact(Freeing(hide))

    async def hide_requests(
        self, bin: Bin, seqs: Sequence[int] | None, *, with_pinned: bool, seconds: int
    ) -> PendingDeletion | None:
        """Hide a bin's requests of these numbers, or all that are captured so far; None if there are none."""
        if seqs is None:
            upto = self._database.last_seq
            unpinned: Condition = (ALL, (bin.key, upto))
            pinned: Condition = (PINNED, (bin.key, upto))
        else:
            numbers = msgspec.json.encode(seqs).decode()
            unpinned = (f"{FOUND} AND NOT pinned", (bin.key, numbers, with_pinned))
            pinned = (f"{FOUND} AND pinned", (bin.key, numbers, with_pinned))

        def hide(transaction: Transaction) -> PendingDeletion | None:
            pending = self._new(DeletionKind.REQUESTS, bin.id, seconds)
            key = _add(transaction, pending)
            counts = [
                transaction.execute(_HIDE + condition, (key, *params)).rowcount if wanted else 0
                for (condition, params), wanted in ((unpinned, True), (pinned, with_pinned))
            ]
            pending = msgspec.structs.replace(pending, count=sum(counts), pinned=counts[1])
            if not pending.count:
                transaction.execute("DELETE FROM pending_deletions WHERE key = ?", (key,))
                return None
            sql = "UPDATE pending_deletions SET count = ?, pinned = ? WHERE key = ?"
            transaction.execute(sql, (pending.count, pending.pinned, key))
            transaction.announce(pending, _told(pending, sign=1))
            return pending

        return await self._database.transact(Freeing(hide))

    async def hide_bin(self, bin: Bin, *, seconds: int) -> PendingDeletion:
        pending = self._new(DeletionKind.BIN, bin.id, seconds)
        await self._database.transact(Freeing(lambda transaction: _add(transaction, pending)))
        return pending

    async def hide_webhook(self, webhook: Webhook, *, seconds: int) -> PendingDeletion:
        pending = self._new(DeletionKind.WEBHOOK, webhook.id, seconds)

        def hide(transaction: Transaction) -> None:
            _add(transaction, pending)
            webhooks.hide(transaction, webhook.id, now=self._clock.now())

        await self._database.transact(Freeing(hide))
        return pending

    async def undo(self, id: str) -> PendingDeletion:
        """Have everything there again that it hid. Raises `UndoNotFound`."""

        def show_again(transaction: Transaction) -> PendingDeletion | None:
            sql = f"DELETE FROM pending_deletions WHERE id = ? AND due > 0 RETURNING key, {PENDING_DELETIONS.columns}"
            found = transaction.execute(sql, (id,)).fetchone()
            if found is None:
                return None
            pending = PENDING_DELETIONS.read(found[1:])
            transaction.execute("DELETE FROM hidden_requests WHERE deletion = ?", found[:1])
            transaction.announce(DeletionUndone(kind=pending.kind, target=pending.target))
            _SHOW[pending.kind](transaction, pending)
            return pending

        pending = await self._database.transact(show_again)
        if pending is None:
            raise UndoNotFound(f"nothing that could be undone has the id {id[:64]!r}; it was carried out, or undone")
        return pending

    async def carry_out(self, pending: PendingDeletion) -> None:
        """Delete what it hides, in steps that no capture waits for; nothing is done if it was undone meanwhile."""
        while await self._database.transact(Freeing(lambda each: _step(each, pending, now=self._clock.now()))):
            pass

    def _new(self, kind: DeletionKind, target: str, seconds: int, **counts: int) -> PendingDeletion:
        due = self._clock.now() + seconds * SECOND
        return PendingDeletion(id=self._ids.undo(), kind=kind, target=target, due=due, **counts)


def _add(transaction: Transaction, pending: PendingDeletion) -> int:
    """Write it and return its key; it is announced, but for several requests, whose number is not known yet."""
    key = transaction.execute(PENDING_DELETIONS.insert, PENDING_DELETIONS.values(pending)).lastrowid
    if pending.kind is not DeletionKind.REQUESTS or pending.count:
        transaction.announce(pending)
    return key or 0


def _step(transaction: Transaction, pending: PendingDeletion, *, now: int) -> bool:
    """Take one step of carrying it out; returns whether there is another."""
    found = transaction.execute("SELECT key FROM pending_deletions WHERE id = ?", (pending.id,)).fetchone()
    if found is None:
        return False
    (key,) = found
    if pending.kind is DeletionKind.REQUESTS and _delete_some(transaction, key):
        transaction.execute("UPDATE pending_deletions SET due = 0 WHERE key = ?", (key,))
        return True
    transaction.execute("DELETE FROM pending_deletions WHERE key = ?", (key,))
    if pending.kind is DeletionKind.BIN:
        bins.delete(transaction, pending.target, now=now)
    elif pending.kind is DeletionKind.WEBHOOK:
        webhooks.delete(transaction, pending.target, now=now)
    return False


def _delete_some(transaction: Transaction, key: int) -> int:
    """Delete the oldest that are hidden by that deletion, and were counted and told as gone when they were hidden."""
    seqs: list[int] = []
    taken = 0
    for seq, size in transaction.execute(_NEXT, (key, STEP)):
        seqs.append(seq)
        taken += size
        if taken >= STEP_BYTES:
            break
    if seqs:
        step = (key, seqs[0], seqs[-1])
        hidden = f"SELECT seq FROM hidden_requests WHERE {_OF_STEP}"
        delete_rows(transaction, f"seq IN ({hidden})", *step)
        transaction.execute(f"DELETE FROM hidden_requests WHERE {_OF_STEP}", step)
    return len(seqs)


def _told(pending: PendingDeletion, *, sign: int, seq: int | None = None) -> RequestsDeleted:
    return RequestsDeleted(
        bin_id=pending.target, count=sign * pending.count, pinned=sign * pending.pinned, seq=seq, complete=seq is None
    )


_SHOW: dict[DeletionKind, Callable[[Transaction, PendingDeletion], None]] = {
    DeletionKind.REQUESTS: lambda transaction, pending: transaction.announce(_told(pending, sign=-1)),
    DeletionKind.BIN: lambda transaction, pending: bins.announce(transaction, pending.target),
    DeletionKind.WEBHOOK: lambda transaction, pending: webhooks.show(transaction, pending.target),
}
