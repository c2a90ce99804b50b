"""The phases of an attempt: which there were, from when to when, and in which one it ended."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import asdict

from hookbin.models.deliveries import Attempt, ErrorClass


class Span(Struct, frozen=True, kw_only=True):
    """A phase that happened, in µs from the attempt's start."""

    phase: str
    """The field of `Timings` that says when it was over."""
    begin: int
    end: int
    is_over: bool = True
    """False for the phase that the attempt ended in."""

    @property
    def took(self) -> int:
        return self.end - self.begin


def spans(attempt: Attempt) -> list[Span]:
    """In order, one after the other. An early answer may come before the request is sent: its wait took nothing."""
    if attempt.timings is None:
        return []
    ends: dict[str, int | None] = asdict(attempt.timings)
    last = max((place for place, end in enumerate(ends.values()) if end is not None), default=-1)
    found: list[Span] = []
    before = 0
    for place, (phase, end) in enumerate(ends.items()):
        if end is not None:
            found.append(Span(phase=phase, begin=min(before, end), end=end))
            before = end
        elif place > last and _had_begun(attempt, phase):
            found.append(Span(phase=phase, begin=before, end=max(before, attempt.duration), is_over=False))
            break
    return found


def _had_begun(attempt: Attempt, phase: str) -> bool:
    """Of a phase that was not over, while those before it were."""
    connection = attempt.connection
    if connection is None:
        return phase == "resolved" and attempt.error is ErrorClass.DNS_ERROR
    if phase in ("resolved", "connected"):
        return phase == "connected" and not connection.reused
    return phase != "tls" or (not connection.reused and attempt.url.startswith("https:"))
