"""What was no HTTP and named no bin: the newest of it, a count, and a line in the log."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from hookbin.models.refusals import RefusedMessage

MAX_REFUSALS = 200
"""Refused messages that are remembered; the oldest are forgotten first."""
MAX_BEGINNING = 256
"""Bytes of one, from its first."""
MAX_LOGGED = 10
"""Lines in the log in `LOG_SECONDS`; what comes faster is only counted."""
LOG_SECONDS = 60.0
_LOGGER = logging.getLogger("hookbin")


class Refusals:
    """Everything of it is in memory."""

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._newest: deque[RefusedMessage] = deque(maxlen=MAX_REFUSALS)
        self._monotonic = monotonic
        self._logged: deque[float] = deque(maxlen=MAX_LOGGED)
        self.count = 0
        """How many there were since the start, those that a bin keeps included."""

    @property
    def newest(self) -> list[RefusedMessage]:
        """The newest first."""
        return list(reversed(self._newest))

    def add(self, message: RefusedMessage) -> None:
        self._newest.append(message)

    def tell(self, message: RefusedMessage) -> None:
        """Count it, and write it to the log when that is not full of them."""
        self.count += 1
        now = self._monotonic()
        if len(self._logged) == MAX_LOGGED and now - self._logged[0] < LOG_SECONDS:
            return
        self._logged.append(now)
        _LOGGER.warning("%d for %s: %s", message.status, message.client or "somebody", message.reason)
