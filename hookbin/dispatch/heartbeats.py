"""Heartbeats: `webhook.heartbeat`, published to a webhook at the pace it asks for.

The pace is kept by the clock's ticks, whatever else of the webhook is changed and however the clock is set. Over a
restart it goes on from the last beat in the log; one that seems to come from the future was just now. A paused
webhook gets none, so that none pile up; the next one comes an interval after it is resumed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from hookbin.clock import Clock
from hookbin.dispatch.publisher import Publisher
from hookbin.live.alarm import Alarm
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
        self._alarm = Alarm(self._beat, clock=clock, name="hookbin-heartbeats")
        self._planned: dict[str, tuple[float, int]] = {}
        """The pace of each webhook that has beats, and when the next one is due."""

    async def start(self) -> None:
        for webhook in self._webhooks.all():
            if webhook.heartbeat is not None and _beats(webhook):
                last = await self._deliveries.last_of_type(webhook.id, HEARTBEAT)
                interval = round(webhook.heartbeat * SECOND)
                wait = interval if last is None else min(max(0, last + interval - self._clock.now()), interval)
                self._plan(webhook.id, webhook.heartbeat, due=self._clock.ticks() + wait)
        self._alarm.start()

    async def stop(self) -> None:
        await self._alarm.stop()

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Take in webhooks that were made or changed. Called after each commit."""
        for row in rows:
            if isinstance(row, Webhook) and row.heartbeat is not None and _beats(row):
                if self._planned.get(row.id, (None,))[0] != row.heartbeat:
                    self._plan(row.id, row.heartbeat, due=self._clock.ticks() + round(row.heartbeat * SECOND))
            elif isinstance(row, Webhook) or (isinstance(row, Removed) and row.kind == "webhook"):
                self._planned.pop(row.id, None)
                self._alarm.cancel(row.id)

    def _plan(self, webhook_id: str, seconds: float, *, due: int) -> None:
        self._planned[webhook_id] = seconds, due
        self._alarm.set(webhook_id, due=due)

    async def _beat(self, webhook_id: str) -> None:
        webhook = self._webhooks.find(webhook_id)
        if webhook is None or webhook.heartbeat is None or webhook_id not in self._planned:
            return
        interval, now = round(webhook.heartbeat * SECOND), self._clock.ticks()
        due = self._planned[webhook_id][1] + interval
        self._plan(webhook_id, webhook.heartbeat, due=due if due > now else now + interval)
        try:
            if await self._deliveries.count_pending(webhook.id, limit=MAX_PENDING) < MAX_PENDING:
                data = msgspec.json.encode({"webhook_id": webhook.id, "every_seconds": webhook.heartbeat})
                await self._publisher.publish_json(HEARTBEAT, data, only=webhook)
        except Exception as error:  # the next beat comes all the same
            logger.warning("a heartbeat was left out: %s", error)


def _beats(webhook: Webhook) -> bool:
    return not (webhook.disabled or webhook.paused)
