"""msgspec's complaints about input as ours: where in it, and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import cast

import msgspec
from msgspec import Struct, inspect

from hookbin import errors

_AT = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`(?P<where>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`")
_NO_MEMBER = re.compile(r"Invalid enum value '?(?P<value>.*?)'?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_BOUND = re.compile(r"Expected `(?P<type>[a-z |]+)` (?P<length>of length )?(?P<sign>[<>]=?) (?P<bound>[0-9.]+)")
_KIND = re.compile(r"Expected `(?P<wanted>[a-z |]+)`, got `(?P<got>[a-z]+)`")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
"""msgspec's types in plain words; null is null."""
_SIGNS = {"<=": "at most", "<": "less than", ">=": "at least", ">": "more than"}
_STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[\d+\]")


def fields_invalid(error: msgspec.ValidationError, type: type[Struct]) -> errors.FieldsInvalid:
    found = _AT.match(str(error))
    what, where = (found["what"], found["where"] or "$") if found else (str(error), "$")
    loc = where.removeprefix("$").removeprefix(".").replace("[...]", "")
    if missing := _MISSING.fullmatch(what):
        return errors.FieldsInvalid((_join(loc, missing["field"]), "is needed"))
    if unknown := _UNKNOWN.fullmatch(what):
        names = ", ".join(_fields(type, loc))
        known = f"; known are {names}" if names else ""
        return errors.FieldsInvalid((_join(loc, unknown["field"][:100]), f"is not a field here{known}"))
    if (wrong := _NO_MEMBER.fullmatch(what)) and (members := _members(type, loc)):
        return errors.FieldsInvalid((loc, f"{wrong['value'][:40]!r} is not one of {', '.join(members)}"))
    if bound := _BOUND.fullmatch(what):
        return errors.FieldsInvalid((loc or "body", _out_of_bounds(bound)))
    if kind := _KIND.fullmatch(what):
        wanted = " or ".join(_KINDS.get(each, each) for each in kind["wanted"].split(" | "))
        return errors.FieldsInvalid((loc or "body", f"must be {wanted}, not {_KINDS.get(kind['got'], kind['got'])}"))
    return errors.FieldsInvalid((loc or "body", what[:1].lower() + what[1:]))


def _out_of_bounds(found: re.Match[str]) -> str:
    limit = f"{_SIGNS[found['sign']]} {found['bound'].removesuffix('.0')}"
    if found["length"] is None:
        return f"must be {limit}"
    unit = "character" if found["type"].startswith("str") else "item"
    return f"must have {limit} {unit}{'' if found['bound'] == '1' else 's'}"


def _join(loc: str, field: str) -> str:
    return f"{loc}.{field}" if loc else field


def _fields(type: type[Struct], loc: str) -> list[str]:
    """What an object at that place may have."""
    return [
        field.encode_name
        for option in _at(type, loc)
        if isinstance(option, inspect.StructType)
        for field in option.fields
    ]


def _members(type: type[Struct], loc: str) -> list[str]:
    """What a value at that place may be, where only certain ones are."""
    found: list[str] = []
    for option in _at(type, loc):
        if isinstance(option, inspect.EnumType):
            found += [str(member.value) for member in cast(Iterable[Enum], option.cls)]
        elif isinstance(option, inspect.LiteralType):
            found += map(str, option.values)
    return found


def _at(type: type[Struct], loc: str) -> list[inspect.Type]:
    """The types that a place in the input can have; none where that can't be told."""
    options = _options(inspect.type_info(type))
    for step in _STEP.finditer(loc):
        options = [each for option in options for below in _below(option, step[1]) for each in _options(below)]
    return options


def _below(type: inspect.Type, field: str | None) -> list[inspect.Type]:
    """What a field has, or, without one, an item."""
    match type:
        case inspect.StructType() if field is not None:
            return [known.type for known in type.fields if known.encode_name == field]
        case inspect.CollectionType() | inspect.VarTupleType() if field is None:
            return [type.item_type]
        case _:
            return []


def _options(type: inspect.Type) -> list[inspect.Type]:
    match type:
        case inspect.UnionType():
            return [each for option in type.types for each in _options(option)]
        case inspect.Metadata():
            return _options(type.type)
        case _:
            return [type]
