"""What every measurement is told, and the cores that the two sides get."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    rounds: int = 3
    """Alternating rounds; the median of each side counts."""
    seconds: float = 5.0
    """Length of a round."""
    minutes: float = 30.0
    """Length of the soak."""
    peers: tuple[tuple[str, str], ...] = ()
    """`(name, URL)` of other bins that run already, on the servers' core."""


def cores() -> tuple[int, int]:
    """A core for the servers and another for the load, where there are two."""
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[-1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
