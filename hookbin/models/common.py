"""The units and shapes that every model shares."""

from __future__ import annotations

from typing import TypeAlias

Pair: TypeAlias = tuple[str, str]
"""A header, or a parameter: name and value."""
Headers: TypeAlias = tuple[Pair, ...]

SECOND = 1_000_000
"""One second in the unit that every time and duration here is in."""
