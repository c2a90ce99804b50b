"""Webhooks: kept in the file, served from memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

import msgspec

from hookbin.clock import Clock
from hookbin.errors import WebhookNotFound
from hookbin.models import Announcement, CancelReason, DeliveryState, Removed, Webhook, WebhookKind
from hookbin.store.database import Database

_FIELDS = Webhook.__struct_fields__
_COLUMNS = ", ".join(_FIELDS)
_JSON_FIELDS = ("events", "headers", "old_secrets", "retry_schedule", "retry_on")
_FORGET = "UPDATE webhooks SET deleted_at = ?, secret = '', old_secrets = '[]', headers = '[]' WHERE id = ?"
"""A deleted webhook stays for the log's sake, its secrets don't."""
_CANCEL_PENDING = (
    f"UPDATE deliveries SET state = '{DeliveryState.CANCELLED}', next_attempt_at = NULL, finished_at = ?,"
    " cancel_reason = ?"
    f" WHERE webhook_id = ? AND state = '{DeliveryState.PENDING}'"
)


class WebhookStore:
    """All webhooks by id. A deleted one stays in the file while its deliveries do."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._by_id: dict[str, Webhook] = {}
        database.on_commit(self._committed, of=(Webhook, Removed))

    async def load(self) -> None:
        sql = f"SELECT {_COLUMNS} FROM webhooks WHERE deleted_at IS NULL ORDER BY id"
        for row in await self._database.read(sql):
            webhook = _from_row(row)
            self._by_id[webhook.id] = webhook

    def find(self, id: str) -> Webhook | None:
        """Of any kind."""
        return self._by_id.get(id)

    def get(self, id: str) -> Webhook:
        """A registered one."""
        webhook = self.find(id)
        if webhook is None or webhook.kind is not WebhookKind.WEBHOOK:
            raise WebhookNotFound(f"no webhook has the id {id[:64]!r}; GET /webhooks lists them")
        return webhook

    def all(self) -> list[Webhook]:
        """Every registered webhook, oldest first."""
        return [webhook for webhook in self._by_id.values() if webhook.kind is WebhookKind.WEBHOOK]

    def of_every_kind(self) -> list[Webhook]:
        """All that deliveries may go to, oldest first."""
        return list(self._by_id.values())

    async def create(self, webhook: Webhook) -> None:
        sql = f"INSERT INTO webhooks ({_COLUMNS}) VALUES ({', '.join('?' * len(_FIELDS))})"
        await self._database.insert(sql, _to_row(webhook), row=webhook)

    async def edit(self, id: str, change: Callable[[Webhook], Webhook]) -> Webhook:
        """Write what `change` makes of the webhook as it is now; a disabled one gets its pending deliveries cancelled.

        `change` is applied inside the transaction, so that of two changes at once none is lost.
        Raises `WebhookNotFound` if it was deleted meanwhile.
        """

        def work(connection: sqlite3.Connection) -> Webhook | None:
            return edit(connection, id, change, now=self._clock.now())

        changed = await self._database.transact(work, rows=lambda changed: () if changed is None else (changed,))
        if changed is None:
            raise WebhookNotFound(f"the webhook {id} was deleted meanwhile")
        return changed

    async def delete(self, webhook: Webhook) -> None:
        """Take the webhook out of use and cancel its pending deliveries."""

        def work(connection: sqlite3.Connection) -> None:
            now = self._clock.now()
            connection.execute(_FORGET, (now, webhook.id))
            connection.execute(_CANCEL_PENDING, (now, CancelReason.WEBHOOK_DELETED, webhook.id))

        await self._database.transact(work, rows=lambda _: (Removed(kind="webhook", id=webhook.id),))

    def _committed(self, rows: Sequence[Announcement]) -> None:
        for row in rows:
            if isinstance(row, Webhook):
                self._by_id[row.id] = row
            elif isinstance(row, Removed) and row.kind == "webhook":
                self._by_id.pop(row.id, None)


def edit(connection: sqlite3.Connection, id: str, change: Callable[[Webhook], Webhook], *, now: int) -> Webhook | None:
    """Inside a transaction: write what `change` makes of a webhook. Returns that, or None when it was deleted."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM webhooks WHERE id = ? AND deleted_at IS NULL", (id,)).fetchone()
    if row is None:
        return None
    before = _from_row(row)
    webhook = change(before)
    if before.disabled and not webhook.disabled:
        webhook = msgspec.structs.replace(webhook, exhausted_in_a_row=0)
    sets = ", ".join(f"{field} = ?" for field in _FIELDS)
    connection.execute(f"UPDATE webhooks SET {sets} WHERE id = ?", (*_to_row(webhook), id))
    if webhook.disabled:
        connection.execute(_CANCEL_PENDING, (now, CancelReason.WEBHOOK_DISABLED, id))
    return webhook


def _to_row(webhook: Webhook) -> tuple[object, ...]:
    return tuple(
        msgspec.json.encode(value).decode() if field in _JSON_FIELDS else value
        for field, value in zip(_FIELDS, msgspec.structs.astuple(webhook), strict=True)
    )


def _from_row(row: tuple[object, ...]) -> Webhook:
    values = dict(zip(_FIELDS, row, strict=True))
    for field in _JSON_FIELDS:
        values[field] = msgspec.json.decode(str(values[field]))
    for field in ("ordered", "disabled"):
        values[field] = bool(values[field])
    return msgspec.convert(values, Webhook)
