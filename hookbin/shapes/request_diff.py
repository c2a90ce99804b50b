"""What differs between two captured requests: header by header, JSON by structure, text by lines, bytes by the first.

Everything is bounded: difflib may take quadratic time, so it sees no more than `MAX_LINES` lines that differ.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from hookbin.clock import seq_id
from hookbin.models.request_target import path_and_query
from hookbin.models.requests import CapturedRequest
from hookbin.shapes.comparison import Message, compare
from hookbin.shapes.differences import BodyDifference, Changed, Difference, JsonDifference, PairsDifference
from hookbin.text import wire

MAX_BYTES = 256 * 1024
"""Of each body, up to which JSON and text are compared."""
MAX_LINES = 300
MAX_CHANGES = 1_000
SHOWN = 200
"""Characters of a value, or of a line."""
MAX_DEPTH = 100
Pairs = list[tuple[str, str]]


def difference(left: CapturedRequest, right: CapturedRequest) -> Difference:
    found = compare(_message(left), _message(right))
    headers = _pairs(
        [(name.lower(), value) for name, value in left.headers],
        [(name.lower(), value) for name, value in right.headers],
    )
    return Difference(
        left=seq_id("req_", left.seq),
        right=seq_id("req_", right.seq),
        identical=found.identical,
        method=_changed(left.method, right.method),
        target=_changed(left.target, right.target),
        headers=headers,
        query=_pairs(_query(left.target), _query(right.target)),
        body=_body(left.body, right.body, found.first_difference),
    )


def _message(request: CapturedRequest) -> Message:
    return Message(method=request.method, target=request.target, headers=request.headers, body=request.body)


def _changed(left: str, right: str) -> Changed | None:
    return None if left == right else Changed(left=left, right=right)


def _query(target: str) -> Pairs:
    parts = wire(path_and_query(target)[1] or "").split("&", MAX_CHANGES)[:MAX_CHANGES]
    return parse_qsl("&".join(parts), keep_blank_values=True)


def _pairs(left: Pairs, right: Pairs) -> list[PairsDifference]:
    """By name: all values of it on either side, where they are not the same in the same order."""
    before, after = _grouped(left), _grouped(right)
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    return [
        PairsDifference(name=name, left=before.get(name, []), right=after.get(name, [])) for name in names[:MAX_CHANGES]
    ]


def _grouped(pairs: Pairs) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(left: bytes, right: bytes, first_difference: int | None) -> BodyDifference:
    sizes: dict[str, Any] = {"left_size": len(left), "right_size": len(right)}
    if first_difference is None:
        return BodyDifference(identical=True, kind="same", **sizes)
    sizes["first_difference"] = first_difference
    if max(len(left), len(right)) > MAX_BYTES:
        notice = f"Bodies over {MAX_BYTES} bytes are compared as bytes."
        return BodyDifference(identical=False, kind="bytes", notice=notice, **sizes)
    try:
        before, after = left.decode(), right.decode()
    except UnicodeDecodeError:
        return BodyDifference(identical=False, kind="bytes", **sizes)
    changes = _json(before, after)
    if changes is not None:
        more = f"There are more than {MAX_CHANGES} changes." if len(changes) > MAX_CHANGES else None
        return BodyDifference(identical=False, kind="json", json=changes[:MAX_CHANGES], notice=more, **sizes)
    lines = _lines(before, after)
    if lines is None:
        notice = f"More than {MAX_LINES} lines differ; the bodies are compared as bytes."
        return BodyDifference(identical=False, kind="bytes", notice=notice, **sizes)
    return BodyDifference(identical=False, kind="text", text=lines, **sizes)


class _Number(str):
    """A number as it was written: 1 is not 1.0, and none is too big."""

    __slots__ = ()


def _json(left: str, right: str) -> list[JsonDifference] | None:
    """None when one is not JSON, or is nested too deeply."""
    try:
        before, after = (
            json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_refuse) for text in (left, right)
        )
        found: list[JsonDifference] = []
        for change in _walk(before, after, "$", 0):
            found.append(change)
            if len(found) > MAX_CHANGES:
                break
        return found
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _walk(left: Any, right: Any, path: str, depth: int) -> Iterator[JsonDifference]:
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(left, dict) and isinstance(right, dict):
        for name in dict.fromkeys([*left, *right]):
            yield from _member(left, right, name, f"{path}.{name[:SHOWN]}", depth)
    elif isinstance(left, list) and isinstance(right, list):
        before, after = dict(enumerate(left)), dict(enumerate(right))
        for place in range(max(len(left), len(right))):
            yield from _member(before, after, place, f"{path}[{place}]", depth)
    elif type(left) is not type(right) or left != right:
        yield JsonDifference(path=path, change="changed", left=_shown(left), right=_shown(right))


def _member(left: dict[Any, Any], right: dict[Any, Any], key: Any, path: str, depth: int) -> Iterator[JsonDifference]:
    if key not in right:
        yield JsonDifference(path=path, change="removed", left=_shown(left[key]))
    elif key not in left:
        yield JsonDifference(path=path, change="added", right=_shown(right[key]))
    else:
        yield from _walk(left[key], right[key], path, depth + 1)


def _shown(value: Any) -> str:
    """As JSON, cut; what is inside an object or list is not shown."""
    match value:
        case _Number():
            return value[:SHOWN]
        case dict():
            return f"{{{len(value)} members}}" if value else "{}"
        case list():
            return f"[{len(value)} items]" if value else "[]"
        case _:
            return json.dumps(value, ensure_ascii=False)[:SHOWN]


def _lines(left: str, right: str) -> list[str] | None:
    """In the unified format, three lines of context; None when too much differs."""
    before, after = left.split("\n"), right.split("\n")
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    start = max(0, same - 3)
    end = 0
    while end < min(len(before), len(after)) - same and before[-1 - end] == after[-1 - end]:
        end += 1
    cut = max(0, end - 3)
    old, new = before[start : len(before) - cut], after[start : len(after) - cut]
    if max(len(old), len(new)) > MAX_LINES:
        return None
    found = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
    return [line[:SHOWN] for line in found if not line.startswith("@@")]
