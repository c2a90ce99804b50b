"""The one log read back in order: what a stream missed, and what a page starts with."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from hookbin.clock import MAX_SEQ, Ids
from hookbin.models.announcements import LogRow
from hookbin.store.database import Database
from hookbin.store.readers import Row
from hookbin.store.requests import SUMMARY, summary_from_row
from hookbin.store.rows import ATTEMPT_SUMMARIES, EVENT_SUMMARIES

_LAST_GIVEN = (
    "SELECT (SELECT max(id) FROM events), (SELECT max(id) FROM deliveries), (SELECT max(d.turn) FROM"
    " (SELECT id, deliver_at FROM events ORDER BY seq DESC LIMIT 1000) e JOIN deliveries d ON d.event_id = e.id"
    " WHERE e.deliver_at IS NULL)"
)
"""Turns rise, so that the last one is the highest of the last events; an appointment is its own turn."""


class LogFilter(Struct, frozen=True, kw_only=True):
    """Whose rows are read, and of which kinds; None stands for all."""

    bin_id: str | None = None
    webhook_id: str | None = None
    kinds: frozenset[str] | None = None

    @property
    def is_for_all(self) -> bool:
        return self.bin_id is None and self.webhook_id is None


EVERYTHING = LogFilter()


class LogStore:
    """The rows of all three tables as one sequence."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def between(self, after: int, upto: int, *, limit: int, wanted: LogFilter = EVERYTHING) -> list[LogRow]:
        """The first `limit` rows with `after < seq <= upto`, in order."""
        return await self._rows("BETWEEN ? AND ?", "ASC", (after + 1, upto), limit=limit, wanted=wanted)

    async def go_on(self, ids: Ids) -> None:
        """Let ids and turns rise from those that were given last, though the clock was set back before a restart."""
        ((event, delivery, turn),) = await self._database.read(_LAST_GIVEN)
        if event is not None:
            ids.go_on_behind(max(event, delivery or "", key=lambda id: id[4:]), turn=turn or 0)

    async def newest(self, *, limit: int, upto: int = MAX_SEQ) -> list[LogRow]:
        """The last `limit` rows with `seq <= upto`, the newest first."""
        return await self._rows("<= ?", "DESC", (upto,), limit=limit, wanted=EVERYTHING)

    async def _rows(
        self, span: str, order: str, params: tuple[int, ...], *, limit: int, wanted: LogFilter
    ) -> list[LogRow]:
        rows: list[LogRow] = []
        for source in _SOURCES:
            owner = source.owner(wanted)
            if (owner is None and not wanted.is_for_all) or source.kind not in (wanted.kinds or {source.kind}):
                continue
            whose, values = ("", params) if owner is None else (f" AND {source.owned}", (*params, owner))
            sql = f"{source.select} WHERE {source.seq} {span}{whose} ORDER BY 1 {order} LIMIT ?"
            rows += map(source.read, await self._database.read(sql, (*values, limit)))
        rows.sort(key=lambda row: row.seq, reverse=order == "DESC")
        return rows[:limit]


class _Source(Struct, frozen=True, kw_only=True):
    """One of the tables that the log is made of."""

    kind: str
    select: str
    seq: str
    read: Callable[[Row], LogRow]
    owner: Callable[[LogFilter], str | None] = lambda wanted: None
    """Whose rows are wanted of it."""
    owned: str = ""


_SOURCES = (
    _Source(
        kind="request",
        select=f"SELECT {SUMMARY}, b.id FROM shown_requests JOIN shown_bins b ON b.key = bin",
        seq="seq",
        read=lambda row: summary_from_row(row[:-1], bin_id=row[-1]),
        owner=lambda wanted: wanted.bin_id,
        owned="b.id = ?",
    ),
    _Source(kind="event", select=EVENT_SUMMARIES.select, seq="seq", read=EVENT_SUMMARIES.read),
    _Source(
        kind="attempt",
        select=ATTEMPT_SUMMARIES.select,
        seq="a.seq",
        read=ATTEMPT_SUMMARIES.read,
        owner=lambda wanted: wanted.webhook_id,
        owned="d.webhook_id = ?",
    ),
)
