"""Heartbeats: `webhook.heartbeat`, published to a webhook at the pace it asks for."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Sequence

import msgspec

from hookbin.clock import Clock
from hookbin.dispatch.publisher import Publisher
from hookbin.models.announcements import Announcement, Removed
from hookbin.models.common import SECOND
from hookbin.models.webhooks import Webhook
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.webhooks import WebhookStore

logger = logging.getLogger("hookbin")

HEARTBEAT = "webhook.heartbeat"
MAX_PENDING = 10
"""A webhook with this many pending deliveries misses its beats, so that a dead one piles nothing up."""


class Heartbeats:
    """Started by `start()`, ended by `stop()`."""

    def __init__(
        self, *, publisher: Publisher, deliveries: DeliveryStore, webhooks: WebhookStore, clock: Clock
    ) -> None:
        self._publisher = publisher
        self._deliveries = deliveries
        self._webhooks = webhooks
        self._clock = clock
        self._beats: list[tuple[int, str]] = []
        self._next: dict[str, int] = {}
        self._wake = asyncio.Event()

    def start(self) -> None:
        self.committed(self._webhooks.all())
        self._task = asyncio.create_task(self._run(), name="hookbin-heartbeats")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Take in webhooks that were made or changed. Called after each commit."""
        for row in rows:
            if isinstance(row, Webhook):
                if row.heartbeat is None or row.disabled:
                    self._next.pop(row.id, None)
                else:
                    self._plan(row.id, row.heartbeat)
            elif isinstance(row, Removed) and row.kind == "webhook":
                self._next.pop(row.id, None)

    def _plan(self, webhook_id: str, seconds: float) -> None:
        due = self._clock.now() + round(seconds * SECOND)
        self._next[webhook_id] = due
        heapq.heappush(self._beats, (due, webhook_id))
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            while self._beats and self._beats[0][0] <= self._clock.now():
                due, webhook_id = heapq.heappop(self._beats)
                webhook = self._webhooks.find(webhook_id)
                if self._next.get(webhook_id) != due or webhook is None or webhook.heartbeat is None:
                    continue
                self._plan(webhook_id, webhook.heartbeat)
                await self._beat(webhook)
            await self._clock.wait(self._wake, until=self._beats[0][0] if self._beats else None)

    async def _beat(self, webhook: Webhook) -> None:
        try:
            if await self._deliveries.count_pending(webhook.id, limit=MAX_PENDING) < MAX_PENDING:
                data = msgspec.json.encode({"webhook_id": webhook.id, "every_seconds": webhook.heartbeat})
                await self._publisher.publish_json(HEARTBEAT, data, only=webhook)
        except Exception as error:  # the next beat comes all the same
            logger.warning("a heartbeat was left out: %s", error)
