"""All of a bin from the oldest on, a bounded piece at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hookbin.conditions.filters import RequestFilter, checks
from hookbin.conditions.incoming import captured
from hookbin.models.bins import Bin
from hookbin.models.requests import CapturedRequest
from hookbin.store.database import Database
from hookbin.store.requests import FULL, request_from_row
from hookbin.store.search import conditions

_ROWS = 200
_BYTES = 1024 * 1024
"""Bytes of bodies that are read at once; a larger body is read alone."""


class RequestExport:
    """Reads bins that may be larger than memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def oldest_first(self, bin: Bin, filter: RequestFilter, *, until: int) -> AsyncIterator[CapturedRequest]:
        """Yield the requests that are as wanted, up to the `seq` `until`; one deleted meanwhile may be missing."""
        inside = checks(filter)
        position = 0
        while sizes := await self._sizes(bin, filter, after=position, until=until):
            first, position = position, _last_of_piece(sizes)
            for request in await self._between(bin, filter, after=first, until=position):
                incoming = captured(request)
                if all(check.holds(incoming) for check in inside):
                    yield request

    async def _sizes(self, bin: Bin, filter: RequestFilter, *, after: int, until: int) -> list[tuple[int, int]]:
        fitting, params = conditions(filter)
        rows = await self._database.read(
            "SELECT seq, size FROM shown_requests WHERE bin = ? AND seq > ? AND seq <= ?"
            f"{fitting} ORDER BY seq LIMIT ?",
            (bin.key, after, until, *params, _ROWS),
        )
        return [(seq, size) for seq, size in rows]

    async def _between(self, bin: Bin, filter: RequestFilter, *, after: int, until: int) -> list[CapturedRequest]:
        fitting, params = conditions(filter)
        rows = await self._database.read(
            f"SELECT {FULL} FROM shown_requests JOIN bins ON bins.key = bin"
            f" WHERE bin = ? AND seq > ? AND seq <= ?{fitting} ORDER BY seq",
            (bin.key, after, until, *params),
        )
        return [request_from_row(row) for row in rows]


def _last_of_piece(sizes: list[tuple[int, int]]) -> int:
    """The last `seq` up to which the bodies together stay under the bound; the first one in any case."""
    last, total = sizes[0]
    for seq, size in sizes[1:]:
        total += size
        if total > _BYTES:
            break
        last = seq
    return last
