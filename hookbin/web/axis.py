"""The time axis of a delivery: its attempts as points, the waits as room between them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from msgspec import Struct

from hookbin import clock
from hookbin.models import SECOND, Attempt, Delivery, ErrorClass
from hookbin.web.writing import duration


class Tick(Struct, frozen=True, kw_only=True):
    """A point on the time axis and the wait before it; `x` in pixels."""

    x: int
    wait_x: int
    label: str
    outcome: str
    wait: str | None
    tone: str
    """The first digit of the status, `error`, `next` or `manual`."""
    at: str


class TimeAxis(Struct, frozen=True, kw_only=True):
    width: int
    ticks: list[Tick]
    summary: str


def time_axis(attempts: Sequence[Attempt], delivery: Delivery) -> TimeAxis:
    """Attempts as points; the room between two grows with the logarithm of the wait."""
    ticks: list[Tick] = []
    x, before = 34, None
    for attempt in attempts:
        wait = None if before is None else max(0, attempt.started_at - before)
        step = 0 if wait is None else _room(wait)
        x += step
        tone = str(attempt.status)[0] if attempt.status is not None and attempt.error is None else "error"
        ticks.append(
            Tick(
                x=x,
                wait_x=x - step // 2,
                label=f"#{attempt.number}",
                outcome=str(attempt.status) if attempt.error is None else _BRIEF[attempt.error],
                wait=None if wait is None else duration(wait),
                tone=tone,
                at=clock.rfc3339(attempt.started_at),
            )
        )
        before = attempt.started_at + attempt.duration
    if delivery.next_attempt_at is not None:
        wait = None if before is None else max(0, delivery.next_attempt_at - before)
        step = 0 if wait is None else _room(wait)
        x += step
        ticks.append(
            Tick(
                x=x,
                wait_x=x - step // 2,
                label=f"#{delivery.attempt_count + 1}",
                outcome="next",
                wait=None if wait is None else duration(wait),
                tone="next",
                at=clock.rfc3339(delivery.next_attempt_at),
            )
        )
    told = ", ".join(f"{tick.label} {tick.outcome}" + (f" after {tick.wait}" if tick.wait else "") for tick in ticks)
    return TimeAxis(width=x + 60, ticks=ticks, summary=f"Attempts in time: {told}")


_BRIEF = {
    ErrorClass.DNS_ERROR: "no name",
    ErrorClass.CONNECTION_REFUSED: "refused",
    ErrorClass.CONNECT_TIMEOUT: "timeout",
    ErrorClass.TLS_ERROR: "TLS error",
    ErrorClass.TIMEOUT: "timeout",
    ErrorClass.CONNECTION_RESET: "reset",
    ErrorClass.PROTOCOL_ERROR: "protocol",
    ErrorClass.BLOCKED_TARGET: "blocked",
}
"""Errors in the room that the axis has."""


def _room(wait: int) -> int:
    return 76 + round(26 * log10(1 + wait / SECOND))
