"""What a bin answers: steps, sequences, rules, handshakes, faults."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from hookbin.models.common import Headers


class Fault(StrEnum):
    """How a bin can fail to answer as HTTP wants it."""

    RESET = "reset"
    """The connection is reset (TCP RST) without an answer."""
    HANG = "hang"
    """Nothing is answered, and the connection stays open."""
    DRIP = "drip"
    """The body comes a byte at a time."""
    TRUNCATE = "truncate"
    """The connection is closed after half of the body that was announced."""
    GARBAGE = "garbage"
    """Bytes that are no HTTP, then the connection is closed."""
    EMPTY = "empty"
    """The connection is closed without a byte."""

    @property
    def sends_a_body(self) -> bool:
        """Whether the answer goes out, and it is its body that goes wrong."""
        return self in (Fault.DRIP, Fault.TRUNCATE)


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


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer."""

    status: int = 200
    headers: Headers = (("content-type", "text/plain; charset=utf-8"),)
    body: str = "ok\n"
    delay_ms: int = 0
    template: bool = False
    """The body is a Jinja template over the request."""
    fault: Fault | None = None


class SequenceStep(Step, frozen=True, kw_only=True, omit_defaults=True):
    repeat: int = 1


class When(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request must be like; what is None or empty is not looked at."""

    method: str | None = None
    path: str | None = None
    """A glob over the path below the bin."""
    header: dict[str, str] = {}
    """Names, each with a glob over its value."""
    query: dict[str, str] = {}
    json: dict[str, Any] = {}
    """Paths into a JSON body, each with a glob over a string or with another value."""


class AnswerRule(Step, frozen=True, kw_only=True, omit_defaults=True):
    when: When


class Chance(Step, frozen=True, kw_only=True, omit_defaults=True):
    probability: float


class BinHandshake(Struct, frozen=True, kw_only=True, omit_defaults=True):
    provider: Provider
    secret: str | None = None


class BinResponse(Step, frozen=True, kw_only=True, omit_defaults=True):
    """What a bin answers: itself, unless something before it does.

    Asked in this order: the preflights of `cors`, `handshake`, `rules`, `chance`, `sequence`.
    """

    sequence: tuple[SequenceStep, ...] = ()
    then: SequenceEnd = SequenceEnd.STAY
    chance: Chance | None = None
    rules: tuple[AnswerRule, ...] = ()
    handshake: BinHandshake | None = None
    cors: bool = False
