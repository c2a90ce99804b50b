"""What a request is, in a line: `GitHub push · octavia/lighthouse`, by the header fields and the body of its sender."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

from hookbin.bodies import limits
from hookbin.bodies.json_values import NOTHING, read_plain_json
from hookbin.bodies.reading import Reading
from hookbin.bodies.senders import SENDERS, Sender
from hookbin.models.common import Headers
from hookbin.text import wire

MAX_WORD = 80
"""Characters of each piece of a headline."""
MAX_FIELDS = 100
"""Fields of a form that are looked at."""
_UNREAD = object()
_BY_HEADER = {
    mark: place for place, sender in reversed([*enumerate(SENDERS)]) for mark in sender.marks if mark[0] != "."
}
_BY_BODY: dict[str, list[int]] = {}
"""The places of those that fields of the body tell, by the outermost name of the first."""
for _place, _sender in enumerate(SENDERS):
    if _sender.marks[0][0] == ".":
        _BY_BODY.setdefault(_sender.marks[0].split(".")[1], []).append(_place)


def headline(headers: Headers, body: bytes) -> str | None:
    """The line, plain text without control characters; None when nothing tells what it is.

    Cheap enough for each row of a list: the body is looked into only up to `limits.HEADLINE` bytes, and only by the
    fast parser.
    """
    opening = _Opening(headers, body)
    sender = _sender_of(opening)
    if sender is None:
        return None
    words = " ".join(filter(None, (sender.name, *map(opening.at, sender.what))))
    about = opening.at(sender.about) if sender.about else ""
    return f"{words} · {about}" if words and about else words or about or None


def kind_places(headers: Headers, body: bytes) -> list[Sequence[str]]:
    """Where it stands what kind of event it is: the name of a header field, or steps as in `_places`."""
    opening = _Opening(headers, body)
    sender = _sender_of(opening)
    places = [] if sender is None else [opening.found(each)[0] for each in sender.what]
    return [place for place in places if place]


class _Opening:
    """What can be read of a request at little cost."""

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.fields = {name.lower(): value for name, value in reversed(headers)}
        self._headers = headers
        self._sent = body if len(body) <= limits.HEADLINE else b""
        self._json: Any = _UNREAD

    @property
    def json(self) -> Any:
        """The body, or of a form the JSON of its `payload`."""
        if self._json is _UNREAD:
            self._json = self._read_json()
        return self._json

    def _read_json(self) -> Any:
        body = self._reading.body if "content-encoding" in self.fields else self._sent
        if not body:
            return NOTHING
        if body.lstrip()[:1] in (b"{", b"["):
            return read_plain_json(body)
        return read_plain_json(self.form.get("payload", "").encode())

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self._sent, self._headers, most=limits.HEADLINE)

    @cached_property
    def form(self) -> dict[str, str]:
        form = self._reading.form or ()
        return {field.name: field.value for field in islice(form, MAX_FIELDS)}

    def at(self, places: str) -> str:
        """The word at the first of those places that has one; empty when none has."""
        return self.found(places)[1]

    def found(self, places: str) -> tuple[Sequence[str], str]:
        """The first of those places that has a word, and the word."""
        for place in _places(places):
            if word := _word(self._value(place)):
                return place, word
        return (), ""

    def has(self, path: str) -> bool:
        return self._value(_places(path)[0]) is not NOTHING

    def _value(self, place: Sequence[str]) -> Any:
        if place[0] == "":
            return _found(self.json, place[1:])
        return wire(self.fields.get(place[0], "")) if place[0] != "=" else self.form.get(place[1])


@lru_cache(maxsize=256)
def _places(text: str) -> tuple[Sequence[str], ...]:
    """Each as its steps, of which the first is empty for the body and `=` for a form."""
    places = text.split("|") if text else ()
    return tuple(("=", place[1:]) if place[0] == "=" else place.split(".") for place in places)


def _sender_of(opening: _Opening) -> Sender | None:
    """By a header field if one tells, else by the body."""
    if told := opening.fields.keys() & _BY_HEADER.keys():
        return SENDERS[min(_BY_HEADER[name] for name in told)]
    body = opening.json
    if not isinstance(body, dict):
        return None
    for place in sorted([place for name in body.keys() & _BY_BODY.keys() for place in _BY_BODY[name]]):
        if all(map(opening.has, SENDERS[place].marks)):
            return SENDERS[place]
    return None


def _found(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return NOTHING
    return value


def _word(value: Any) -> str:
    """A text or a whole number as one short word or phrase; what does not print is left out."""
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        return ""
    text = " ".join(str(value)[: 4 * MAX_WORD].split())
    shown = text if text.isprintable() else "".join(filter(str.isprintable, text))
    return shown if len(shown) <= MAX_WORD else f"{shown[:MAX_WORD]}…"
