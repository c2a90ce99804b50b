"""The time axis of a delivery, or of a plan for one: attempts as points, the waits as room between them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

from msgspec import Struct

from hookbin import clock
from hookbin.delivery.error_classes import ERROR_CLASSES
from hookbin.models.common import SECOND
from hookbin.models.deliveries import Attempt, Delivery, Trigger
from hookbin.text import duration

MANY = 13
"""From so many attempts on they stand closer together."""


class Tick(Struct, frozen=True, kw_only=True):
    """A point on the time axis and the wait before it; `x` in pixels."""

    x: int
    wait_x: int
    number: int
    outcome: str
    wait: str | None
    since: str | None = None
    """When the wait began."""
    tone: str
    """The first digit of the status, `error` or `next`."""
    by_hand: bool = False
    at: str | None = None
    """When it was, or is due; None for a plan that has no time yet."""
    below: str
    """The time of day, or how long after the first."""
    lasted: str = ""


class TimeAxis(Struct, frozen=True, kw_only=True):
    width: int
    ticks: list[Tick]
    summary: str


def time_axis(attempts: Sequence[Attempt], delivery: Delivery, *, is_timed: bool) -> TimeAxis:
    """Attempts as points; the room between two grows with the logarithm of the wait.

    The next one has a time only if it `is_timed`: it may wait for another delivery, a rate, or for being resumed.
    """
    ticks = _Ticks(least=76 if len(attempts) < MANY else 62)
    before = None
    for attempt in attempts:
        ticks.add(
            None if before is None else attempt.started_at - before,
            number=attempt.number,
            outcome=str(attempt.status) if attempt.error is None else ERROR_CLASSES[attempt.error].brief,
            since=None if before is None else clock.rfc3339(before),
            tone=str(attempt.status)[0] if attempt.status is not None and attempt.error is None else "error",
            by_hand=attempt.trigger is Trigger.MANUAL,
            at=clock.rfc3339(attempt.started_at),
            lasted=duration(attempt.duration),
        )
        before = attempt.started_at + attempt.duration
    if delivery.next_attempt_at is not None:
        ticks.add(
            None if before is None or not is_timed else delivery.next_attempt_at - before,
            number=delivery.attempt_count + 1,
            outcome="next",
            since=clock.rfc3339(delivery.created_at if before is None else before),
            tone="next",
            by_hand=delivery.next_trigger is Trigger.MANUAL,
            at=clock.rfc3339(delivery.next_attempt_at) if is_timed else None,
            below="waits",
        )
    return ticks.axis("Attempts in time")


def planned_axis(schedule: Sequence[float]) -> TimeAxis:
    """What a schedule of retries makes of a delivery that keeps failing, without jitter and the attempts' own time."""
    ticks = _Ticks(least=62)
    ticks.add(None, number=1, outcome="first", tone="next", below="at once")
    passed = 0.0
    for number, seconds in enumerate(schedule, start=2):
        passed += seconds
        outcome = "last" if number == len(schedule) + 1 else "retry"
        ticks.add(
            round(seconds * SECOND), number=number, outcome=outcome, tone="next", below=f"+{duration(passed * SECOND)}"
        )
    return ticks.axis("Planned attempts")


class _Ticks:
    """The points so far, and where the last one stands."""

    def __init__(self, *, least: int) -> None:
        self._ticks: list[Tick] = []
        self._least = least
        self._x = 34

    def add(self, wait: int | None, *, at: str | None = None, below: str = "", **what: Any) -> None:
        """A point, `wait` microseconds after the one before it; None when that is not known."""
        step = self._least + round(26 * log10(1 + max(0, wait or 0) / SECOND)) if self._ticks else 0
        self._x += step
        text = None if wait is None else duration(max(0, wait))
        below = at[11:19] if at is not None else below
        self._ticks.append(Tick(x=self._x, wait_x=self._x - step // 2, wait=text, at=at, below=below, **what))

    def axis(self, title: str) -> TimeAxis:
        told = ", ".join(
            f"#{tick.number} {tick.outcome}" + (f" after {tick.wait}" if tick.wait else "") for tick in self._ticks
        )
        return TimeAxis(width=self._x + 60, ticks=self._ticks, summary=f"{title}: {told}")
