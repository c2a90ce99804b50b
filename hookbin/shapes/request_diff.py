"""What differs between two captured requests: header by header, JSON by structure, text by lines, bytes by the first.

Everything is bounded: difflib may take quadratic time, so it sees no more than `MAX_LINES` lines that differ.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from hookbin.bodies import limits
from hookbin.bodies.charsets import Text, charset_name
from hookbin.bodies.forms import FORM, query_pairs
from hookbin.bodies.reading import Reading
from hookbin.clock import seq_id
from hookbin.models.common import Headers
from hookbin.models.request_target import path_and_query
from hookbin.models.requests import CapturedRequest
from hookbin.shapes.comparison import Message, compare
from hookbin.shapes.differences import BodyDifference, Changed, Difference, JsonDifference, PairsDifference

MAX_BYTES = 256 * 1024
"""Of each body, up to which JSON and text are compared."""
MAX_LINES = 300
MAX_CHANGES = 1_000
SHOWN = 200
"""Characters of a value, or of a line."""
MAX_DEPTH = 100
_KEPT = "Not all of the bodies was kept: what is missing may differ."
Pairs = list[tuple[str, str]]


def difference(left: CapturedRequest, right: CapturedRequest) -> Difference:
    found = compare(_message(left), _message(right))
    headers = _pairs(_lower(left.headers), _lower(right.headers))
    body = _body(left, right, found.first_difference)
    trailers = _pairs(*(_lower(one.trailers) for one in (left, right)))
    return Difference(
        left=seq_id("req_", left.seq),
        right=seq_id("req_", right.seq),
        identical=found.identical and body.identical and not trailers,
        method=_changed(left.method, right.method),
        target=_changed(left.target, right.target),
        headers=headers,
        query=_pairs(_query(left.target), _query(right.target)),
        reordered=not headers and not found.same_fields,
        trailers=trailers,
        body=body,
    )


def _message(request: CapturedRequest) -> Message:
    return Message(method=request.method, target=request.target, headers=request.headers, body=request.body)


def _changed(left: str, right: str) -> Changed | None:
    return None if left == right else Changed(left=left, right=right)


def _query(target: str) -> Pairs:
    return query_pairs(path_and_query(target)[1] or "", most=MAX_CHANGES)


def _lower(headers: Headers) -> Pairs:
    return [(name.lower(), value) for name, value in headers]


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


def _body(left: CapturedRequest, right: CapturedRequest, first_difference: int | None) -> BodyDifference:
    sizes: dict[str, Any] = {"left_size": len(left.body), "right_size": len(right.body)}
    cut = _KEPT if any(one.truncated or one.incomplete for one in (left, right)) else None
    if first_difference is None:
        return BodyDifference(identical=cut is None, kind="same", notice=cut, **sizes)
    sizes["first_difference"] = first_difference
    if max(len(left.body), len(right.body)) > MAX_BYTES:
        return _bytes(sizes, f"Bodies over {MAX_BYTES} bytes are compared as bytes.", cut)
    readings = [Reading(one.body, one.headers, cut=cut is not None, most=MAX_BYTES) for one in (left, right)]
    return _of_readings(*readings, cut=cut, sizes=sizes)


def _of_readings(left: Reading, right: Reading, *, cut: str | None, sizes: dict[str, Any]) -> BodyDifference:
    """What differs between bodies that are not the same bytes."""
    if any(len(reading.body) == MAX_BYTES and reading.unpacked.cut for reading in (left, right)):
        return _bytes(sizes, f"Bodies that unpack to over {MAX_BYTES} bytes are compared as bytes.", cut)
    if left.body == right.body and (left.unpacked.encodings or right.unpacked.encodings):
        return _bytes(sizes, "What was unpacked is the same; the bytes that came differ.", cut)
    if left.text is None or right.text is None:
        return _bytes(sizes, cut)
    how = _joined(cut, *_alike(left.text, right.text))
    if left.text.text == right.text.text:
        return _text(sizes, [], how)
    found = _json_difference(left.text.text, right.text.text, how=how, sizes=sizes)
    if found is None and left.media_type == right.media_type == FORM and left.form and right.form:
        found = _fields(left, right, how=how, sizes=sizes)
    return found or _text(sizes, _lines(left.text.text, right.text.text), how)


def _fields(left: Reading, right: Reading, *, how: str | None, sizes: dict[str, Any]) -> BodyDifference:
    """Forms, a field a line."""
    before, after = ("\n".join(f"{name}={value}" for name, value in reading.fields) for reading in (left, right))
    if max(len(left.fields), len(right.fields)) == limits.READ_FIELDS:
        return _bytes(sizes, f"Forms of {limits.READ_FIELDS:,} fields and more are compared as bytes.", how)
    if before == after:
        return _text(sizes, [], _joined(how, "The fields are the same; they are written otherwise."))
    return _text(sizes, _lines(before, after), how)


def _json_difference(left: str, right: str, *, how: str | None, sizes: dict[str, Any]) -> BodyDifference | None:
    """None when one of them is no JSON."""
    try:
        changes = _json(left, right)
    except RecursionError:
        deep = "The JSON is nested too deeply to be compared as such."
        return _text(sizes, _lines(left, right), _joined(how, deep))
    if changes is None:
        return None
    more = f"There are more than {MAX_CHANGES} changes." if len(changes) > MAX_CHANGES else None
    none = None if changes else "The values are the same JSON; it is written otherwise."
    notice = _joined(how, more, none)
    return BodyDifference(identical=False, kind="json", json=changes[:MAX_CHANGES], notice=notice, **sizes)


def _text(sizes: dict[str, Any], lines: list[str] | None, notice: str | None) -> BodyDifference:
    if lines is None:
        return _bytes(sizes, f"More than {MAX_LINES} lines differ; the bodies are compared as bytes.", notice)
    return BodyDifference(identical=False, kind="text", text=lines, notice=notice, **sizes)


def _bytes(sizes: dict[str, Any], *notices: str | None) -> BodyDifference:
    return BodyDifference(identical=False, kind="bytes", notice=_joined(*notices), **sizes)


def _alike(left: Text, right: Text) -> Iterator[str]:
    """What is to be said of texts that are read in different ways."""
    if left.text == right.text:
        yield "The text is the same; the bytes differ."
    if left.charset != right.charset:
        yield f"The first was read as {charset_name(left.charset)}, the second as {charset_name(right.charset)}."


def _joined(*notices: str | None) -> str | None:
    return " ".join(filter(None, notices)) or None


class _Number(str):
    """A number as it was written: 1 is not 1.0, and none is too big."""

    __slots__ = ()


class _Object(dict[tuple[str, int], Any]):
    """Members by name and by how often the name came before: repeated ones are all kept."""


def _members(pairs: list[tuple[str, Any]]) -> _Object:
    seen: Counter[str] = Counter()
    members = _Object()
    for name, value in pairs:
        members[name, seen[name]] = value
        seen[name] += 1
    return members


def _json(left: str, right: str) -> list[JsonDifference] | None:
    """None when one is not JSON. Raises `RecursionError` when one is nested too deeply."""
    try:
        before, after = map(_value, (left, right))
    except ValueError:
        return None
    return list(islice(_walk(before, after, "$", 0), MAX_CHANGES + 1))


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_decoder = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_refuse, object_pairs_hook=_members)


def _value(text: str) -> Any:
    """Of JSON lines a list. Raises `ValueError`."""
    try:
        return _decoder.decode(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2:
            raise
        return [_decoder.decode(line) for line in lines]


def _walk(left: Any, right: Any, path: str, depth: int) -> Iterator[JsonDifference]:
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(left, dict) and isinstance(right, dict):
        for name, repeated in dict.fromkeys([*left, *right]):
            inner = f"{path}.{name[:SHOWN]}" + (f" (again, {repeated + 1})" if repeated else "")
            yield from _member(left, right, (name, repeated), inner, depth)
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
