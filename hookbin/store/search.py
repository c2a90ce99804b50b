"""Looking for requests in a bin: newest first, in small steps, and no further than a bound."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from hookbin.clock import MAX_SEQ
from hookbin.conditions.filters import RequestFilter, body_needed, checks, complaints, text_place
from hookbin.conditions.incoming import Incoming
from hookbin.conditions.matching import Condition
from hookbin.models.bins import Bin
from hookbin.models.common import Headers
from hookbin.models.requests import RequestSummary
from hookbin.store.database import Database
from hookbin.store.requests import SUMMARY, summary_from_row

MAX_ROWS = 12_000
"""Requests that one search looks at: a bin of the default size, with what it may hold too many, in one go."""
MAX_BYTES = 16 * 1024 * 1024
"""Bytes of bodies that one search reads."""
MAX_LOADED = 512 * 1024 * 1024
"""Bytes that SQLite goes through for them: it reads all of a body to give its beginning."""
STEP_ROWS = 500
STEP_BYTES = 1024 * 1024
STEP_LOADED = 32 * 1024 * 1024
"""What is looked at without giving the examiner back in between."""
MAX_COMPARED = 100
"""Requests, the newest, among which those are looked for that are nearly as wanted."""
MAX_SEARCHES = 2
"""Searches under way; fewer than there are readers, so that one is always left for all else."""

_decode_headers = msgspec.json.Decoder(Headers).decode
_PLACES = {name: place for place, name in enumerate(SUMMARY.split(", "))}
_TARGET, _SIZE = _PLACES["target"], _PLACES["size"]
_CUT = _PLACES["truncated"], _PLACES["incomplete"]


class Found(Struct, frozen=True):
    rows: list[RequestSummary]
    """What was found, the newest first."""
    next_before: int | None
    """Where the search goes on: below this `seq`; None when all was looked at."""
    places: dict[int, str] = {}
    """Where the text stands, by `seq`: `target`, `headers` or `body`."""
    longer: int = 0
    """Requests without the text in what was searched of their bodies, which are longer."""


class Miss(Struct, frozen=True):
    """A request that is not as wanted, and why."""

    row: RequestSummary
    complaints: list[str]


class _Step(Struct, frozen=True):
    rows: list[RequestSummary]
    places: dict[int, str]
    position: int
    """The last `seq` that was looked at."""
    looked_at: int
    bytes: int
    loaded: int
    longer: int
    """Requests that were not found, whose bodies go on behind what was searched."""
    ended: bool


class RequestSearch:
    """Searches bins that may hold more than anyone should read at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(MAX_SEARCHES)

    async def find(self, bin: Bin, filter: RequestFilter, *, limit: int, before: int | None) -> Found:
        """Find up to `limit` requests that are as wanted, those with a `seq` under `before` only."""
        rows: list[RequestSummary] = []
        places: dict[int, str] = {}
        position = MAX_SEQ if before is None else before
        looked_at = read = loaded = longer = 0
        inside = checks(filter)
        async with self._turns:
            while looked_at < MAX_ROWS and read < MAX_BYTES and loaded < MAX_LOADED:
                step = await self._step(bin, filter, inside, before=position, limit=limit + 1 - len(rows))
                rows += step.rows
                places |= step.places
                position, looked_at, read = step.position, looked_at + step.looked_at, read + step.bytes
                loaded, longer = loaded + step.loaded, longer + step.longer
                if len(rows) > limit:
                    return Found(rows[:limit], rows[limit - 1].seq, places, longer)
                if step.ended:
                    return Found(rows, None, places, longer)
        return Found(rows, position, places, longer)

    async def nearest(self, bin: Bin, filter: RequestFilter, *, limit: int) -> list[Miss]:
        """Find those of the newest requests that lack the least, the newest first among equals."""

        async with self._turns:
            misses = await self._database.examine(lambda connection: _compare(connection, bin, filter))
        return sorted(misses, key=lambda miss: len(miss.complaints))[:limit]

    async def _step(
        self, bin: Bin, filter: RequestFilter, inside: Sequence[Condition], *, before: int, limit: int
    ) -> _Step:
        return await self._database.examine(
            lambda connection: _look(connection, bin, filter, inside, before=before, limit=limit)
        )


def _look(
    connection: sqlite3.Connection,
    bin: Bin,
    filter: RequestFilter,
    inside: Sequence[Condition],
    *,
    before: int,
    limit: int,
) -> _Step:
    sql = (
        "SELECT min(seq), count(*) FROM (SELECT seq FROM shown_requests WHERE bin = ? AND seq < ?"
        " ORDER BY seq DESC LIMIT ?)"
    )
    lowest, count = connection.execute(sql, (bin.key, before, STEP_ROWS)).fetchone()
    if not count:
        return _Step([], {}, before, 0, 0, 0, 0, True)
    fitting, params = conditions(filter)
    wanted = f"bin = ? AND seq >= ? AND seq < ?{fitting}"
    sql = f"SELECT {_columns(filter)} FROM shown_requests WHERE {wanted} ORDER BY seq DESC"
    found: list[RequestSummary] = []
    place_of = text_place(filter.text) if filter.text is not None else lambda _: None
    places: dict[int, str] = {}
    read = loaded = longer = 0
    ended = count < STEP_ROWS or (filter.after is not None and lowest <= filter.after)
    for *row, trailers, headers, body in connection.execute(sql, (bin.key, lowest, before, *params)):
        seq: int = row[0]
        incoming = _incoming(row, trailers, headers, body)
        read += len(body)
        loaded += row[_SIZE] if body else 0
        if all(check.holds(incoming) for check in inside):
            found.append(summary_from_row(tuple(row), bin_id=bin.id))
            places |= {seq: place} if (place := place_of(incoming)) else {}
        elif filter.text is not None:
            longer += incoming.goes_on
        if len(found) == limit or read >= STEP_BYTES or loaded >= STEP_LOADED:
            return _Step(found, places, seq, count, read, loaded, longer, ended and seq == lowest)
    return _Step(found, places, lowest, count, read, loaded, longer, ended)


def _incoming(row: list[Any], trailers: bytes | None, headers: bytes, body: bytes) -> Incoming:
    """A row as conditions look at it, with the beginning of its body."""
    cut = len(body) < row[_SIZE] or any(row[place] for place in _CUT)
    return Incoming(
        target=row[_TARGET],
        headers=_decode_headers(headers),
        body=body,
        cut=cut,
        trailers=_decode_headers(trailers) if trailers else (),
    )


def _columns(filter: RequestFilter) -> str:
    """What is read of each row; SQLite reads all of a body to give its beginning."""
    needed = body_needed(filter)
    return f"{SUMMARY}, trailers, headers, " + (f"ifnull(substr(body, 1, {needed}), x'')" if needed else "x''")


def _compare(connection: sqlite3.Connection, bin: Bin, filter: RequestFilter) -> list[Miss]:
    inside = checks(filter)
    misses: list[Miss] = []
    read = 0
    sql = f"SELECT {_columns(filter)} FROM shown_requests WHERE bin = ? AND seq > ? ORDER BY seq DESC LIMIT ?"
    for *values, trailers, headers, body in connection.execute(sql, (bin.key, filter.after or 0, MAX_COMPARED)):
        row = summary_from_row(tuple(values), bin_id=bin.id)
        if found := complaints(filter, inside, row, _incoming(values, trailers, headers, body)):
            misses.append(Miss(row, found))
        read += len(body)
        if read >= MAX_BYTES:
            break
    return misses


def conditions(filter: RequestFilter) -> tuple[str, list[object]]:
    """Return what the columns of a row can answer, as SQL with its parameters."""
    parts: list[str] = []
    params: list[object] = []

    def add(sql: str, *values: object) -> None:
        parts.append(f" AND {sql}")
        params.extend(values)

    if filter.methods:
        add(f"method IN ({', '.join('?' * len(filter.methods))})", *filter.methods)
    if filter.statuses:
        ranges = " OR ".join("coalesce(answer_status, 0) BETWEEN ? AND ?" for _ in filter.statuses)
        add(f"({ranges})", *(bound for range in filter.statuses for bound in range))
    compared = {
        "seq > ?": filter.after,
        "received_at >= ?": filter.since,
        "received_at < ?": filter.until,
        "signature = ?": filter.signature,
        "(malformed IS NOT NULL) = ?": filter.malformed,
        "pinned = ?": filter.pinned,
        "attempt_id = ?": filter.attempt_id,
    }
    for sql, value in compared.items():
        if value is not None:
            add(sql, value)
    return "".join(parts), params
