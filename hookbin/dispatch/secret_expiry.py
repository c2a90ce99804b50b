"""Expiry of old secrets: each is deleted from its webhook as soon as it no longer signs."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hookbin.clock import Clock
from hookbin.errors import WebhookNotFound
from hookbin.live.alarm import Alarm
from hookbin.models.announcements import Announcement
from hookbin.models.common import SECOND
from hookbin.models.webhooks import Webhook
from hookbin.signatures.rotation import without_expired
from hookbin.store.webhooks import WebhookStore

logger = logging.getLogger("hookbin")

NEXT_TRY = 60 * SECOND
"""How long it rests when the database could not be written."""
NEXT_LOOK = 3600 * SECOND
"""How long it trusts in the clock: an expiry is a time of day, and the clock may be set."""


class SecretExpiry:
    """Started by `start()`, ended by `stop()`."""

    def __init__(self, webhooks: WebhookStore, *, clock: Clock) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._alarm = Alarm(self._forget, clock=clock, name="hookbin-secret-expiry")

    def start(self) -> None:
        self.committed(self._webhooks.all())
        self._alarm.start()

    async def stop(self) -> None:
        await self._alarm.stop()

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Take in the old secrets of webhooks that were made or changed. Called after each commit."""
        for row in rows:
            if isinstance(row, Webhook) and row.old_secrets:
                wait = min(old.expires_at for old in row.old_secrets) - self._clock.now()
                self._alarm.set(row.id, due=self._clock.ticks() + min(wait, NEXT_LOOK))

    async def _forget(self, webhook_id: str) -> None:
        webhook, now = self._webhooks.find(webhook_id), self._clock.now()
        if webhook is None or without_expired(webhook, now=now) == webhook:
            self.committed([] if webhook is None else [webhook])
            return
        try:
            await self._webhooks.edit(webhook_id, lambda found: without_expired(found, now=now))
        except WebhookNotFound:
            return
        except Exception as error:
            logger.warning("an expired secret could not be forgotten yet: %s", error)
            self._alarm.set(webhook_id, due=self._clock.ticks() + NEXT_TRY)
