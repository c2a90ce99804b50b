"""How many attempts may be under way, and how fast they follow each other: fair slots and rates.

- There are `MAX_IN_FLIGHT` slots. A webhook that answers may have as many attempts under way as
  slots are left, so that there is always one for a webhook that has none (dynamic thresholds, the
  rule by which switches share a buffer: Choudhury and Hahne, 1998).
- A webhook is in doubt when it has answered nothing yet, or is slow: its last attempt took, or its
  oldest one under way has taken, more than `SLOW`. One in doubt may have one attempt under way, and
  more only out of the first half of the slots; what is slow leaves a quarter to the others. So
  destinations that hang hold up none that answers, whatever is queued for them: unless more than a
  hundred begin to hang within a second, and then until their first attempts have timed out.
- A rate limit spaces attempts evenly (GCRA, the generic cell rate algorithm, without a burst): none
  are saved up while there is nothing to send. After a restart the first one waits for its share of a second
  too: a crash may have left an attempt unrecorded.
- Times here are ticks of the clock (µs), which nobody can set.
"""

from __future__ import annotations

from hookbin.dispatch.lanes import Lane
from hookbin.models.common import SECOND

MAX_IN_FLIGHT = 256
"""Attempts under way at once, over all webhooks."""
SLOW = 1 * SECOND
LATE = SECOND // 100
"""A start that is later than its rate asks for by no more than this is made up for: timers are a little late."""


class Slots:
    """Who may start another attempt. `take` and `give_back` count what is under way."""

    def __init__(self, count: int = MAX_IN_FLIGHT) -> None:
        self._count = count
        self._in_doubt: set[str] = set()
        """Attempts of webhooks that were in doubt when they began."""
        self.taken = 0

    @property
    def all_taken(self) -> bool:
        return self.taken >= self._count

    def may_start(self, lane: Lane, now: int) -> bool:
        under_way, left = len(lane.in_flight), self._count - self.taken
        slow = is_slow(lane, now)
        if slow and len(self._in_doubt) >= self._count - self._count // 4:
            return False
        if slow or lane.last_duration is None:
            return under_way < max(1, left - self._count // 2) and left > 0
        return under_way < left

    def take(self, lane: Lane, delivery_id: str, now: int) -> None:
        if lane.last_duration is None or is_slow(lane, now):
            self._in_doubt.add(delivery_id)
        lane.in_flight[delivery_id] = now
        self.taken += 1

    def give_back(self, lane: Lane, delivery_id: str, now: int) -> None:
        began = lane.in_flight.pop(delivery_id)
        if began >= lane.renewed_at:
            lane.last_duration = now - began
        self._in_doubt.discard(delivery_id)
        self.taken -= 1


def is_slow(lane: Lane, now: int) -> bool:
    oldest = next(iter(lane.in_flight.values()), now)
    return max(lane.last_duration or 0, now - oldest) > SLOW


def consume(lane: Lane, now: int, *, rate_limit: float | None) -> None:
    """Take one attempt of the rate: the next one waits for its share of a second. `rate_limit` is a second's number."""
    if rate_limit is None:
        lane.next_allowed_at = 0
        return
    began = lane.next_allowed_at if now - lane.next_allowed_at <= LATE else now
    lane.next_allowed_at = began + round(SECOND / rate_limit)


def change_rate(lane: Lane, now: int, *, rate_limit: float | None) -> None:
    """Wait no longer than a limit that was changed makes necessary."""
    lane.next_allowed_at = 0 if rate_limit is None else min(lane.next_allowed_at, now + round(SECOND / rate_limit))
