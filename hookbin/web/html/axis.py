"""The time axis of a delivery, or of a plan for one: attempts as points, the waits as room between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import log10
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hookbin import clock
from hookbin.delivery.error_classes import ERROR_CLASSES
from hookbin.models.common import SECOND
from hookbin.models.deliveries import Attempt, Delivery, Trigger
from hookbin.text import duration

LEAST = 68
"""Pixels between two points at least: so wide is what stands below one."""


class Tick(Struct, frozen=True, kw_only=True):
    """A point on the time axis and the wait before it."""

    x: float
    """Where it stands, in percent of the axis."""
    number: int
    outcome: str
    wait: str | None
    since: str | None = None
    """When the wait began."""
    tone: str
    """The first digit of the status, `error`, `next`, or `planned` for those that follow it should it fail."""
    by_hand: bool = False
    at: str | None = None
    """When it was or is due, about when it is planned; None for a plan that has no time yet."""
    below: str
    """The time of day, or how long after the first."""
    lasted: str = ""


class TimeAxis(Struct, frozen=True, kw_only=True):
    width: int
    """Pixels that it needs at least; it fills what there is."""
    ticks: list[Tick]
    summary: str


def time_axis(
    attempts: Sequence[Attempt], delivery: Delivery, *, is_timed: bool, schedule: Sequence[float] = ()
) -> TimeAxis:
    """Attempts as points; the room between two grows with the logarithm of the wait.

    The next one has a time only if it `is_timed`: it may wait for another delivery, a rate, or for being resumed.
    After it come the retries of the `schedule` that are left, without jitter and the attempts' own time.
    """
    ticks = _Ticks()
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
        ticks.plan(
            schedule,
            after=delivery.attempt_count + 1,
            tone="planned",
            start=delivery.next_attempt_at if is_timed else None,
        )
    return ticks.axis("Attempts in time")


def planned_axis(schedule: Sequence[float]) -> TimeAxis:
    """What a schedule of retries makes of a delivery that keeps failing, without jitter and the attempts' own time."""
    ticks = _Ticks()
    ticks.add(None, number=1, outcome="first", tone="next", below="at once")
    ticks.plan(schedule, after=1, tone="next")
    return ticks.axis("Planned attempts")


class _Ticks:
    """The points so far, and where the last one stands."""

    def __init__(self) -> None:
        self._ticks: list[Tick] = []
        self._width = 0

    def add(self, wait: int | None, *, at: str | None = None, below: str = "", **what: Any) -> None:
        """A point, `wait` microseconds after the one before it; None when that is not known."""
        if self._ticks:
            self._width += LEAST + round(26 * log10(1 + max(0, wait or 0) / SECOND))
        text = None if wait is None else duration(max(0, wait))
        below = at[11:19] if at is not None else below
        self._ticks.append(Tick(x=self._width, wait=text, at=at, below=below, **what))

    def plan(self, schedule: Sequence[float], *, after: int, tone: str, start: int | None = None) -> None:
        """What is left of a schedule of retries `after` that attempt, which `start`s then if that is known."""
        waits = list(accumulate((round(seconds * SECOND) for seconds in schedule[after - 1 :]), initial=0))
        for number, (before, passed) in enumerate(pairwise(waits), start=after + 1):
            self.add(
                passed - before,
                number=number,
                outcome="last" if number > len(schedule) else "retry",
                tone=tone,
                at=None if start is None else clock.rfc3339(start + passed),
                below=f"+{duration(passed)}",
            )

    def axis(self, title: str) -> TimeAxis:
        told = ", ".join(
            f"#{tick.number} {tick.outcome}" + (f" after {tick.wait}" if tick.wait else "") for tick in self._ticks
        )
        ticks = [replace(tick, x=round(100 * tick.x / (self._width or 1), 2)) for tick in self._ticks]
        return TimeAxis(width=self._width, ticks=ticks, summary=f"{title}: {told}")
