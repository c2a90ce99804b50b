"""The time now, ids, and how both are written.

Ids carry a prefix, as a TypeID does: `bin_ req_ wh_ evt_ dlv_ att_`. Those made from a UUIDv7 (RFC 9562, 5.7) are
26 digits of Crockford base32, those made from a `seq` are 13: both sort as they were made.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol, TypeAlias
from uuid import UUID

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
_VALUE = {digit: value for value, digit in enumerate(ALPHABET)}
_BIN_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_SEQ_DIGITS = 13
_UUID_DIGITS = 26
_RANDOM_BYTES = 10
_IDS_AT_ONCE = 64
MAX_SEQ = 2**63 - 1
"""The highest number that the log, and SQLite, can count to."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


class Clock(Protocol):
    """Wall time, for what is said and for appointments; ticks, for intervals: nobody can set them."""

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC."""

    def ticks(self) -> int:
        """Microseconds from an arbitrary start, never going back."""

    def monotonic(self) -> float:
        """The same in seconds."""

    async def wait(self, event: asyncio.Event, *, until: int | None) -> None:
        """Return once `event` is set or `ticks()` is `until`, whichever comes first; it may return early."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def ticks(self) -> int:
        return time.monotonic_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    async def wait(self, event: asyncio.Event, *, until: int | None) -> None:
        if until is None:
            await event.wait()
            return
        seconds = max(0, until - self.ticks()) / 1_000_000
        timer = asyncio.get_running_loop().call_later(seconds, event.set)
        try:
            await event.wait()
        finally:
            timer.cancel()


Randomness: TypeAlias = Callable[[int], bytes]
"""So many random bytes."""


class Ids:
    """Makes ids and turns. Those from one object rise strictly, even within a millisecond and if the clock is set."""

    def __init__(self, clock: Clock, *, randomness: Randomness = secrets.token_bytes) -> None:
        self._clock = clock
        self._randomness = randomness
        self._last = 0
        self._last_turn = 0
        self._random = b""

    def bin(self) -> str:
        """16 random characters: who doesn't know them doesn't find the bin."""
        return "bin_" + "".join(secrets.choice(_BIN_ALPHABET) for _ in range(16))

    def webhook(self) -> str:
        return "wh_" + self._uuid7()

    def event(self) -> str:
        return "evt_" + self._uuid7()

    def delivery(self) -> str:
        return "dlv_" + self._uuid7()

    def undo(self) -> str:
        """Of a deletion that can be undone."""
        return "undo_" + self._uuid7()

    def session(self) -> str:
        """Of a browser that is signed in; its cookie holds something else."""
        return "ses_" + self._uuid7()

    def turn(self, at: int) -> int:
        """The place of what is published at `at` (µs) in an ordered queue: behind what was before."""
        self._last_turn = max(at, self._last_turn + 1)
        return self._last_turn

    def go_on_behind(self, id: str, *, turn: int) -> None:
        """Let what is made from now on stand behind what has that id, and that turn."""
        self._last = max(self._last, _from_base32(id[-_UUID_DIGITS:]))
        self._last_turn = max(self._last_turn, turn)

    def _uuid7(self) -> str:
        milliseconds = self._clock.now() // 1000
        random = self._next_random()
        value = (milliseconds << 80) | (0x7 << 76) | ((random >> 62) << 64) | (0b10 << 62) | (random & (2**62 - 1))
        if value <= self._last:
            value = self._last + 1
        self._last = value
        return _base32(value, digits=_UUID_DIGITS)

    def _next_random(self) -> int:
        """74 random bits; the system is asked for those of many ids at once, since each time costs a call."""
        if not self._random:
            self._random = self._randomness(_RANDOM_BYTES * _IDS_AT_ONCE)
        taken, self._random = self._random[:_RANDOM_BYTES], self._random[_RANDOM_BYTES:]
        return int.from_bytes(taken) >> 6


def seq_id(prefix: str, seq: int) -> str:
    """`req_0000000000abc` for a row of the log."""
    return f"{prefix}{_high_digits(seq >> 20)}{_PAIRS[seq >> 10 & 1023]}{_PAIRS[seq & 1023]}"


def parse_seq_id(prefix: str, text: str) -> int | None:
    """The `seq` in an id made by `seq_id`, or None when `text` is no such id."""
    digits = text.removeprefix(prefix)
    if digits == text or len(digits) != _SEQ_DIGITS or not all(digit in _VALUE for digit in digits):
        return None
    seq = _from_base32(digits)
    return seq if seq <= MAX_SEQ else None


def lowest_id(prefix: str, time: int) -> str:
    """The id that sorts before every one that is made at `time` (µs, before 1970 too) or later from a UUIDv7."""
    return prefix + _base32((max(0, time) // 1000) << 80, digits=_UUID_DIGITS)


def parse_uuid(prefix: str, text: str) -> UUID | None:
    """The UUID in an id of an event, a delivery or a webhook, or None when `text` is no such id."""
    digits = text.removeprefix(prefix)
    if digits == text or len(digits) != _UUID_DIGITS or not all(digit in _VALUE for digit in digits):
        return None
    value = _from_base32(digits)
    return UUID(int=value) if value < 2**128 else None


def rfc3339(microseconds: int) -> str:
    """`2026-11-24T06:34:35.000001Z` (RFC 3339)."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    return f"{_to_the_second(seconds)}.{fraction:06d}Z"


def parse_rfc3339(text: str) -> int | None:
    """Microseconds since 1970, finer parts dropped; None for what is no time with an offset (RFC 3339, 5.6)."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    leap = text[17:19] == "60"  # a second that datetime does not know is the one after its minute
    plain = f"{text[:10]}T{text[11:17]}{'59' if leap else text[17:19]}{(match[1] or '')[:7]}{match[2].upper()}"
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1) + (1_000_000 if leap else 0)


@lru_cache(maxsize=1024)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1024)
def _high_digits(value: int) -> str:
    return _base32(value, digits=_SEQ_DIGITS - 4)


def _from_base32(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 32 + _VALUE[digit]
    return value


def _base32(value: int, *, digits: int) -> str:
    if digits % 2:
        return ALPHABET[value >> 5 * (digits - 1) & 31] + _base32(value, digits=digits - 1)
    return "".join([_PAIRS[value >> 5 * place & 1023] for place in range(digits - 2, -1, -2)])
