"""Bodies seen by the views directly, without a server."""

from __future__ import annotations

import time

from hookbin.bodies import limits
from hookbin.bodies.budget import Budget
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View, Views
from hookbin.bodies.views import registry


def read(
    body: bytes, content_type: str | None = None, *, seconds: float = limits.SECONDS, cut: bool = False, **headers: str
) -> Reading:
    """`headers` have `_` for `-` in their names."""
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    if content_type is not None:
        pairs.append(("Content-Type", content_type))
    return Reading(body, tuple(pairs), budget=Budget(time.monotonic, seconds), cut=cut)


def seen(body: bytes, content_type: str | None = None, **options: str) -> Views:
    return registry.every(read(body, content_type, **options))  # type: ignore[arg-type]


def names(body: bytes, content_type: str | None = None, **options: str) -> list[str]:
    return [view.name for view in seen(body, content_type, **options).data]


def view(name: str, body: bytes, content_type: str | None = None, **options: str) -> View:
    """The view of this name, which must be there."""
    found = registry.named(read(body, content_type, **options), name)  # type: ignore[arg-type]
    assert found is not None, f"no view {name!r}"
    return found
