"""The one log read back in order: what a stream missed, and what a page starts with."""

from __future__ import annotations

from hookbin.clock import MAX_SEQ, Ids
from hookbin.models.announcements import LogRow
from hookbin.store.database import Database
from hookbin.store.requests import SUMMARY, summary_from_row
from hookbin.store.rows import ATTEMPT_SUMMARIES, EVENT_SUMMARIES

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
        sql = f"{EVENT_SUMMARIES.select} WHERE seq {tail}"
        rows += map(EVENT_SUMMARIES.read, await self._database.read(sql, params))
        sql = f"{ATTEMPT_SUMMARIES.select} WHERE a.seq {tail}"
        rows += map(ATTEMPT_SUMMARIES.read, await self._database.read(sql, params))
        rows.sort(key=lambda row: row.seq, reverse=order == "DESC")
        return rows[: params[-1]]
