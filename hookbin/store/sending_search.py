"""Looking for deliveries and events: newest first, by an index, and no further than a bound.

A search walks one index and looks at `MAX_LOOKED_AT` rows of it at most, however long the history is: what is not in
the index is asked of these. So a page may be short, and says where the search goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from hookbin.clock import MAX_SEQ, lowest_id
from hookbin.models.deliveries import Delivery, DeliveryState, ErrorClass
from hookbin.models.events import EventSummary
from hookbin.names import META_EVENTS
from hookbin.store.database import Database
from hookbin.store.readers import Row
from hookbin.store.rows import DELIVERIES, EVENT_SUMMARIES

T = TypeVar("T")
Position = TypeVar("Position", str, int)

MAX_LOOKED_AT = 10_000
"""Rows that one search looks at."""
_ENDED_BADLY = (DeliveryState.FAILED, DeliveryState.CANCELLED)
_PENDING = "state = 'pending'"
_FIELDS = len(Delivery.__struct_fields__)
_LAST_ATTEMPT = "attempts a ON a.delivery_id = d.id AND a.number = d.attempt_count"
_TABLES = (
    "walked CROSS JOIN deliveries d ON d.id = walked.id CROSS JOIN events e ON e.id = d.event_id"
    f" CROSS JOIN webhooks w ON w.id = d.webhook_id LEFT JOIN {_LAST_ATTEMPT}"
)
_NO_META = f"type NOT IN ({', '.join(repr(type) for type in sorted(META_EVENTS))})"
_AT_TIME = "ifnull((SELECT seq FROM events WHERE id >= ? ORDER BY id LIMIT 1), ?)"
"""The first number that was given to an event then or later."""


class DeliveryFilter(Struct, frozen=True, kw_only=True):
    """What a delivery must be like; what is None or empty is not looked at."""

    state: DeliveryState | None = None
    webhook_id: str | None = None
    event_id: str | None = None
    type: str | None = None
    """The event's type; `*` stands for any characters."""
    statuses: tuple[tuple[int, int], ...] = ()
    """First and last of each range of what the last attempt was answered with; `(0, 0)` for no answer."""
    error: ErrorClass | None = None
    """Why the last attempt got no answer."""
    since: int | None = None
    """Made then or later, µs."""
    until: int | None = None
    """Made before, µs."""


class EventFilter(Struct, frozen=True, kw_only=True):
    """What an event must be like; what is None is not looked at."""

    type: str | None = None
    state: DeliveryState | None = None
    """Of one of its deliveries."""
    webhook_id: str | None = None
    """Of one of its deliveries."""
    request_id: str | None = None
    """The captured request that it sends on."""
    meta: bool = True
    """Whether meta events count."""
    since: int | None = None
    until: int | None = None


class ListedDelivery(Struct, frozen=True):
    """A delivery, and how its last attempt went."""

    delivery: Delivery
    status: int | None
    error: ErrorClass | None


class Outcome(Struct, frozen=True):
    """How many deliveries of an event stand so, for the same reason."""

    state: DeliveryState
    status: int | None
    error: ErrorClass | None
    count: int


class Page(Struct, Generic[T, Position], frozen=True):
    rows: list[T]
    """The newest first."""
    next_before: Position | None
    """Where the search goes on: below this id or number; None when all was looked at."""


class _Conditions:
    """Parts of an SQL condition with their parameters; what has no value is left out."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.params: list[object] = []

    def add(self, sql: str, *values: object) -> None:
        if None not in values:
            self.parts.append(sql)
            self.params += values

    @property
    def sql(self) -> str:
        return " AND ".join(self.parts) or "true"


class SendingSearch:
    """Searches the sending half of the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliveries(
        self, wanted: DeliveryFilter, *, limit: int, before: str | None = None
    ) -> Page[ListedDelivery, str]:
        """The deliveries that are as wanted, up to `limit`, those with an id under `before` only."""
        is_sortable = wanted.state is DeliveryState.PENDING and await self._are_few_pending()
        index, keys, rest = _delivery_conditions(wanted, before, is_sortable=is_sortable)
        walked = f"SELECT id FROM deliveries {index} WHERE {keys.sql} ORDER BY id DESC"
        columns = f"{DELIVERIES.columns}, a.status, a.error"
        rows, next_before = await self._walk("id", walked, keys, rest, columns, _TABLES, limit=limit)
        found = [ListedDelivery(DELIVERIES.read(row[:_FIELDS]), row[-2], _error(row[-1])) for row in rows]
        if len(found) > limit:
            return Page(found[:limit], found[limit - 1].delivery.id)
        return Page(found, None if next_before is None else str(next_before))

    async def events(self, wanted: EventFilter, *, limit: int, before: int | None = None) -> Page[EventSummary, int]:
        """The events that are as wanted, up to `limit`, those with a `seq` under `before` only."""
        keys, rest = _event_conditions(wanted, before)
        walked = f"{EVENT_SUMMARIES.select} WHERE {keys.sql} ORDER BY seq DESC"
        rows, next_before = await self._walk("seq", walked, keys, rest, EVENT_SUMMARIES.columns, "e", limit=limit)
        found = list(map(EVENT_SUMMARIES.read, rows))
        if len(found) > limit:
            return Page(found[:limit], found[limit - 1].seq)
        return Page(found, None if next_before is None else int(next_before))

    async def outcomes(self, event_ids: Sequence[str]) -> dict[str, list[Outcome]]:
        """How the deliveries of each of these events stand, the worst first."""
        found: dict[str, list[Outcome]] = {id: [] for id in event_ids}
        marks = ", ".join("?" * len(event_ids))
        sql = (
            f"SELECT d.event_id, d.state, a.status, a.error, count(*) FROM deliveries d LEFT JOIN {_LAST_ATTEMPT}"
            f" WHERE d.event_id IN ({marks}) GROUP BY 1, 2, 3, 4 ORDER BY d.state = 'succeeded', d.state DESC, 5 DESC"
        )
        for id, state, status, error, count in await self._database.read(sql, tuple(event_ids)):
            found[id].append(Outcome(DeliveryState(state), status, _error(error), count))
        return found

    async def _are_few_pending(self) -> bool:
        """Whether all that is pending can be sorted, since its index has another order."""
        sql = f"SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE {_PENDING} LIMIT ?)"
        ((count,),) = await self._database.read(sql, (MAX_LOOKED_AT,))
        return bool(count < MAX_LOOKED_AT)

    async def _walk(
        self,
        key: str,
        walked: str,
        keys: _Conditions,
        rest: _Conditions,
        columns: str,
        tables: str,
        *,
        limit: int,
    ) -> tuple[list[Row], str | int | None]:
        """Up to one row more than `limit`, and where to go on if the walk ended before them."""
        most = MAX_LOOKED_AT if rest.parts else limit + 1
        sql = f"SELECT {columns} FROM ({walked} LIMIT ?) {tables} WHERE {rest.sql} LIMIT ?"
        rows = await self._database.read(sql, (*keys.params, most, *rest.params, limit + 1))
        if len(rows) > limit or not rest.parts:
            return rows, None
        sql = f"SELECT count(*), min({key}) FROM ({walked} LIMIT ?)"
        ((count, last),) = await self._database.read(sql, (*keys.params, most))
        return rows, last if count == most else None


def _delivery_conditions(
    wanted: DeliveryFilter, before: str | None, *, is_sortable: bool
) -> tuple[str, _Conditions, _Conditions]:
    """The index to walk, what it answers, and what is asked of each row of it."""
    keys, rest = _Conditions(), _Conditions()
    until = None if wanted.until is None else lowest_id("dlv_", wanted.until)
    keys.add("id < ?", min(filter(None, (before, until)), default=None))
    keys.add("id >= ?", None if wanted.since is None else lowest_id("dlv_", wanted.since))
    index = ""
    by_webhook, by_state = rest, rest
    if wanted.event_id is not None:
        keys.add("event_id = ?", wanted.event_id)
    elif wanted.state in _ENDED_BADLY:
        index, by_state = "INDEXED BY deliveries_ended_badly", keys
        keys.add("state IN ('failed', 'cancelled')")  # as the index says it
    elif is_sortable:
        index, by_webhook = "INDEXED BY deliveries_pending", keys
        keys.add(_PENDING)
    elif wanted.webhook_id is not None:
        index, by_webhook = "INDEXED BY deliveries_by_webhook", keys
    by_state.add("state = ?", wanted.state)
    by_webhook.add("webhook_id = ?", wanted.webhook_id)
    rest.add("type GLOB ?", wanted.type)
    rest.add("a.error = ?", wanted.error)
    if wanted.statuses:
        ranges = " OR ".join("coalesce(a.status, 0) BETWEEN ? AND ?" for _ in wanted.statuses)
        rest.add(f"a.number IS NOT NULL AND ({ranges})", *_flat(wanted.statuses))
    return index, keys, rest


def _event_conditions(wanted: EventFilter, before: int | None) -> tuple[_Conditions, _Conditions]:
    keys, rest = _Conditions(), _Conditions()
    below = MAX_SEQ if before is None else before
    if wanted.until is None:
        keys.add("seq < ?", below)
    else:  # one bound, since SQLite begins at the first that it meets
        keys.add(f"seq < min(?, {_AT_TIME})", below, lowest_id("evt_", wanted.until), MAX_SEQ)
    if wanted.since is not None:
        keys.add(f"seq >= {_AT_TIME}", lowest_id("evt_", wanted.since), MAX_SEQ)
    keys.add("request_id = ?", wanted.request_id)
    rest.add("type GLOB ?", wanted.type)
    if not wanted.meta:
        rest.add(_NO_META)
    if wanted.state is not None or wanted.webhook_id is not None:
        of_delivery = _Conditions()
        of_delivery.add("event_id = e.id")
        of_delivery.add("state = ?", wanted.state)
        of_delivery.add("webhook_id = ?", wanted.webhook_id)
        rest.add(f"EXISTS (SELECT 1 FROM deliveries WHERE {of_delivery.sql})", *of_delivery.params)
    return keys, rest


def _flat(ranges: Iterable[tuple[int, int]]) -> list[int]:
    return [bound for each in ranges for bound in each]


def _error(word: str | None) -> ErrorClass | None:
    return None if word is None else ErrorClass(word)
