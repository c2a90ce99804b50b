"""What of a captured request a rule can ask for and a template can use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from hookbin.bodies.headline import kind_places
from hookbin.bodies.json_values import NOTHING, as_text, printable
from hookbin.conditions.incoming import Incoming
from hookbin.http_fields import HOP_BY_HOP
from hookbin.models.answers import MAX_PATTERN, When

Kind: TypeAlias = Literal["header", "query", "json", "form"]

MAX_OFFERS = 60
"""Values of a request that are offered; the first of each kind."""
_MAX_EACH = 30
_EVERY_REQUEST_S = {*HOP_BY_HOP, "host", "content-length", "accept", "accept-encoding"}
_SIGNS = re.compile(r"[*?\\]")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PLAIN_KEY = re.compile(r'[^.\[\]"\s]+')


class Offer(Struct, frozen=True, kw_only=True):
    """One value of a request."""

    kind: Kind
    name: str
    """Of the header, parameter or field, or the path into the JSON."""
    value: str | int | float | bool | None
    """As a rule asks for it: a pattern that matches a text itself, or the JSON value."""
    variable: str
    """As a template reads it."""
    shown: str
    likely: bool = False
    """Whether its sender says there what kind of event it is."""


def offers_of(incoming: Incoming) -> list[Offer]:
    """The likely ones first."""
    kinds = (_pairs(incoming, "header"), _pairs(incoming, "query"), _of_json(incoming), _pairs(incoming, "form"))
    found = islice(chain.from_iterable(islice(kind, _MAX_EACH) for kind in kinds), MAX_OFFERS)
    told = set(map(_named, kind_places(incoming.fields, incoming.body)))
    marked = [replace(offer, likely=(offer.kind, offer.name) in told) for offer in found]
    return sorted(marked, key=lambda offer: not offer.likely)


def when_of(incoming: Incoming, offers: list[Offer]) -> When:
    """A condition that the request meets: its method, its path, and what tells its kind of event."""
    asked: dict[Kind, dict[str, Any]] = {}
    for offer in offers:
        if offer.likely:
            asked.setdefault(offer.kind, {})[offer.name] = offer.value
    return When(method=incoming.method, path=_pattern(incoming.path), **asked)


def _named(place: Sequence[str]) -> tuple[str, str]:
    """The kind and name of the offer for a place where the kind of event stands."""
    kind, *steps = place
    if kind == "":
        return "json", "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps).removeprefix(".")
    return ("form", steps[0]) if kind == "=" else ("header", kind)


def _pairs(incoming: Incoming, kind: Literal["header", "query", "form"]) -> Iterator[Offer]:
    values: Mapping[str, list[str]] = {"header": incoming.headers, "query": incoming.query, "form": incoming.form}[kind]
    for name, (value, *_) in values.items():
        pattern = _pattern(value)
        if not 0 < len(name) <= MAX_PATTERN or pattern is None or (kind == "header" and name in _EVERY_REQUEST_S):
            continue
        yield Offer(
            kind=kind,
            name=name,
            value=pattern,
            variable=f"request.{'headers' if kind == 'header' else kind}{_key(name)}",
            shown=value,
        )


def _of_json(incoming: Incoming) -> Iterator[Offer]:
    if incoming.json is NOTHING:
        return
    for path, variable, value in _leaves(incoming.json, "", "request.json"):
        wanted = _pattern(value) if isinstance(value, str) else value
        if path and (wanted is not None or value is None):
            yield Offer(kind="json", name=path, value=wanted, variable=variable, shown=as_text(value))


def _leaves(value: Any, path: str, variable: str) -> Iterator[tuple[str, str, Any]]:
    """Each text, number, truth or null in it with its path and how a template reads it."""
    if len(path) > MAX_PATTERN:
        return
    if isinstance(value, dict):
        for key, each in value.items():
            if _PLAIN_KEY.fullmatch(key):
                yield from _leaves(each, f"{path}.{key}" if path else key, variable + _key(key))
            elif key and '"' not in key:
                yield from _leaves(each, f'{path}["{key}"]', variable + _key(key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _leaves(each, f"{path}[{index}]", f"{variable}[{index}]")
    elif isinstance(value, bool | str | None) or (isinstance(value, int | float) and abs(value) < 2**53):
        yield path, variable, value


def _key(name: str) -> str:
    """A member, in Jinja's way: what is no word, or a method of a dict, in brackets."""
    return f".{name}" if _WORD.fullmatch(name) and not hasattr(dict, name) else f"[{name!r}]"


def _pattern(text: str) -> str | None:
    """The pattern that this text alone matches; None when it would be too long, or is no text."""
    pattern = _SIGNS.sub(r"\\\g<0>", text)
    return pattern if len(pattern) <= MAX_PATTERN and printable(text) == text else None
