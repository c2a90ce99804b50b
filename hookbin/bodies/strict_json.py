"""JSON that we are sent to pass on: all that RFC 8259's grammar allows is taken, and a fault is told with its place.

msgspec decodes it, but knows no lone surrogate (`"\\ud800"`, which the grammar has) outside of what it skips; then the
members that are passed on are cut out by the standard library's scanner, and msgspec gets the rest.
"""

from __future__ import annotations

import json
from json.decoder import WHITESPACE, JSONDecoder, scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn

import msgspec
from msgspec import Raw, Struct

from hookbin.bodies.json_text import Tokens

LEVELS = 500
"""So deeply JSON may be nested here in any case; Python's stack bounds what is deeper."""
MAX_TOKENS = 100_000
"""So many are read to say what is wrong; of a fault behind them only the place is told."""


class BrokenAt(Exception):
    """`str` says what is wrong, with line and column."""


def decode(content: bytes, type: type[Struct]) -> Any:
    """The object, its members of type `Raw` byte for byte. Raises `BrokenAt`, and msgspec's `ValidationError`."""
    text = _text(content)
    try:
        return msgspec.json.decode(content, type=type)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _by_members(text, type)


def check(content: bytes) -> None:
    """Raises `BrokenAt` for what is no JSON."""
    _check(_text(content))


def _check(text: str) -> None:
    end = _end_of_value(text, _blank(text, 0))
    if _blank(text, end) != len(text):
        raise _broken(text, end)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        raise BrokenAt(f"{_place(before, len(before))}: this byte is no UTF-8, which JSON must be") from error


def _by_members(text: str, type: type[Struct]) -> Any:
    raw = {field.name: field.encode_name for field in msgspec.structs.fields(type) if _is_raw(field)}
    _check(text)
    values = _members(text) if text.lstrip(" \t\r\n").startswith("{") else {}
    plain = {name: Raw(b"null" if name in raw.values() else value.encode()) for name, value in values.items()}
    try:
        found = msgspec.json.decode(msgspec.json.encode(plain) if values else text.encode(), type=type)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BrokenAt("a field that is not passed on has half a surrogate pair, or a number past any range") from error
    cut_out = {field: Raw(values[name].encode()) for field, name in raw.items() if name in values}
    return msgspec.structs.replace(found, **cut_out)


def _is_raw(field: msgspec.structs.FieldInfo) -> bool:
    return getattr(field.type, "__origin__", field.type) is Raw  # within `Annotated`, or bare


def _members(text: str) -> dict[str, str]:
    """The members of an object that `check` has passed, the last of each name, each value as it is written."""
    members: dict[str, str] = {}
    at = _blank(text, text.index("{") + 1)
    while text[at] == '"':
        name, at = scanstring(text, at + 1, True)
        start = _blank(text, _blank(text, at) + 1)
        at = _end_of_value(text, start)
        members[name] = text[start:at]
        at = _blank(text, _blank(text, at) + 1) if text[_blank(text, at)] == "," else _blank(text, at)
    return members


def _end_of_value(text: str, at: int) -> int:
    try:
        return _DECODER.raw_decode(text, at)[1]
    except RecursionError as error:
        raise _broken(text, at) from error
    except ValueError as error:
        raise _broken(text, error.pos if isinstance(error, json.JSONDecodeError) else at) from error


def _blank(text: str, at: int) -> int:
    blank = WHITESPACE.match(text, at)
    return int(blank.end())


def _broken(text: str, at: int) -> BrokenAt:
    """What is wrong in our own words, and where; `at` is where the parser saw it."""
    tokens = Tokens(text, _Nobody())
    while tokens.depth <= LEVELS and tokens.count < MAX_TOKENS and tokens.step():
        pass
    if tokens.depth > LEVELS:
        deep = _place(text, tokens.blank_end() - 1)
        return BrokenAt(f"{deep}: it is nested deeper than {LEVELS} levels; send it flatter")
    if tokens.count == MAX_TOKENS:
        return BrokenAt(f"{_place(text, at)}: this is no JSON")
    place, what = tokens.broken(whole=True) or (at, "this is no JSON")
    return BrokenAt(f"{_place(text, place)}: {what}")


def _place(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


class _Nobody:
    def write(self, word: str, kind: str, depth: int) -> None: ...


_DECODER = JSONDecoder(parse_constant=_refuse, parse_int=str, parse_float=str)
