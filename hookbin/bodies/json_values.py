"""JSON as values, read as leniently as the view of it: lone surrogates, numbers past any float, any depth.

What RFC 8259's grammar refuses is refused here too. Of a repeated key the last value counts, as with most parsers;
`read_pairs` keeps them all.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from hookbin.bodies import limits
from hookbin.bodies.json_text import Tokens

NOTHING = object()
"""What stands where there is nothing; a JSON null is something."""
_OPENS = re.compile(r"\s{0,1000}[{\[]")
_DIGITS = 4_000
"""Digits of a whole number that stays exact; Python prints no more than 4,300."""
_HUGE, _HUGE_DIGITS = 1_000, 1_000
"""Numbers past any float that stay exact, and the digits that such a number may have."""
_SURROGATES = re.compile("[\ud800-\udfff]")


def opens_json(text: str) -> bool:
    return _OPENS.match(text) is not None


def read_json(text: str, *, deep: bool = True) -> Any:
    """The value, or `NOTHING`. Of what is nested too deeply, the outer `limits.LEVELS`, or nothing unless `deep`."""
    try:
        return _parsed(text)
    except RecursionError:
        return _outer_levels(text) if deep else NOTHING
    except ValueError:
        return NOTHING


def read_plain_json(content: bytes) -> Any:
    """The value that any parser finds in UTF-8; `NOTHING` where more has to be tried."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return NOTHING


def _parsed(text: str) -> Any:
    """By the fast parser, else by the lenient one."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError):
        numbers = _Numbers()
        return json.loads(text, parse_int=numbers.whole, parse_float=numbers.any, parse_constant=_refuse)


def read_lines(text: str) -> Any:
    """JSON lines as a list, up to the first that is broken; `NOTHING` when the first two are none."""
    values: list[Any] = []
    for line in text.split("\n"):
        if not (line := line.strip(" \t\r\x1e")):
            continue
        value = read_json(line, deep=False) if opens_json(line) else NOTHING
        if value is NOTHING:
            break
        values.append(value)
    return values if len(values) > 1 else NOTHING


def as_text(value: Any) -> str:
    """A value as compact JSON, whatever is in it."""
    return printable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def printable(text: str) -> str:
    """Text that can be sent: half a pair of surrogates can't be."""
    return _SURROGATES.sub("\ufffd", text)


class HugeNumber(int):
    """A whole number past any float: exact, and read as it was written."""

    def __new__(cls, written: str, value: int) -> HugeNumber:
        number = super().__new__(cls, value)
        number._written = written
        return number

    _written: str

    def __str__(self) -> str:
        return self._written


class _Numbers:
    """Reads numbers. Only some that are huge stay exact, since each costs as much as a hundred others."""

    def __init__(self) -> None:
        self._left = _HUGE

    def whole(self, digits: str) -> int | float:
        return int(digits) if len(digits) <= _DIGITS else float(digits)

    def any(self, written: str) -> int | float:
        value = float(written)
        if not math.isinf(value) or not self._left:
            return value
        self._left -= 1
        exact = Decimal(written)
        return HugeNumber(written, int(exact)) if exact.adjusted() < _HUGE_DIGITS else value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _outer_levels(text: str) -> Any:
    values = _OuterLevels()
    tokens = Tokens(text, values)
    while tokens.count < limits.DEEP_TOKENS and tokens.step():
        pass
    return NOTHING if tokens.count == limits.DEEP_TOKENS or tokens.broken(whole=True) else values.root


class _OuterLevels:
    """Takes tokens, and builds values of those that are not nested too deeply; deeper objects and lists are empty."""

    def __init__(self) -> None:
        self.root: Any = NOTHING
        self._open: list[dict[str, Any] | list[Any]] = []
        self._name: str | None = None
        self._numbers = _Numbers()

    def write(self, word: str, kind: str, depth: int) -> None:
        """`depth` counts what is open: behind an opening bracket with it, behind a closing one without."""
        if kind in ("{", "["):
            if depth <= limits.LEVELS + 1:
                self._add({} if kind == "{" else [])
        elif kind in ("}", "]"):
            if depth < limits.LEVELS:
                self._open.pop()
        elif depth <= limits.LEVELS and kind not in (",", ":"):
            self._scalar(json.loads(word, parse_int=self._numbers.whole, parse_float=self._numbers.any))

    def _scalar(self, value: Any) -> None:
        if self._open and isinstance(self._open[-1], dict) and self._name is None:
            self._name = value
        else:
            self._add(value)

    def _add(self, value: Any) -> None:
        if not self._open:
            self.root = value
        elif isinstance(parent := self._open[-1], dict):
            parent[self._name or ""] = value
        else:
            parent.append(value)
        self._name = None
        if isinstance(value, (dict, list)) and len(self._open) < limits.LEVELS:
            self._open.append(value)
