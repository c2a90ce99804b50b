"""What bins and webhooks did lately, kept in memory: rates for small charts, and how healthy a webhook is.

Told of every commit; forgets what is older than it shows. At a start it is told what the newest rows of the
log say, so that a restart does not empty the charts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from msgspec import Struct

from hookbin.models.announcements import Announcement, Removed
from hookbin.models.common import SECOND
from hookbin.models.deliveries import AttemptSummary, DeliveryState
from hookbin.models.requests import RequestSummary

SPAN = 20 * SECOND
"""What one bar of a chart stands for."""
BARS = 30
"""Bars of a chart: ten minutes in all."""
COUNTED = 10_000
"""Bins and webhooks that one span counts, more are left out; and webhooks whose attempts are remembered, the
one that was met first goes."""
ATTEMPTS = 200
"""The newest attempts of a webhook that its health is made from."""


class Health(Struct, frozen=True, kw_only=True):
    """How a webhook's newest attempts went, at most `ATTEMPTS` of them."""

    attempts: int
    succeeded: int
    p95: int | None
    """The duration that 95 of 100 stayed under, µs; None without attempts."""

    @property
    def percent(self) -> int | None:
        """Of the attempts, how many succeeded; rounded down, so that 100 means all."""
        return None if not self.attempts else self.succeeded * 100 // self.attempts


class Activity:
    """Counts by span for whoever was active in the last `BARS` spans."""

    def __init__(self, *, now: Callable[[], int]) -> None:
        self._now = now
        self._spans: dict[int, dict[str, int]] = {}
        self._attempts: dict[str, deque[tuple[int, bool, int]]] = {}

    def committed(self, rows: Iterable[Announcement]) -> None:
        """Count what happened, in order. Called after each commit, and once with what the log holds at the start."""
        for row in rows:
            if isinstance(row, RequestSummary):
                self._count(row.bin_id, row.received_at)
            elif isinstance(row, AttemptSummary):
                self._count(row.webhook_id, row.started_at)
                self._remember(row)
            elif isinstance(row, Removed) and row.kind == "webhook":
                self._attempts.pop(row.id, None)

    def counts(self, id: str) -> list[int]:
        """How much the bin or webhook did in each span, the newest last."""
        newest = self._now() // SPAN
        return [self._spans.get(span, {}).get(id, 0) for span in range(newest - BARS + 1, newest + 1)]

    def health(self, webhook_id: str) -> Health:
        attempts = self._attempts.get(webhook_id, ())
        durations = sorted(duration for duration, *_ in attempts)
        return Health(
            attempts=len(durations),
            succeeded=sum(succeeded for _, succeeded, _ in attempts),
            p95=durations[(len(durations) * 95 - 1) // 100] if durations else None,
        )

    def last_at(self, webhook_id: str) -> int | None:
        """When the last of those attempts began."""
        attempts = self._attempts.get(webhook_id)
        return attempts[-1][2] if attempts else None

    def _count(self, id: str, at: int) -> None:
        counts = self._spans.get(at // SPAN)
        if counts is None:
            counts = self._open(at // SPAN)
        if id in counts or len(counts) < COUNTED:
            counts[id] = counts.get(id, 0) + 1

    def _open(self, span: int) -> dict[str, int]:
        counts: dict[str, int] = {}
        self._spans[span] = counts
        for old in [known for known in self._spans if known <= max(self._spans) - BARS]:
            del self._spans[old]
        return counts

    def _remember(self, attempt: AttemptSummary) -> None:
        kept = self._attempts.get(attempt.webhook_id)
        if kept is None:
            if len(self._attempts) >= COUNTED:
                del self._attempts[next(iter(self._attempts))]
            kept = self._attempts[attempt.webhook_id] = deque(maxlen=ATTEMPTS)
        kept.append((attempt.duration, attempt.delivery_state is DeliveryState.SUCCEEDED, attempt.started_at))
