"""How well a way to read a body suits it."""

from __future__ import annotations

from enum import IntEnum


class Match(IntEnum):
    """The better fit comes first; among equals, the order of the registry of views decides."""

    NO = 0
    MAYBE = 1
    """Possible, but a plain look says more."""
    ALWAYS = 2
    LOOKS = 3
    """The bytes look like it."""
    DECLARED = 4
    """The content type says so."""
