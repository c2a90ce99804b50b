"""The wall time that may go into looking at bodies."""

from __future__ import annotations

from collections.abc import Callable

from hookbin.bodies import limits


class Budget:
    """The wall time that the views of one page share. A view asks now and then, and ends with what it has."""

    def __init__(self, monotonic: Callable[[], float], seconds: float = limits.SECONDS) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + seconds

    def spent(self) -> bool:
        return self._monotonic() >= self._until


BY_SIZE = Budget(lambda: 0.0)
"""For who bounds the size of what is read instead: it is never spent."""
