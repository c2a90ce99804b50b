"""What a bin answers, compiled once and chosen for each request."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

import msgspec
from msgspec import Struct

from hookbin.answers import handshakes
from hookbin.conditions.matching import Incoming, Test, matcher
from hookbin.models.answers import BinHandshake, BinResponse, Fault, SequenceEnd, Step
from hookbin.models.common import Headers

BODILESS = (204, 205, 304)
_LENGTHLESS = (204, 304)
"""A 205 says that it is empty, these two must not or need not (RFC 9110, 8.6 and 15.3.6)."""
SANDBOX = (b"content-security-policy", b"sandbox")
"""What a bin answers with must not act with this site's rights when a browser shows it."""
_CORS: Headers = (("access-control-allow-origin", "*"), ("access-control-expose-headers", "*"))
"""Any page may read the answer; the browser sends no cookies along then (Fetch standard, 3.3)."""
_PREFLIGHT_SECONDS = "600"


class Prepared(Struct, frozen=True):
    """An answer as the server sends it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    fields: bytes
    """The same headers as lines."""
    body: bytes
    delay_ms: int
    """Milliseconds to wait before it."""
    rule: str | None = None
    """What of the response chose it."""
    fault: Fault | None = None
    template: Step | None = None
    """The step whose body is still to be rendered."""
    error: str | None = None
    """Why it is not the answer that its owner meant."""
    in_sequence: bool = False

    @property
    def said_status(self) -> int | None:
        return self.status if self.fault is None or self.fault.sends_a_body else None


class Plan(Struct, frozen=True):
    """A bin's response, compiled."""

    base: Prepared
    plain: bool
    """The base answers every request, as it is."""
    cors: bool
    handshake: BinHandshake | None
    rules: tuple[tuple[Test, Prepared], ...]
    chance: tuple[float, Prepared] | None
    steps: tuple[Prepared, ...]
    ends: tuple[int, ...]
    """The position behind each step of the sequence."""
    cycles: bool


def prepare(
    step: Step, *, rule: str | None = None, cors: bool = False, error: str | None = None, in_sequence: bool = False
) -> Prepared:
    body = b"" if step.status in BODILESS else step.body.encode()
    given = (*step.headers, *_missing_cors(step.headers)) if cors else step.headers
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given]
    if step.status not in _LENGTHLESS:
        headers.append((b"content-length", str(len(body)).encode()))
    headers.append(SANDBOX)
    fields = b"".join(b"%b: %b\r\n" % field for field in headers)
    template = step if step.template and body else None
    return Prepared(step.status, headers, fields, body, step.delay_ms, rule, step.fault, template, error, in_sequence)


def _missing_cors(headers: Headers) -> Headers:
    """What its owner has not set."""
    given = {name.lower() for name, _ in headers}
    return tuple(pair for pair in _CORS if pair[0] not in given)


def compile_plan(response: BinResponse) -> Plan:
    cors = response.cors
    base = prepare(response, cors=cors)
    ends = tuple(accumulate(step.repeat for step in response.sequence))
    return Plan(
        base=base,
        plain=not (
            cors or base.template or response.handshake or response.rules or response.chance or response.sequence
        ),
        cors=cors,
        handshake=response.handshake,
        rules=tuple(
            (matcher(rule.when), prepare(rule, rule=f"rules[{index}]", cors=cors))
            for index, rule in enumerate(response.rules)
        ),
        chance=None
        if response.chance is None
        else (response.chance.probability, prepare(response.chance, rule="chance", cors=cors)),
        steps=tuple(
            prepare(step, rule=f"sequence[{index}]", cors=cors, in_sequence=True)
            for index, step in enumerate(response.sequence)
        ),
        ends=ends,
        cycles=response.then is SequenceEnd.CYCLE,
    )


def rendered(answer: Prepared, text: str, *, cors: bool) -> Prepared:
    """An answer with what its template wrote as its body."""
    assert answer.template is not None
    step = msgspec.structs.replace(answer.template, body=text, template=False)
    return prepare(step, rule=answer.rule, cors=cors, in_sequence=answer.in_sequence)


def failed(answer: Prepared, reason: str, *, cors: bool) -> Prepared:
    """The answer in place of one whose template failed."""
    step = Step(status=500, body=f"the template of this bin's answer failed: {reason}\n", delay_ms=answer.delay_ms)
    error = f"the template failed: {reason}"
    return prepare(step, rule=answer.rule, cors=cors, error=error, in_sequence=answer.in_sequence)


def choose(
    plan: Plan, incoming: Incoming, *, random: Callable[[], float], take_position: Callable[[], int]
) -> Prepared:
    """The answer to one request. `random` gives 0 to 1; `take_position` is called when the sequence answers."""
    if plan.plain:
        return plan.base
    if plan.cors and (preflight := _preflight(incoming)) is not None:
        return preflight
    if plan.handshake is not None and (shaken := handshakes.answer(plan.handshake, incoming)) is not None:
        rule = f"handshake:{plan.handshake.provider}"
        return prepare(shaken.step, rule=rule, cors=plan.cors, error=shaken.error)
    for matches, answer in plan.rules:
        if matches(incoming):
            return answer
    if plan.chance is not None and random() < plan.chance[0]:
        return plan.chance[1]
    if plan.steps:
        return plan.steps[step_at(take_position(), ends=plan.ends, cycles=plan.cycles)]
    return plan.base


def step_at(position: int, *, ends: tuple[int, ...], cycles: bool) -> int:
    """The index of the step that answers at a position: 0 for the first answer of the sequence."""
    if cycles:
        position %= ends[-1]
    return min(bisect_right(ends, position), len(ends) - 1)


def next_step(response: BinResponse, position: int) -> int | None:
    """The index of the step that the sequence comes to next; None without one."""
    if not response.sequence:
        return None
    ends = tuple(accumulate(step.repeat for step in response.sequence))
    return step_at(position, ends=ends, cycles=response.then is SequenceEnd.CYCLE)


def _preflight(incoming: Incoming) -> Prepared | None:
    """The answer to a preflight: what it asks for is allowed (Fetch standard, 3.3.2). None when it is none."""
    method = incoming.echoable("access-control-request-method")
    if incoming.method != "OPTIONS" or method is None or incoming.header("origin") is None:
        return None
    headers: Headers = (
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", method),
        ("access-control-allow-headers", incoming.echoable("access-control-request-headers") or "*"),
        ("access-control-max-age", _PREFLIGHT_SECONDS),
        ("vary", "access-control-request-method, access-control-request-headers"),
    )
    return prepare(Step(status=204, headers=headers, body=""), rule="cors")
