"""The lines that say what requests are, for the rows that a page shows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hookbin.bodies.headline import headline
from hookbin.shapes.requests import RequestRow
from hookbin.store.requests import RequestStore


async def with_headlines(rows: Sequence[RequestRow], requests: RequestStore) -> list[RequestRow]:
    """The same rows, each with its line."""
    openings = await requests.openings([row.seq for row in rows])
    return [
        msgspec.structs.replace(row, headline=headline(begins.headers, begins.body))
        if (begins := openings.get(row.seq))
        else row
        for row in rows
    ]
