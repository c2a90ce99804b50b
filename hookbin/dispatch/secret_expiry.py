"""Old secrets: forgotten as soon as they no longer sign."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Sequence

from hookbin.clock import Clock
from hookbin.errors import WebhookNotFound
from hookbin.models.announcements import Announcement
from hookbin.models.common import SECOND
from hookbin.models.webhooks import Webhook
from hookbin.signatures.signing import without_expired
from hookbin.store.webhooks import WebhookStore

logger = logging.getLogger("hookbin")

NEXT_TRY = 60 * SECOND
"""How long it rests when the database could not be written."""


class SecretExpiry:
    """Started by `start()`, ended by `stop()`."""

    def __init__(self, webhooks: WebhookStore, *, clock: Clock) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._due: list[tuple[int, str]] = []
        self._known: set[tuple[int, str]] = set()
        self._wake = asyncio.Event()

    def start(self) -> None:
        self.committed(self._webhooks.all())
        self._task = asyncio.create_task(self._run(), name="hookbin-secret-expiry")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Take in the old secrets of webhooks that were made or changed. Called after each commit."""
        for row in rows:
            if isinstance(row, Webhook):
                for old in row.old_secrets:
                    self._plan(row.id, old.expires_at)

    def _plan(self, webhook_id: str, due: int) -> None:
        if (due, webhook_id) not in self._known:
            self._known.add((due, webhook_id))
            heapq.heappush(self._due, (due, webhook_id))
            self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            while self._due and self._due[0][0] <= self._clock.now():
                next_up = heapq.heappop(self._due)
                self._known.discard(next_up)
                await self._forget(next_up[1])
            await self._clock.wait(self._wake, until=self._due[0][0] if self._due else None)

    async def _forget(self, webhook_id: str) -> None:
        webhook, now = self._webhooks.find(webhook_id), self._clock.now()
        if webhook is None or without_expired(webhook, now=now) == webhook:
            return
        try:
            await self._webhooks.edit(webhook_id, lambda found: without_expired(found, now=now))
        except WebhookNotFound:
            return
        except Exception as error:
            logger.warning("an expired secret could not be forgotten yet: %s", error)
            self._plan(webhook_id, now + NEXT_TRY)
