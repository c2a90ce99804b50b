"""The bar of an attempt's phases: where each stands between the attempt's start and its end, and what it took."""

from __future__ import annotations

from msgspec import Struct

from hookbin.delivery.phases import spans
from hookbin.models.deliveries import Attempt
from hookbin.text import duration

_LEAST = 0.8
"""What the shortest phase is wide, in percent, so that it can be seen."""
_TITLES = {
    "resolved": "Resolving the name",
    "connected": "Connecting",
    "tls": "TLS handshake",
    "sent": "Sending the request",
    "first_byte": "Waiting for the first byte",
    "last_byte": "Reading until the last byte",
}


class PhaseBar(Struct, frozen=True, kw_only=True):
    """One phase; `x` and `width` in percent of the whole attempt."""

    name: str
    title: str
    x: float
    width: float
    took: str
    place: str
    """Where the bar stands, in words."""
    ending: str
    """What the attempt's end made of it, in words; empty for a phase that was over."""


def phase_bars(attempt: Attempt) -> list[PhaseBar]:
    found = spans(attempt)
    whole = max(1, attempt.duration, *(span.end for span in found))
    ending = "stopped here" if attempt.error is None else "failed here"
    bars = []
    for span in found:
        width = max(_LEAST, round(100 * span.took / whole, 1))
        bars.append(
            PhaseBar(
                name=span.phase,
                title=_TITLES[span.phase],
                x=round(min(100 - width, 100 * span.begin / whole), 1),
                width=width,
                took=_took(span.took),
                place=f"{_took(span.begin)} to {_took(span.end)}",
                ending="" if span.is_over else ending,
            )
        )
    return bars


def connection_word(attempt: Attempt) -> str:
    if attempt.connection is not None and attempt.connection.reused:
        return "kept connection"
    is_connected = attempt.timings is not None and attempt.timings.connected is not None
    return "new connection" if is_connected else "no connection"


def _took(time: int) -> str:
    return duration(time) if time >= 50 else "under 0.1 ms"
