"""Which element of a list or map a complaint of msgspec is about; it writes `[...]` for any."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_ANY = "[...]"
_TOKEN = re.compile(r"\[\.\.\.\]|[^.\[]+")
MOST_TRIED = 256
"""Elements that are looked at; behind them the complaint stays as it is."""


def pinpoint(where: str, value: Any, type: Any) -> str:
    """`$.rules[...].status` with the index or key in place of each `[...]`, as far as it can be found.

    `value` is what was to become a `type`, and is taken to pieces: of each list and map on the way one element is
    left at a time, until the same complaint comes again.
    """
    found, node = "$", value
    for token in _TOKEN.findall(where.removeprefix("$")):
        if token != _ANY:
            found, node = f"{found}.{token}", node.get(token) if isinstance(node, dict) else None
            continue
        key = _culprit(where, node, value, type)
        if key is None:
            return where
        found += f".{key[:40]}" if isinstance(key, str) else f"[{key}]"
        node = node[0 if isinstance(node, list) else key]
    return found


def _culprit(where: str, node: Any, whole: Any, type: Any) -> str | int | None:
    """The index or key of the element that is complained of, which alone is left in `node`; None without one."""
    if not isinstance(node, list | dict) or len(node) > MOST_TRIED:
        return None
    elements: list[tuple[str | int, Any]] = list(node.items() if isinstance(node, dict) else enumerate(node))
    for key, element in elements:
        node.clear()
        if isinstance(node, dict):
            node[key] = element
        else:
            node.append(element)
        try:
            msgspec.convert(whole, type)
        except msgspec.ValidationError as error:
            if str(error).endswith(f"`{where}`"):
                return key
    return None
