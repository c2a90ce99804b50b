"""A database with very many pending deliveries, as a long outage would leave it, written in one go."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from msgspec.structs import replace

from hookbin.clock import SystemClock
from hookbin.models.common import SECOND
from hookbin.store.publishing import Publication, insert
from tests.builders import a_delivery, an_event, open_stores

WEBHOOKS = 50
_PAD = b"x" * 500


async def build(path: Path, *, deliveries: int, destination: str) -> None:
    """Pending deliveries of `WEBHOOKS` webhooks to one destination, all of them overdue for an hour."""
    clock = SystemClock()
    async with open_stores(path, clock=clock) as stores:
        webhooks = [await stores.register(stores.ids.webhook(), destination=destination) for _ in range(WEBHOOKS)]
        began = clock.now() - 3_600 * SECOND

        def work(connection: sqlite3.Connection) -> None:
            for number in range(deliveries // WEBHOOKS):
                body = b'{"number":%d,"pad":"%b"}' % (number, _PAD)
                id, seq = stores.ids.event(), stores.database.next_seq()
                event = an_event(seq, id, created_at=began + number, size=len(body), body=body)
                made = (replace(a_delivery(event, webhook), id=stores.ids.delivery()) for webhook in webhooks)
                insert(connection, Publication(event=event, deliveries=tuple(made)))

        await stores.database.transact(work)
