"""What a request is, in a line: `GitHub push · octavia/lighthouse`, by the header fields and the body of its sender."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
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
_BY_HEADER = {
    mark: place for place, sender in reversed([*enumerate(SENDERS)]) for mark in sender.marks if mark[0] != "."
}
_BY_BODY = [sender for sender in SENDERS if sender.marks[0][0] == "."]


def headline(headers: Headers, body: bytes) -> str | None:
    """The line, plain text without control characters; None when nothing tells what it is.

    Cheap enough for each row of a list: the body is looked into only up to `limits.HEADLINE` bytes, and only by the
    fast parser.
    """
    opening = _Opening(headers, body)
    sender = _sender(opening)
    if sender is None:
        return None
    words = [sender.name, *map(opening.at, sender.what)]
    about = opening.at(sender.about)
    return " · ".join(filter(None, (" ".join(filter(None, words)), about))) or None


class _Opening:
    """What can be read of a request at little cost."""

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.fields = {name.lower(): value for name, value in reversed(headers)}
        self._reading = Reading(body if len(body) <= limits.HEADLINE else b"", headers, most=limits.HEADLINE)

    @cached_property
    def json(self) -> Any:
        """The body, or of a form the JSON of its `payload`."""
        body = self._reading.body
        if not body:
            return NOTHING
        if body.lstrip()[:1] in (b"{", b"["):
            return read_plain_json(body)
        return read_plain_json(self.form.get("payload", "").encode())

    @cached_property
    def form(self) -> dict[str, str]:
        form = self._reading.form or ()
        return {field.name: field.value for field in islice(form, MAX_FIELDS)}

    def at(self, places: str) -> str:
        """The first of those places that has a word; empty when none has."""
        for place in places.split("|") if places else ():
            if word := _word(self._value(place)):
                return word
        return ""

    def has(self, path: str) -> bool:
        return self._value(path) is not NOTHING

    def _value(self, place: str) -> Any:
        if place[:1] == ".":
            return _found(self.json, place[1:].split("."))
        return wire(self.fields.get(place, "")) if place[:1] != "=" else self.form.get(place[1:])


def _sender(opening: _Opening) -> Sender | None:
    """By a header field if one tells, else by the body."""
    if told := opening.fields.keys() & _BY_HEADER.keys():
        return SENDERS[min(_BY_HEADER[name] for name in told)]
    if not isinstance(opening.json, (dict, list)):
        return None
    return next((sender for sender in _BY_BODY if all(map(opening.has, sender.marks))), None)


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
