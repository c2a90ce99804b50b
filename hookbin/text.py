"""Times, sizes and header values as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hookbin.models.common import SECOND

_UNITS = (("d", 86_400 * SECOND), ("h", 3_600 * SECOND), ("min", 60 * SECOND), ("s", SECOND))


def wire(text: str) -> str:
    """A header or target, kept as latin-1, read as UTF-8 where it is that."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def size_text(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.1f} KiB" if size < 1023.95 * 1024 else f"{size / 1024 / 1024:.1f} MiB"


def duration(microseconds: float) -> str:
    """Two digits or so: `0.8 ms`, `12 ms`, `1.2 s`, `5 min`."""
    if microseconds < SECOND:
        return f"{microseconds / 1000:.1f} ms" if microseconds < 9_950 else f"{microseconds / 1000:.0f} ms"
    name, unit = next((name, unit) for name, unit in _UNITS if microseconds >= unit)
    amount = microseconds / unit
    return f"{amount:.0f} {name}" if amount >= 9.95 else f"{amount:.1f}".removesuffix(".0") + f" {name}"


def ago(time: str, now: int) -> str:
    passed = now - round(datetime.fromisoformat(time).timestamp() * SECOND)
    if passed < 2 * SECOND:
        return "just now"
    name, unit = next((name, unit) for name, unit in _UNITS if passed >= unit)
    return f"{passed // unit} {name} ago"


def seconds_list(values: Iterable[float]) -> str:
    return ", ".join(duration(value * SECOND) for value in values)
