"""Webhooks: kept in the file, served from memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from hookbin.clock import Clock
from hookbin.errors import WebhookNotFound
from hookbin.models.announcements import Announcement, Removed
from hookbin.models.deliveries import CancelReason
from hookbin.models.webhooks import Webhook, WebhookKind
from hookbin.store.batch import Freeing
from hookbin.store.database import Database
from hookbin.store.delivery_states import cancel_pending
from hookbin.store.publishing import DisabledEventMaker, insert
from hookbin.store.rows import WEBHOOKS
from hookbin.store.transaction import Transaction

_FORGET = "UPDATE webhooks SET deleted_at = ?, secret = '', old_secrets = '[]', headers = '[]' WHERE id = ?"
"""A deleted webhook stays for the log's sake, its secrets don't."""


class WebhookStore:
    """All webhooks by id. A deleted one stays in the file while its deliveries do."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._by_id: dict[str, Webhook] = {}
        self._forwards: dict[str, dict[str, Webhook]] = {}
        self.trail_key = b""
        """What `delivery.trails` of this database are made with, once it is loaded."""
        database.on_commit(self._committed, of=(Webhook, Removed))

    async def load(self) -> None:
        sql = f"{WEBHOOKS.select} WHERE deleted_at IS NULL ORDER BY id"
        for row in await self._database.read(sql):
            self._remember(WEBHOOKS.read(row))
        ((self.trail_key,),) = await self._database.read("SELECT key FROM trail_key")

    def find(self, id: str) -> Webhook | None:
        """Return the webhook of that id, of whatever kind."""
        return self._by_id.get(id)

    def get(self, id: str) -> Webhook:
        """Return the registered webhook of that id. Raises `WebhookNotFound`."""
        webhook = self.find(id)
        if webhook is not None and webhook.kind is WebhookKind.WEBHOOK:
            return webhook
        if webhook is not None and webhook.kind is WebhookKind.FORWARD:
            raise WebhookNotFound(f"{id} is a forward target; GET /bins/{webhook.bin_id} shows it, PATCH changes it")
        raise WebhookNotFound(f"no webhook has the id {id[:64]!r}; GET /webhooks lists them")

    def all(self) -> list[Webhook]:
        """Every registered webhook, oldest first."""
        return [webhook for webhook in self._by_id.values() if webhook.kind is WebhookKind.WEBHOOK]

    def of_every_kind(self) -> list[Webhook]:
        """All that deliveries may go to, oldest first."""
        return list(self._by_id.values())

    def forwards_of(self, bin_id: str) -> Sequence[Webhook]:
        """Return the targets that a bin forwards its captures to, oldest first."""
        return tuple(found.values()) if (found := self._forwards.get(bin_id)) else ()

    async def create(self, webhook: Webhook) -> None:
        await self._database.transact(lambda transaction: add(transaction, webhook))

    async def edit(
        self, id: str, change: Callable[[Webhook], Webhook], *, on_disabled: DisabledEventMaker | None = None
    ) -> Webhook:
        """Write what `change` makes of the webhook as it is now; a disabled one gets its pending deliveries cancelled.

        `change` is applied inside the transaction, so that of two changes at once none is lost. `on_disabled` is
        published if that disables it. Raises `WebhookNotFound` if it was deleted meanwhile.
        """

        def edit_and_tell(transaction: Transaction) -> Webhook | None:
            edited = edit(transaction, id, change, now=self._clock.now())
            if edited is not None and edited.is_newly_disabled and on_disabled is not None:
                insert(transaction, on_disabled(edited.webhook))
            return None if edited is None else edited.webhook

        webhook = await self._database.transact(edit_and_tell)
        if webhook is None:
            raise WebhookNotFound(f"the webhook {id} was deleted meanwhile")
        return webhook

    async def delete(self, webhook: Webhook) -> None:
        """Take the webhook out of use and cancel its pending deliveries."""
        await self._database.transact(
            Freeing(lambda transaction: delete(transaction, webhook.id, now=self._clock.now()))
        )

    def _committed(self, rows: Sequence[Announcement]) -> None:
        for row in rows:
            if isinstance(row, Webhook):
                self._remember(row)
            elif isinstance(row, Removed) and row.kind == "webhook":
                self._forget(row.id)

    def _remember(self, webhook: Webhook) -> None:
        self._by_id[webhook.id] = webhook
        if webhook.bin_id is not None:
            self._forwards.setdefault(webhook.bin_id, {})[webhook.id] = webhook

    def _forget(self, id: str) -> None:
        webhook = self._by_id.pop(id, None)
        if webhook is not None and webhook.bin_id is not None:
            self._forwards[webhook.bin_id].pop(id)
            if not self._forwards[webhook.bin_id]:
                del self._forwards[webhook.bin_id]


def add(transaction: Transaction, webhook: Webhook) -> None:
    """Inside a transaction: write a new webhook."""
    transaction.execute(WEBHOOKS.insert, WEBHOOKS.values(webhook))
    transaction.announce(webhook)


class Edited(msgspec.Struct, frozen=True):
    """A webhook as it was written."""

    webhook: Webhook
    is_newly_disabled: bool


def edit(transaction: Transaction, id: str, change: Callable[[Webhook], Webhook], *, now: int) -> Edited | None:
    """Inside a transaction: write what `change` makes of a webhook. Returns None when it was deleted."""
    row = transaction.execute(f"{WEBHOOKS.select} WHERE id = ? AND deleted_at IS NULL", (id,)).fetchone()
    if row is None:
        return None
    before = WEBHOOKS.read(row)
    webhook = _renewed(change(before), before=before)
    _update(transaction, webhook)
    if webhook.disabled:
        cancel_pending(transaction, id, now=now, reason=CancelReason.WEBHOOK_DISABLED)
    return Edited(webhook, webhook.disabled and not before.disabled)


def set_forwards(transaction: Transaction, bin_id: str, wanted: Sequence[Webhook], *, now: int) -> None:
    """Inside a transaction: make these the forward targets of a bin.

    A target whose destination was one before keeps its id, and so what it still has to get.
    """
    sql = f"{WEBHOOKS.select} WHERE bin_id = ? AND deleted_at IS NULL ORDER BY id"
    before = [WEBHOOKS.read(row) for row in transaction.execute(sql, (bin_id,))]
    for target in wanted:
        known = next((each for each in before if each.destination == target.destination), None)
        if known is None:
            add(transaction, target)
        else:
            before.remove(known)
            kept = msgspec.structs.replace(
                target, id=known.id, created_at=known.created_at, exhausted_in_a_row=known.exhausted_in_a_row
            )
            _update(transaction, _renewed(kept, before=known))
    for target in before:
        delete(transaction, target.id, now=now)


def ensure_once(transaction: Transaction, wanted: Webhook) -> Webhook:
    """Inside a transaction: the destination for single requests that is like `wanted`, made now if there is none."""
    sql = (
        f"{WEBHOOKS.select} WHERE kind = 'once' AND destination = ? AND signature_style = ?"
        " AND secret = ? AND retry_schedule = ?"
    )
    schedule = msgspec.json.encode(wanted.retry_schedule).decode()
    like = (wanted.destination, wanted.signature_style, wanted.secret, schedule)
    row = transaction.execute(sql, like).fetchone()
    if row is None:
        add(transaction, wanted)
        return wanted
    before = WEBHOOKS.read(row)
    kept = _renewed(msgspec.structs.replace(before, disabled=False, disabled_reason=None), before=before)
    _update(transaction, kept)
    return kept


def _renewed(webhook: Webhook, *, before: Webhook) -> Webhook:
    """The webhook with a clean record, when it leads elsewhere than `before` or is enabled anew."""
    if webhook.destination == before.destination and (webhook.disabled or not before.disabled):
        return msgspec.structs.replace(webhook, generation=before.generation)
    return msgspec.structs.replace(webhook, generation=before.generation + 1, exhausted_in_a_row=0)


def _update(transaction: Transaction, webhook: Webhook) -> None:
    transaction.execute(f"{WEBHOOKS.update} WHERE id = ?", (*WEBHOOKS.values(webhook), webhook.id))
    transaction.announce(webhook)


def hide(transaction: Transaction, id: str, *, now: int) -> None:
    """Inside a transaction: take a webhook out of use, but keep its secrets and what is pending."""
    transaction.execute("UPDATE webhooks SET deleted_at = ? WHERE id = ?", (now, id))
    transaction.announce(Removed(kind="webhook", id=id))


def show(transaction: Transaction, id: str) -> None:
    """Inside a transaction: have a hidden webhook back."""
    transaction.execute("UPDATE webhooks SET deleted_at = NULL WHERE id = ?", (id,))
    rows = transaction.execute(f"{WEBHOOKS.select} WHERE id = ?", (id,))
    transaction.announce(*map(WEBHOOKS.read, rows))


def delete(transaction: Transaction, id: str, *, now: int) -> None:
    """Inside a transaction: take a webhook out of use for good, and cancel what is pending."""
    transaction.execute(_FORGET, (now, id))
    cancel_pending(transaction, id, now=now, reason=CancelReason.WEBHOOK_DELETED)
    transaction.announce(Removed(kind="webhook", id=id))
