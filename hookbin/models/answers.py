"""What a bin answers: steps, sequences, rules, handshakes, faults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hookbin.models.common import Headers

MIN_STATUS, MAX_STATUS = 200, 599
"""A final answer (RFC 9110, 15)."""
MAX_HEADERS = 50
"""Headers of one answer."""
MAX_BODY = 256 * 1024
"""Characters of an answer's body."""
MAX_DELAY = 30_000
"""Milliseconds that an answer waits."""
MAX_REPEAT = 10_000
"""Requests that one step of a sequence answers."""
MAX_STEPS = 100
"""Steps of a sequence; rules of a response."""
MAX_CONDITIONS = 20
"""Headers, parameters or JSON paths that one rule looks at."""
MAX_PATTERN = 256
"""Characters of a pattern, and of the name or path that it is for."""
MAX_HANDSHAKE_SECRET = 1024
"""Characters of a secret shared with a provider."""


_TEMPLATE = re.compile(r"\{[{%]")


class Fault(StrEnum):
    """How a bin can fail to answer as HTTP wants it; `FAULT_MEANINGS` says what each does."""

    RESET = "reset"
    HANG = "hang"
    DRIP = "drip"
    TRUNCATE = "truncate"
    GARBAGE = "garbage"
    EMPTY = "empty"

    @property
    def sends_a_body(self) -> bool:
        """Whether the answer goes out, and it is its body that goes wrong."""
        return self in (Fault.DRIP, Fault.TRUNCATE)


FAULT_MEANINGS: Mapping[Fault, str] = MappingProxyType(
    {
        Fault.RESET: "the connection is reset (TCP RST), without an answer",
        Fault.HANG: "nothing is answered, and the connection stays open",
        Fault.DRIP: "the body comes a byte at a time",
        Fault.TRUNCATE: "the connection is closed after half of the body that was announced",
        Fault.GARBAGE: "bytes that are no HTTP, then the connection is closed",
        Fault.EMPTY: "the connection is closed without a byte",
    }
)


class SequenceEnd(StrEnum):
    """What follows the last step of a sequence."""

    STAY = "stay"
    CYCLE = "cycle"


class Provider(StrEnum):
    """Whose check that a bin is its owner's the bin can answer."""

    SLACK = "slack"
    META = "meta"
    MICROSOFT_GRAPH = "microsoft-graph"
    DROPBOX = "dropbox"
    ZOOM = "zoom"
    TWITTER = "twitter"
    CLOUDEVENTS = "cloudevents"
    WEBSUB = "websub"
    ASANA = "asana"
    SMARTSHEET = "smartsheet"
    MONDAY = "monday"
    OKTA = "okta"
    STRAVA = "strava"
    TWITCH = "twitch"
    AZURE_EVENT_GRID = "azure-event-grid"


Pattern: TypeAlias = Annotated[str, Meta(max_length=MAX_PATTERN)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_PATTERN)]
Patterns: TypeAlias = Annotated[
    dict[Name, Pattern], Meta(max_length=MAX_CONDITIONS, description="Names, each with a pattern for its value.")
]


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer."""

    status: Annotated[int, Meta(ge=MIN_STATUS, le=MAX_STATUS, description="HTTP status.")] = 200
    headers: Annotated[Headers, Meta(max_length=MAX_HEADERS, description="Ordered pairs; duplicates are kept.")] = (
        ("content-type", "text/plain; charset=utf-8"),
    )
    body: Annotated[str, Meta(max_length=MAX_BODY, description="Sent as UTF-8.")] = "ok\n"
    delay_ms: Annotated[int, Meta(ge=0, le=MAX_DELAY, description="Waits this long after the commit.")] = 0
    template: Annotated[
        bool, Meta(description="The body and the values of headers are Jinja templates over `request`.")
    ] = False
    fault: Annotated[Fault | None, Meta(description="How the answer goes wrong on the wire.")] = None

    @property
    def header_templates(self) -> tuple[str, ...]:
        """The values of its headers that are templates, or would be if it were one."""
        return tuple(value for _, value in self.headers if is_template(value))


def is_template(value: str) -> bool:
    """Whether there is anything to render in a header's value."""
    return _TEMPLATE.search(value) is not None


class SequenceStep(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer in its turn."""

    repeat: Annotated[int, Meta(ge=1, le=MAX_REPEAT, description="How many requests it answers in a row.")] = 1


class When(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request must be like, in every point that is given. In a pattern `*` is any text, `?` one character."""

    method: Annotated[Pattern | None, Meta(description="As it is sent: in capitals.")] = None
    path: Annotated[
        Pattern | None, Meta(description="Pattern for what follows the bin; `*` within a segment, `**` across.")
    ] = None
    header: Patterns = {}
    query: Patterns = {}
    json: Annotated[
        dict[Name, str | int | float | bool | None],
        Meta(
            max_length=MAX_CONDITIONS,
            description="Paths such as `data.items[0].id`, each with a pattern for a string or with another value.",
        ),
    ] = {}
    form: Patterns = {}


class AnswerRule(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer to requests of a kind."""

    when: When


class Chance(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer by chance."""

    probability: Annotated[float, Meta(ge=0, le=1)]


class BinHandshake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose ownership check is answered."""

    provider: Provider
    secret: Annotated[
        Annotated[str, Meta(max_length=MAX_HANDSHAKE_SECRET)] | UnsetType | None,
        Meta(
            description="What the provider shares, where its check needs that (docs/bins.md). "
            "Never shown; left out in a change of the same provider, it stays.",
        ),
    ] = UNSET


class BinResponse(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bin answers. The first that has an answer gives it: cors, handshake, rules, chance, sequence, itself."""

    sequence: Annotated[tuple[SequenceStep, ...], Meta(max_length=MAX_STEPS, description="Answers in turn.")] = ()
    then: Annotated[SequenceEnd, Meta(description="After the last step: stay with it, or begin again.")] = (
        SequenceEnd.STAY
    )
    chance: Chance | None = None
    rules: Annotated[
        tuple[AnswerRule, ...], Meta(max_length=MAX_STEPS, description="The first that matches answers.")
    ] = ()
    handshake: BinHandshake | None = None
    cors: Annotated[bool, Meta(description="Preflights are answered, and `Access-Control-Allow-Origin: *` is set.")] = (
        False
    )
