"""What this server lacked itself when an attempt was due. No destination can mend it, so it is told as ours."""

from __future__ import annotations

from msgspec import Struct

from hookbin.clock import rfc3339

MAX_LACKS = 20
"""Different ones that are remembered; those that are longest ago are forgotten first."""


class Lack(Struct, frozen=True, kw_only=True):
    detail: str
    last_at: str
    """RFC 3339."""
    times: int
    """Attempts that had to wait for it."""


class Lacks:
    """All in memory."""

    def __init__(self) -> None:
        self._lacks: dict[str, Lack] = {}
        self.count = 0
        """Attempts that had to wait, since the start."""

    @property
    def newest(self) -> list[Lack]:
        """The newest first."""
        return list(reversed(self._lacks.values()))

    def add(self, detail: str, *, now: int) -> None:
        """`now` is in µs."""
        self.count += 1
        known = self._lacks.pop(detail, None)
        times = 1 if known is None else known.times + 1
        self._lacks[detail] = Lack(detail=detail, last_at=rfc3339(now), times=times)
        if len(self._lacks) > MAX_LACKS:
            del self._lacks[next(iter(self._lacks))]
