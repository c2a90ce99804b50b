"""The units and shapes that every model shares."""

from __future__ import annotations

from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]

SECOND = 1_000_000
"""One second in the unit that every time and duration here is in."""
