"""A database with very many pending deliveries, as a long outage would leave it, written in one go."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from hookbin.clock import SystemClock
from hookbin.models.common import SECOND
from hookbin.store.publishing import Publication, insert
from hookbin.store.transaction import Transaction
from tests.builders import a_delivery, an_event, open_stores
from tests.support import FakeClock

WEBHOOKS = 50
_PAD = b"x" * 500


async def build(path: Path, *, deliveries: int, destination: str) -> None:
    """Pending deliveries of `WEBHOOKS` webhooks, all of them overdue for an hour.

    The header `webhook-number` of a delivery says which webhook it belongs to.
    """
    clock = FakeClock(SystemClock().now())
    async with open_stores(path, clock=clock) as stores:
        webhooks = [
            await stores.register(stores.ids.webhook(), destination=destination, headers=(("webhook-number", str(n)),))
            for n in range(WEBHOOKS)
        ]
        began = clock.now() - 3_600 * SECOND

        def publish(transaction: Transaction) -> None:
            for number in range(deliveries // WEBHOOKS):
                body = b'{"number":%d,"pad":"%b"}' % (number, _PAD)
                event = an_event(stores.ids.event(), created_at=began + number, size=len(body), body=body)
                made = (replace(a_delivery(event, webhook), id=stores.ids.delivery()) for webhook in webhooks)
                insert(transaction, Publication(event=event, deliveries=tuple(made)))

        await stores.database.transact(publish)
