"""The one log read back in order: what a stream missed, and what a page starts with."""

from __future__ import annotations

from typing import Any

import msgspec

from hookbin.clock import MAX_SEQ, Ids
from hookbin.models.announcements import LogRow
from hookbin.models.deliveries import AttemptSummary
from hookbin.store import events
from hookbin.store.database import Database, Row
from hookbin.store.requests import SUMMARY, summary_from_row

_ATTEMPT_FIELDS = AttemptSummary.__struct_fields__
_ATTEMPT_SOURCE = {
    "event_id": "d.event_id",
    "event_type": "e.type",
    "webhook_id": "d.webhook_id",
    "webhook_name": "w.name",
}
_ATTEMPT = ", ".join(_ATTEMPT_SOURCE.get(field, f"a.{field}") for field in _ATTEMPT_FIELDS)
_ATTEMPTS = (
    "attempts a JOIN deliveries d ON d.id = a.delivery_id JOIN events e ON e.id = d.event_id"
    " JOIN webhooks w ON w.id = d.webhook_id"
)

_LAST_GIVEN = (
    "SELECT (SELECT max(id) FROM events), (SELECT max(id) FROM deliveries), (SELECT max(d.turn) FROM"
    " (SELECT id, deliver_at FROM events ORDER BY seq DESC LIMIT 1000) e JOIN deliveries d ON d.event_id = e.id"
    " WHERE e.deliver_at IS NULL)"
)
"""Turns rise, so that the last one is the highest of the last events; an appointment is its own turn."""


class LogStore:
    """The rows of all three tables as one sequence."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def between(self, after: int, upto: int, *, limit: int) -> list[LogRow]:
        """The first `limit` rows with `after < seq <= upto`, in order."""
        return await self._rows("BETWEEN ? AND ?", "ASC", (after + 1, upto, limit))

    async def go_on(self, ids: Ids) -> None:
        """Let ids and turns rise from those that were given last, though the clock was set back before a restart."""
        ((event, delivery, turn),) = await self._database.read(_LAST_GIVEN)
        if event is not None:
            ids.go_on_behind(max(event, delivery or "", key=lambda id: id[4:]), turn=turn or 0)

    async def newest(self, *, limit: int, upto: int = MAX_SEQ) -> list[LogRow]:
        """The last `limit` rows with `seq <= upto`, the newest first."""
        return await self._rows("<= ?", "DESC", (upto, limit))

    async def _rows(self, condition: str, order: str, params: tuple[int, ...]) -> list[LogRow]:
        rows: list[LogRow] = []
        tail = f"{condition} ORDER BY 1 {order} LIMIT ?"
        sql = f"SELECT {SUMMARY}, b.id FROM shown_requests JOIN shown_bins b ON b.key = bin WHERE seq {tail}"
        rows += [summary_from_row(row[:-1], bin_id=row[-1]) for row in await self._database.read(sql, params)]
        sql = f"SELECT {events.SUMMARY} FROM events WHERE seq {tail}"
        rows += [events.to_summary(row) for row in await self._database.read(sql, params)]
        sql = f"SELECT {_ATTEMPT} FROM {_ATTEMPTS} WHERE a.seq {tail}"
        rows += [_to_attempt(row) for row in await self._database.read(sql, params)]
        rows.sort(key=lambda row: row.seq, reverse=order == "DESC")
        return rows[: params[-1]]


def _to_attempt(row: Row) -> AttemptSummary:
    fields: dict[str, Any] = dict(zip(_ATTEMPT_FIELDS, row, strict=True))
    return msgspec.convert(fields, AttemptSummary)
