"""The task that takes the steps of `retention`: at once for a bin that grew far over its number, else now and then."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hookbin.clock import Clock
from hookbin.live.alarm import Alarm
from hookbin.models.announcements import Announcement, Removed
from hookbin.models.bins import Bin
from hookbin.models.common import SECOND
from hookbin.models.pending_deletions import MAX_UNDO, PendingDeletion
from hookbin.models.requests import RequestSummary
from hookbin.store.bins import BinStore
from hookbin.store.pending_deletions import PendingDeletions
from hookbin.store.retention import Retention

logger = logging.getLogger("hookbin")

EVERY = 10 * SECOND
"""How often what aged is looked for."""
MAX_LEAP = 60 * SECOND
"""A clock that is set forward by more is not believed at once, since what has aged by it is gone for good."""
DOUBT = 3600 * SECOND
"""How long it is not believed."""
SLACK = 20
"""A bin that holds a twentieth more than it should is trimmed at once, others every `EVERY`."""
_ALL = "all"


class Trimmer:
    """Started by `start()`, ended by `stop()`. What could not be deleted is tried again within `EVERY`."""

    def __init__(self, retention: Retention, *, bins: BinStore, pending: PendingDeletions, clock: Clock) -> None:
        self._retention = retention
        self._pending = pending
        self._planned: dict[str, PendingDeletion] = {}
        """Deletions that could still be undone, by id."""
        self._bins = bins
        self._clock = clock
        self._set_to = clock.now() - clock.ticks()
        """How the clock is believed to be set."""
        self._doubted_since: int | None = None
        self._of_deleted = {"bin": retention.trim_orphans, "webhook": retention.trim_webhooks}
        self._alarm = Alarm(self._take_steps, clock=clock, name="hookbin-trimmer")
        """Set for the id of a bin, for what was deleted (`bin` or `webhook`), of a pending deletion, and for all."""

    def start(self) -> None:
        self._alarm.set(_ALL, due=self._clock.ticks())
        self._alarm.start()

    async def stop(self) -> None:
        await self._alarm.stop()

    def captured(self, rows: Sequence[Announcement]) -> None:
        """Note bins that grew far over their number. Called after each commit with captures."""
        for bin_id in {row.bin_id for row in rows if isinstance(row, RequestSummary)}:
            bin = self._bins.find(bin_id)
            if bin is not None and self._bins.count_unpinned(bin) > bin.max_requests + bin.max_requests // SLACK:
                self._alarm.set(bin_id, due=self._clock.ticks())

    def changed(self, rows: Sequence[Announcement]) -> None:
        """Look soon at what was changed or deleted. Called after each commit of that kind."""
        for row in rows:
            if isinstance(row, PendingDeletion):
                self._plan(row)
            elif isinstance(row, Bin | Removed):
                self._alarm.set(row.id if isinstance(row, Bin) else row.kind, due=self._clock.ticks())

    async def trim(self) -> None:
        """Delete all that is to be deleted, and see to it that what is hidden goes when it is due."""
        for pending in await self._pending.all():
            if pending.id not in self._planned:
                self._plan(pending)
        for bin in self._bins.all():
            await self._trim_bin(bin)
        for step in (
            self._retention.trim_orphans,
            self._retention.trim_deliveries,
            self._retention.trim_undelivered_events,
            self._retention.trim_webhooks,
        ):
            while await step():
                pass

    def _plan(self, pending: PendingDeletion) -> None:
        """By the ticks, so that setting the clock neither hurries nor stops it."""
        self._planned[pending.id] = pending
        wait = min(max(0, pending.due - self._clock.now()), MAX_UNDO * SECOND)
        self._alarm.set(pending.id, due=self._clock.ticks() + wait)

    async def _carry_out(self, pending: PendingDeletion) -> None:
        try:
            await self._pending.carry_out(pending)
            del self._planned[pending.id]
        except BaseException:
            self._alarm.set(pending.id, due=self._clock.ticks() + EVERY)
            raise

    async def _trim_bin(self, bin: Bin) -> None:
        while await self._retention.trim_bin(bin, count=self._bins.count_unpinned(bin), now=self._now()):
            pass

    def _now(self) -> int:
        """The time that age is counted from: that of the clock, or what it would be if it had not been set forward."""
        ticks = self._clock.ticks()
        set_to = self._clock.now() - ticks
        if set_to <= self._set_to + MAX_LEAP:
            self._doubted_since, self._set_to = None, set_to
        elif self._doubted_since is None:
            self._doubted_since = ticks
        elif ticks - self._doubted_since >= DOUBT:
            self._doubted_since, self._set_to = None, set_to
        return self._set_to + ticks

    async def _take_steps(self, what: str) -> None:
        try:
            if what == _ALL:
                self._alarm.set(_ALL, due=self._clock.ticks() + EVERY)
                await self.trim()
            elif what in self._planned:
                await self._carry_out(self._planned[what])
            elif what in self._of_deleted:
                while await self._of_deleted[what]():
                    pass
            elif (bin := self._bins.find(what)) is not None:
                await self._trim_bin(bin)
        except Exception as error:  # the next look comes all the same
            logger.warning("old rows could not be deleted and stay for now: %s", error)
