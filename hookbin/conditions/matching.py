"""Whether a request is what a rule of a bin's response asks for; globs and paths into JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from hookbin import http_fields
from hookbin.bodies.json_values import NOTHING, as_text
from hookbin.conditions.incoming import Incoming
from hookbin.models.answers import When

MAX_TEXT = 8192
"""Characters of a value that is compared with a pattern."""
MAX_METHOD = 64
"""Characters of a method in a condition."""
_ROOT = re.compile(r"\$\.?")
_PART = re.compile(r"\.?(?P<key>[^.\[\]\"\s]+)|\[(?P<index>\d{1,9})\]|\[\"(?P<quoted>[^\"]*)\"\]")

JsonPath = tuple[str | int, ...]


class Condition(Struct, frozen=True):
    """One thing that a request must be like."""

    name: str
    holds: Callable[[Incoming], bool]
    instead: Callable[[Incoming], str]
    """What is there, for people."""


def matcher(when: When) -> Callable[[Incoming], bool]:
    """What tells whether a request is as `when` says: in every point."""
    tests = tuple(condition.holds for condition in _conditions(when))
    return lambda incoming: all(test(incoming) for test in tests)


def _conditions(when: When) -> Iterator[Condition]:
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

    What stands between two stars is taken where it is found first and never given back, so a match
    takes no longer than text times pattern. A text over `MAX_TEXT` matches `*` alone.
    """
    if pattern == "*":
        return lambda text: True
    first, *others = _pieces(pattern)
    last = others.pop() if others else None
    middle = "".join(f"(?>.*?{part})" for part in others)
    expression = first if last is None else f"{first}{middle}.*{last}"
    match = re.compile(expression, re.DOTALL).fullmatch
    return lambda text: len(text) <= MAX_TEXT and match(text) is not None


def _pieces(pattern: str) -> list[str]:
    """What stands between the stars, each as a regular expression; runs of stars are one."""
    pieces = [""]
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            pieces[-1] += re.escape(next(letters, letter))
        elif letter != "*":
            pieces[-1] += "." if letter == "?" else re.escape(letter)
        elif pieces[-1] or len(pieces) == 1:
            pieces.append("")
    return pieces


def path_glob(pattern: str) -> Callable[[str], bool]:
    """The same for a path: `*` and `?` stay within a segment, `**` is any number of segments, none too."""
    segments = [None if segment == "**" else glob(segment) for segment in pattern.split("/")]
    return lambda path: len(path) <= MAX_TEXT and _segments_match(path.split("/"), segments)


def _segments_match(path: list[str], pattern: Sequence[Callable[[str], bool] | None]) -> bool:
    """Go on while segments match; where one does not, let the last `**` (None) take one segment more."""
    at = wanted = taken = 0
    star: int | None = None
    while at < len(path):
        test = pattern[wanted] if wanted < len(pattern) else _never
        if test is None:
            star, taken = wanted, at
            wanted += 1
        elif test(path[at]):
            at, wanted = at + 1, wanted + 1
        elif star is not None:
            taken += 1
            at, wanted = taken, star + 1
        else:
            return False
    return all(test is None for test in pattern[wanted:])


def _never(_: str) -> bool:
    return False


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
