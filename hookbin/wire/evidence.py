"""What is seen of one exchange while it goes on: it is kept with the attempt, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from hookbin.models.common import SECOND
from hookbin.models.deliveries import Certificate, Connection, Timings


class Phase(Enum):
    RESOLVING = "resolving"
    CONNECTING = "connecting"
    HANDSHAKING = "handshaking"
    EXCHANGING = "exchanging"
    """The request was handed over, or is about to be."""


class Evidence:
    """Filled in by whoever does the work; each time is that of the monotonic clock, or None."""

    __slots__ = (
        "address",
        "certificate",
        "connected",
        "first_byte",
        "handed_over",
        "last_byte",
        "monotonic",
        "note",
        "phase",
        "resolved",
        "reused",
        "secured",
        "sent",
        "started",
        "tls",
    )

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self.started = monotonic()
        self.phase = Phase.RESOLVING
        self.resolved: float | None = None
        self.connected: float | None = None
        self.secured: float | None = None
        self.sent: float | None = None
        self.first_byte: float | None = None
        self.last_byte: float | None = None
        self.address: str | None = None
        self.reused = False
        self.handed_over = False
        """A byte of the request was given to the system: from here on nothing is dialled any more."""
        self.tls: str | None = None
        self.certificate: Certificate | None = None
        self.note: str | None = None
        """What was odd about an answer that counts all the same."""

    def timings(self) -> Timings:
        """When each phase was over, from the start."""
        return Timings(
            resolved=self._since(self.resolved),
            connected=self._since(self.connected),
            tls=self._since(self.secured),
            sent=self._since(self.sent),
            first_byte=self._since(self.first_byte),
            last_byte=self._since(self.last_byte),
        )

    def connection(self) -> Connection | None:
        """None when nothing was dialled."""
        if self.address is None:
            return None
        return Connection(address=self.address, reused=self.reused, tls=self.tls, certificate=self.certificate)

    def _since(self, time: float | None) -> int | None:
        return None if time is None else round((time - self.started) * SECOND)
