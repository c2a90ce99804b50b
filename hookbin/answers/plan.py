"""What a bin answers, compiled once and chosen for each request."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

import msgspec
from msgspec import Struct

from hookbin.answers import handshakes, header_rules
from hookbin.conditions.incoming import Incoming
from hookbin.conditions.matching import matcher
from hookbin.errors import HookbinError
from hookbin.models.answers import BinHandshake, BinResponse, Fault, SequenceEnd, Step, is_template
from hookbin.models.bins import Bin
from hookbin.models.common import Headers
from hookbin.problems import problem_answer

BODILESS = (204, 205, 304)
_LENGTHLESS = (204, 304)
"""A 205 says that it is empty, these two must not or need not (RFC 9110, 8.6 and 15.3.6)."""
SANDBOX = (b"content-security-policy", b"sandbox")
"""What a bin answers with must not act with this site's rights when a browser shows it."""
MAX_PLANS = 10_000
"""Compiled plans that are kept."""
_CORS: Headers = (("access-control-allow-origin", "*"), ("access-control-expose-headers", "*"))
"""Any page may read the answer; the browser sends no cookies along then (Fetch standard, 3.3)."""
_PREFLIGHT_SECONDS = "600"
_TOO_LARGE = Step(status=413, body="the body is larger than this bin keeps; what fits was kept\n")


class PreparedAnswer(Struct, frozen=True):
    """An answer as the server sends it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    fields: bytes
    """The same headers as lines."""
    body: bytes
    delay_ms: int = 0
    """Milliseconds to wait before it."""
    rule: str | None = None
    """What of the response chose it."""
    fault: Fault | None = None
    template: Step | None = None
    """The step whose body and headers are still to be rendered."""
    error: str | None = None
    """Why it is not the answer that its owner meant."""

    @property
    def sent_status(self) -> int | None:
        """The status that the sender sees; None when a fault keeps it back."""
        return self.status if self.fault is None or self.fault.sends_a_body else None


def prepare(step: Step, *, rule: str | None = None, cors: bool = False, error: str | None = None) -> PreparedAnswer:
    body = b"" if step.status in BODILESS else step.body.encode()
    given = header_rules.without_ours(step.headers)
    if cors:
        given += _missing_cors(given)
    headers = _encoded(given)
    if step.status not in _LENGTHLESS:
        headers.append((b"content-length", b"%d" % len(body)))
    headers.append(SANDBOX)
    template = step if step.template and (body or step.header_templates) else None
    return PreparedAnswer(step.status, headers, _lines(headers), body, step.delay_ms, rule, step.fault, template, error)


def refusal(error: HookbinError, *, cors: bool = False) -> PreparedAnswer:
    """What the sender of a request gets that is not kept."""
    answer = problem_answer(error)
    headers = [*answer.headers, *(_encoded(_CORS) if cors else ())]
    return PreparedAnswer(answer.status, headers, _lines(headers), answer.body)


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % field for field in headers)


def _missing_cors(headers: Headers) -> Headers:
    """What its owner has not set."""
    given = {name.lower() for name, _ in headers}
    return tuple(pair for pair in _CORS if pair[0] not in given)


def _sendable(written: str) -> str:
    """What a template wrote into a header, which goes out as UTF-8, kept as latin-1."""
    return written.strip(" \t").encode().decode("latin-1")


class StepOrder(Struct, frozen=True):
    """Which step of a sequence answers at which position: 0 for the first answer."""

    ends: tuple[int, ...]
    """The position behind each step."""
    cycles: bool

    @classmethod
    def of(cls, response: BinResponse) -> StepOrder:
        return cls(tuple(accumulate(step.repeat for step in response.sequence)), response.then is SequenceEnd.CYCLE)

    def step_at(self, position: int) -> int:
        """The index of the step."""
        if self.cycles:
            position %= self.ends[-1]
        return min(bisect_right(self.ends, position), len(self.ends) - 1)


def next_step(response: BinResponse, position: int) -> int | None:
    """The index of the step that the sequence comes to next; None without one."""
    return StepOrder.of(response).step_at(position) if response.sequence else None


class Plan:
    """A bin's response, compiled."""

    def __init__(self, response: BinResponse) -> None:
        self._cors = response.cors
        self.refusal_fields = _lines(_encoded(_CORS)) if response.cors else b""
        """Header lines of what refuses a request to the bin."""
        self._handshake = response.handshake
        self._rules = [
            (matcher(rule.when), self.prepare(rule, rule=f"rules[{index}]"))
            for index, rule in enumerate(response.rules)
        ]
        self._probability = 0.0 if response.chance is None else response.chance.probability
        self._lucky = None if response.chance is None else self.prepare(response.chance, rule="chance")
        self._order = StepOrder.of(response)
        self._steps = [self.prepare(step, rule=f"sequence[{index}]") for index, step in enumerate(response.sequence)]
        self.base = self.prepare(response)
        self.too_large = self.prepare(_TOO_LARGE)
        chooses = (response.cors, response.handshake, response.rules, response.chance, response.sequence)
        self.plain = self.base.template is None and not any(chooses)
        """The base answers every request, as it is."""

    def choose(self, incoming: Incoming, *, random: Callable[[], float]) -> PreparedAnswer | None:
        """The answer to one request; None when the sequence answers. `random` gives 0 to 1."""
        if self._cors and (preflight := _preflight(incoming)) is not None:
            return preflight
        if self._handshake is not None and (answer := self._shake(self._handshake, incoming)) is not None:
            return answer
        for matches, answer in self._rules:
            if matches(incoming):
                return answer
        if self._lucky is not None and random() < self._probability:
            return self._lucky
        return None if self._steps else self.base

    def at(self, position: int) -> PreparedAnswer:
        """The answer at a position of the sequence."""
        return self._steps[self._order.step_at(position)]

    def rendered(self, answer: PreparedAnswer, text: str, values: Iterable[str] = ()) -> PreparedAnswer:
        """An answer with what its templates wrote as its body and in its headers."""
        assert answer.template is not None
        written = iter(values)
        headers = tuple(
            (name, _sendable(next(written)) if is_template(value) else value) for name, value in answer.template.headers
        )
        for name, value in headers:
            complaint = header_rules.complaint(name, value)
            if complaint is not None:
                return self.failed(answer, f"header {name}: {complaint}")
        step = msgspec.structs.replace(answer.template, body=text, headers=headers, template=False)
        return self.prepare(step, rule=answer.rule)

    def failed(self, answer: PreparedAnswer, reason: str) -> PreparedAnswer:
        """The answer in place of one whose template failed."""
        step = Step(status=500, body=f"the template of this bin's answer failed: {reason}\n", delay_ms=answer.delay_ms)
        return self.prepare(step, rule=answer.rule, error=f"the template failed: {reason}")

    def _shake(self, handshake: BinHandshake, incoming: Incoming) -> PreparedAnswer | None:
        answer = handshakes.answer(handshake, incoming)
        if answer is None:
            return None
        return self.prepare(answer.step, rule=f"handshake:{handshake.provider}", error=answer.error)

    def prepare(self, step: Step, *, rule: str | None = None, error: str | None = None) -> PreparedAnswer:
        """A step of the response as it is sent."""
        return prepare(step, rule=rule, cors=self._cors, error=error)


class Plans:
    """The plan of each bin, compiled when it is first asked for and anew when the bin's response changes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[BinResponse, Plan]] = {}

    def of(self, bin: Bin) -> Plan:
        known = self._known.get(bin.id)
        if known is None or known[0] is not bin.response:
            if len(self._known) > MAX_PLANS:
                self._known.clear()
            known = self._known[bin.id] = (bin.response, Plan(bin.response))
        return known[1]


def _preflight(incoming: Incoming) -> PreparedAnswer | None:
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
