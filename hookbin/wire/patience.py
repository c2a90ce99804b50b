"""How long a peer may owe something: half a head, the rest of a body, the reading of its answer.

Slow senders (slowloris) and slow readers hold a connection and what is in memory for it. Bytes that trickle don't
help: a body has to come at `MIN_RATE`, reckoned over all of it once its first time is over. No connection has a timer
of its own for them: `Connections` looks at all in turn, and here stands how often one may look the same.
"""

from __future__ import annotations

from enum import Enum, auto

LOOKS = 10
"""Looks in the time that a peer is waited for. It may take up to two of them longer."""
MAX_PATIENCE = 20
"""Times that time which a body may take in all, though it never stands still for one."""

MIN_RATE = 240
"""Bytes of a body that have to come in a second."""


class Owed(Enum):
    """What a peer has not done yet."""

    REQUEST = auto()
    """The first byte of one, and no keep-alive timeout runs."""
    HEAD = auto()
    BODY = auto()
    REST = auto()
    """Of a body that was answered before it was in; nobody reads it."""
    READING = auto()
    """Of the answers that are waiting in our buffer."""


MOVES = frozenset({Owed.BODY, Owed.READING})
"""What may take longer than the time, as long as it moves within it."""
_MOST_LOOKS = {Owed.BODY: LOOKS * MAX_PATIENCE}


class Patience:
    """Counts the looks at one connection."""

    __slots__ = ("_counted", "_looks", "_rate", "_seen", "_still", "_unsent", "came")

    def __init__(self, *, seconds: float) -> None:
        """`seconds` are what a peer has."""
        self.came = 0
        """Bytes of the body that have come."""
        self._counted = 0
        """How many they were at the last look."""
        self._rate = MIN_RATE * seconds / LOOKS
        self._seen: tuple[Owed | None, int] = (None, 0)
        self._looks = self._still = self._unsent = 0

    def is_over(self, owed: Owed | None, *, request: int, unsent: int) -> bool:
        """Whether this has been owed for too long, of the same request. None is our own turn, and never is.

        A head has its time in all, and so has the rest of a body that was answered. A body may stand still
        for so long, has to come at `MIN_RATE` from then on, and may take `MAX_PATIENCE` times that in all; an answer
        may be read for ever, but not stand still: `unsent` are the bytes of it that wait to be read.
        """
        moved = (self.came, unsent) != (self._counted, self._unsent)
        self._counted, self._unsent = self.came, unsent
        if self._seen != (owed, request):
            self._seen = owed, request
            self._looks = self._still = self.came = self._counted = 0
            return False
        self._looks += 1
        self._still = 0 if moved else self._still + 1
        if owed is None:
            return False
        if owed not in MOVES:
            return self._looks >= LOOKS
        if owed is Owed.BODY and self._looks >= LOOKS and self.came < self._looks * self._rate:
            return True
        return self._still >= LOOKS or self._looks >= _MOST_LOOKS.get(owed, self._looks + 1)
