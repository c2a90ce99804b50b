"""Whether a request is what a rule of a bin's response asks for; globs and paths into JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from hookbin import http_fields
from hookbin.bodies.json_values import NOTHING, as_text
from hookbin.conditions.incoming import Incoming
from hookbin.models.answers import When

MAX_TEXT = 8192
"""Characters of a value that is compared with a pattern."""
MAX_METHOD = 64
"""Characters of a method in a condition."""
SHOWN = 100
"""Characters of what was found instead that a complaint shows."""
_ROOT = re.compile(r"\$\.?")
_PART = re.compile(r"\.?(?P<key>[^.\[\]\"\s]+)|\[(?P<index>\d{1,9})\]|\[\"(?P<quoted>[^\"]*)\"\]")

JsonPath = tuple[str | int, ...]
_Wanted: TypeAlias = str | Callable[[str], bool] | None
"""One thing that is so, one that passes a test, or any number of things."""


class Condition(Struct, frozen=True):
    """One thing that a request must be like."""

    name: str
    holds: Callable[[Incoming], bool]
    instead: Callable[[Incoming], str]
    """What is there, for people."""


def matcher(when: When) -> Callable[[Incoming], bool]:
    """What tells whether a request is as `when` says: in every point."""
    tests = tuple(condition.holds for condition in conditions(when))
    return lambda incoming: all(test(incoming) for test in tests)


def unmet(conditions: Iterable[Condition], seen: Incoming) -> list[str]:
    """Each condition that the request does not meet, and what it has instead."""
    return [f"{each.name}: {each.instead(seen)[:SHOWN]}" for each in conditions if not each.holds(seen)]


def conditions(when: When) -> Iterator[Condition]:
    """The cheap ones first."""
    if when.method is not None:
        yield _method_condition(when.method)
    if when.path is not None:
        yield path_condition(when.path)
    for name, pattern in when.header.items():
        yield header_condition(name, pattern)
    for name, pattern in when.query.items():
        yield query_condition(name, pattern)
    for path, value in when.json.items():
        yield json_condition(path, value)
    for name, pattern in when.form.items():
        yield form_condition(name, pattern)


def _method_condition(method: str) -> Condition:
    """Methods differ by case (RFC 9110, 9.1); but who writes `post` means POST."""
    either = (method, method.upper())
    return Condition(f"method {method}", lambda seen: seen.method in either, lambda seen: seen.method)


def path_condition(pattern: str) -> Condition:
    match = path_glob(pattern)
    return Condition(f"path {pattern}", lambda seen: match(seen.path), lambda seen: seen.path)


def header_condition(name: str, pattern: str | None) -> Condition:
    """`pattern` is None for any value; so it is for `query_condition` and `form_condition`."""
    return _pairs_condition("header", name, pattern, lambda seen: seen.headers.get(name.lower(), ()))


def query_condition(name: str, pattern: str | None) -> Condition:
    return _pairs_condition("query", name, pattern, lambda seen: seen.query.get(name, ()))


def form_condition(name: str, pattern: str | None) -> Condition:
    return _pairs_condition("form", name, pattern, lambda seen: seen.form.get(name, ()))


def _pairs_condition(
    kind: str, name: str, pattern: str | None, values: Callable[[Incoming], Sequence[str]]
) -> Condition:
    match = glob("*" if pattern is None else pattern)
    return Condition(
        f"{kind} {name}" if pattern is None else f"{kind} {name}:{pattern}",
        lambda seen: any(map(match, values(seen))),
        lambda seen: ", ".join(values(seen)) or "it is not there",
    )


def json_condition(path: str, wanted: Any) -> Condition:
    """Raises `ValueError` for a path that makes no sense."""
    parts = json_path(path)
    match = glob(wanted) if isinstance(wanted, str) else None

    def holds(seen: Incoming) -> bool:
        found = at(seen.json, parts)
        if match is None:
            return same(found, wanted)
        return found is not NOTHING and (wanted == "*" or (isinstance(found, str) and match(found)))

    def instead(seen: Incoming) -> str:
        found = at(seen.json, parts)
        return "it is not there" if found is NOTHING else as_text(found)

    return Condition(f"json {path}=={as_text(wanted)}", holds, instead)


def same(found: Any, wanted: Any) -> bool:
    """Equal as JSON values: 1 is 1.0, but true is not 1."""
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def at(value: Any, path: JsonPath) -> Any:
    """What stands there, or `NOTHING`."""
    for part in path:
        if isinstance(part, str):
            value = value.get(part, NOTHING) if isinstance(value, dict) else NOTHING
        else:
            value = value[part] if isinstance(value, list) and part < len(value) else NOTHING
    return value


def json_path(path: str) -> JsonPath:
    """`data.items[0]["odd key"]`, with `$.` before it or not, as keys and indexes. Raises `ValueError`."""
    root = _ROOT.match(path)
    end = root.end() if root else 0
    parts: list[str | int] = []
    while end < len(path):
        part = _PART.match(path, end)
        if part is None:
            raise ValueError(f'can\'t be read from character {end + 1} on; write it as data.items[0]["odd key"]')
        index = part["index"]
        parts.append(int(index) if index is not None else part["key"] or part["quoted"] or "")
        end = part.end()
    return tuple(parts)


def glob(pattern: str) -> Callable[[str], bool]:
    """Whether a text is as the pattern: `*` is any text, `?` one character, `\\` takes the next one as it is.

    A text over `MAX_TEXT` matches `*` alone.
    """
    if pattern == "*":
        return _anything
    wanted = list(_characters(pattern))
    matches = _in_order(wanted) if _anything in wanted else _around_stars(wanted)
    return lambda text: len(text) <= MAX_TEXT and matches(text)


def path_glob(pattern: str) -> Callable[[str], bool]:
    """The same for a path: `*` and `?` stay within a segment, `**` is any number of segments, none too."""
    segments = pattern.split("/")
    wanted = {segment: None if segment == "**" else _segment(segment) for segment in segments}
    matches = _in_order([wanted[segment] for segment in segments])
    return lambda path: len(path) <= MAX_TEXT and matches(path.split("/"))


def _segment(pattern: str) -> _Wanted:
    characters = [each for each in _characters(pattern) if isinstance(each, str)]
    return "".join(characters) if "".join(characters) == pattern else glob(pattern)


def _characters(pattern: str) -> Iterator[_Wanted]:
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            yield next(letters, letter)
        else:
            yield _SIGNS.get(letter, letter)


def _around_stars(wanted: Iterable[_Wanted]) -> Callable[[str], bool]:
    """For characters and stars alone. What stands between two stars is taken where it is found first."""
    pieces = [""]
    for each in wanted:
        if isinstance(each, str):
            pieces[-1] += each
        else:
            pieces.append("")
    first, *middle = pieces
    if not middle:
        return lambda text: text == first
    last = middle.pop()

    def matches(text: str) -> bool:
        at, end = len(first), len(text) - len(last)
        if at > end or not (text.startswith(first) and text.endswith(last)):
            return False
        for piece in middle:
            at = text.find(piece, at, end) + len(piece)
            if at < len(piece):
                return False
        return True

    return matches


def _in_order(wanted: Sequence[_Wanted]) -> Callable[[Iterable[str]], bool]:
    """Whether things come as they are wanted.

    The places that may have been reached are bits of one number, so that nothing is gone back to: the time is
    that of the things alone (Baeza-Yates and Gonnet, "A new approach to text searching", 1992).
    """
    places: dict[_Wanted, int] = {}
    for place, each in enumerate(wanted):
        places[each] = places.get(each, 0) | 1 << place
    stars, always = places.pop(None, 0), places.pop(_anything, 0)
    tests = [(test, bits) for test, bits in places.items() if callable(test)]
    tested = sum(bits for _, bits in tests)

    def beyond_stars(reached: int) -> int:
        while more := (reached & stars) << 1 & ~reached:
            reached |= more
        return reached

    def matches(things: Iterable[str]) -> bool:
        reached = beyond_stars(1)
        for thing in things:
            met = always | places.get(thing, 0)
            if reached & tested:
                met |= sum(bits for test, bits in tests if reached & bits and test(thing))
            reached = beyond_stars((reached & met) << 1 | reached & stars)
            if not reached:
                return False
        return bool(reached >> len(wanted))

    return matches


def _anything(_: str) -> bool:
    return True


_SIGNS: Mapping[str, _Wanted] = {"*": None, "?": _anything}


def complaints(when: When) -> Iterable[tuple[str, str]]:
    """`(loc, msg)` of each part of a condition that can't be used."""
    if when.method is not None and not (len(when.method) <= MAX_METHOD and http_fields.is_token(when.method)):
        yield "method", "a method is a token such as POST"
    if when.path is not None:
        if any("**" in segment and segment != "**" for segment in when.path.split("/")):
            yield "path", "** stands alone between slashes; within a segment write *"
        if not when.path.startswith("/"):
            yield "path", "a path begins with /: it is matched with what follows the bin in the URL"
        yield from _glob_complaint("path", when.path)
    for name, pattern in when.header.items():
        if not http_fields.is_name(name):
            yield f"header.{name[:40]}", "is no name of a header"
        yield from _glob_complaint(f"header.{name[:40]}", pattern)
    for kind, patterns in (("query", when.query), ("form", when.form)):
        for name, pattern in patterns.items():
            yield from _glob_complaint(f"{kind}.{name[:40]}", pattern)
    for path, value in when.json.items():
        try:
            json_path(path)
        except ValueError as error:
            yield f"json.{path[:40]}", f"the path {error}"
        if isinstance(value, str):
            yield from _glob_complaint(f"json.{path[:40]}", value)


def _glob_complaint(loc: str, pattern: str) -> Iterable[tuple[str, str]]:
    trailing = len(pattern) - len(pattern.rstrip("\\"))
    if trailing % 2:
        yield loc, "a pattern does not end with a single backslash; write two for one"
