"""The time axis of a delivery: its attempts as points, the waits as room between them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

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
    since: str | None
    """When the wait began."""
    tone: str
    """The first digit of the status, `error` or `next`."""
    by_hand: bool
    at: str
    lasted: str = ""


class TimeAxis(Struct, frozen=True, kw_only=True):
    width: int
    ticks: list[Tick]
    summary: str


def time_axis(attempts: Sequence[Attempt], delivery: Delivery) -> TimeAxis:
    """Attempts as points; the room between two grows with the logarithm of the wait."""
    ticks: list[Tick] = []
    least = 76 if len(attempts) < MANY else 62
    x, before = 34, None
    for attempt in attempts:
        wait, step = _wait(before, attempt.started_at, least=least)
        x += step
        ticks.append(
            Tick(
                x=x,
                wait_x=x - step // 2,
                number=attempt.number,
                outcome=str(attempt.status) if attempt.error is None else ERROR_CLASSES[attempt.error].brief,
                wait=wait,
                since=None if before is None else clock.rfc3339(before),
                tone=str(attempt.status)[0] if attempt.status is not None and attempt.error is None else "error",
                by_hand=attempt.trigger is Trigger.MANUAL,
                at=clock.rfc3339(attempt.started_at),
                lasted=duration(attempt.duration),
            )
        )
        before = attempt.started_at + attempt.duration
    if delivery.next_attempt_at is not None:
        since = delivery.created_at if before is None else before
        wait, step = _wait(before, delivery.next_attempt_at, least=least)
        x += step
        ticks.append(
            Tick(
                x=x,
                wait_x=x - step // 2,
                number=delivery.attempt_count + 1,
                outcome="next",
                wait=wait,
                since=clock.rfc3339(since),
                tone="next",
                by_hand=delivery.next_trigger is Trigger.MANUAL,
                at=clock.rfc3339(delivery.next_attempt_at),
            )
        )
    told = ", ".join(f"#{tick.number} {tick.outcome}" + (f" after {tick.wait}" if tick.wait else "") for tick in ticks)
    return TimeAxis(width=x + 60, ticks=ticks, summary=f"Attempts in time: {told}")


def _wait(before: int | None, at: int, *, least: int) -> tuple[str | None, int]:
    """The wait in words, and its room in pixels."""
    if before is None:
        return None, 0
    wait = max(0, at - before)
    return duration(wait), least + round(26 * log10(1 + wait / SECOND))
