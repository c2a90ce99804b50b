"""Whether a request is what a rule of a bin's response asks for; globs and paths into JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

from hookbin import http_fields
from hookbin.models.answers import When

MAX_JSON = 1024 * 1024
"""Bytes of a body that is read as JSON while its sender waits; a larger one matches no JSON path."""
MAX_TEXT = 8192
"""Characters of a value that is compared with a pattern."""
MAX_PAIRS = 1000
"""Parameters of a query that are read."""
MAX_METHOD = 64
"""Characters of a method in a condition."""
NOTHING = object()
"""What stands where there is nothing; a JSON null is something."""
_ECHOABLE = re.compile(r"[\x20-\x7e\x80-\xff]{1,4096}")
_ROOT = re.compile(r"\$\.?")
_PART = re.compile(r"\.?(?P<key>[^.\[\]\"\s]+)|\[(?P<index>\d{1,9})\]|\[\"(?P<quoted>[^\"]*)\"\]")

JsonPath = tuple[str | int, ...]


class Incoming:
    """A request as rules, handshakes and templates look at it; what is costly is read when it is asked for."""

    def __init__(
        self, *, method: str, path: str, query: str, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> None:
        self.method = method
        self.path = path
        """Below the bin, decoded, `/` at least."""
        self.query_string = query
        self._headers = headers
        """With names in lower case."""
        self.body = body

    @cached_property
    def headers(self) -> Mapping[str, list[str]]:
        return _by_name((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers)

    @cached_property
    def query(self) -> Mapping[str, list[str]]:
        if self.query_string.count("&") >= MAX_PAIRS:
            return {}
        return _by_name(parse_qsl(self.query_string, keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        """The body as JSON; `NOTHING` when it is none or too large."""
        if not self.body or len(self.body) > MAX_JSON:
            return NOTHING
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return NOTHING

    def header(self, name: str) -> str | None:
        """The first of that name, in lower case."""
        return next(iter(self.headers.get(name, ())), None)

    def echoable(self, name: str) -> str | None:
        """The header's values as one that can be sent back; None without any, or with odd characters in it."""
        value = ", ".join(self.headers.get(name, ()))
        return value if _ECHOABLE.fullmatch(value) else None

    def parameter(self, name: str) -> str | None:
        return next(iter(self.query.get(name, ())), None)


def _by_name(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


Test = Callable[[Incoming], bool]


def matcher(when: When) -> Test:
    """What tells whether a request is as `when` says: in every point."""
    tests = tuple(_tests(when))
    return lambda incoming: all(test(incoming) for test in tests)


def _tests(when: When) -> Iterable[Test]:
    """The cheap ones first."""
    if when.method is not None:
        yield _method_test(when.method)
    if when.path is not None:
        yield _path_test(when.path)
    for name, pattern in when.header.items():
        yield _pairs_test("headers", name.lower(), pattern)
    for name, pattern in when.query.items():
        yield _pairs_test("query", name, pattern)
    for path, value in when.json.items():
        yield _json_test(path, value)


def _method_test(method: str) -> Test:
    """Methods differ by case (RFC 9110, 9.1); but who writes `post` means POST."""
    either = (method, method.upper())
    return lambda incoming: incoming.method in either


def _path_test(pattern: str) -> Test:
    match = path_glob(pattern)
    return lambda incoming: match(incoming.path)


def _pairs_test(which: Literal["headers", "query"], name: str, pattern: str) -> Test:
    match = glob(pattern)
    return lambda incoming: any(match(value) for value in getattr(incoming, which).get(name, ()))


def _json_test(path: str, wanted: Any) -> Test:
    parts = json_path(path)
    if isinstance(wanted, str):
        match = glob(wanted)
        anything = wanted == "*"

        def test(incoming: Incoming) -> bool:
            found = at(incoming.json, parts)
            return (anything and found is not NOTHING) or (isinstance(found, str) and match(found))

        return test
    return lambda incoming: same(at(incoming.json, parts), wanted)


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
    for name, pattern in when.query.items():
        yield from _glob_complaint(f"query.{name[:40]}", pattern)
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
