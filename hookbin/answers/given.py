"""The answer that a captured request got, made again from the response that gave it and from what was kept of it."""

from __future__ import annotations

import re

from hookbin.answers.plan import Plan, PreparedAnswer
from hookbin.conditions.incoming import Incoming
from hookbin.models.answers import BinResponse, Step
from hookbin.models.requests import RequestSummary

_PLACE = re.compile(r"(sequence|rules)\[(\d{1,4})\]")
TEMPLATE_FAILED = "the template failed: "
"""How the error of an answer begins whose template failed."""


def given_answer(response: BinResponse, request: RequestSummary, incoming: Incoming) -> PreparedAnswer | None:
    """None when it can't be known: the response did not give such an answer, or the request was cut short.

    What a template wrote is not kept: then `template` is the step that it stands in.
    """
    if request.malformed is not None or request.incomplete:
        return None
    answer = _answer(Plan(response), response, request, incoming)
    if answer is None:
        return None
    found = (answer.sent_status, answer.delay_ms, answer.fault)
    return answer if found == (request.answer_status, request.answer_delay_ms, request.answer_fault) else None


def _answer(plan: Plan, response: BinResponse, request: RequestSummary, incoming: Incoming) -> PreparedAnswer | None:
    rule = request.answer_rule
    if request.truncated:
        return plan.too_large
    if rule is not None and rule.partition(":")[0] in ("cors", "handshake"):
        return plan.choose(incoming, random=lambda: 1.0)
    step = _step(response, rule)
    if step is None:
        return None
    answer = plan.prepare(step, rule=rule)
    if request.answer_error is not None:
        return plan.failed(answer, request.answer_error.removeprefix(TEMPLATE_FAILED))
    return answer


def _step(response: BinResponse, rule: str | None) -> Step | None:
    """The step of that name; None when there is none."""
    if rule is None:
        return response
    if rule == "chance":
        return response.chance
    if (place := _PLACE.fullmatch(rule)) is None:
        return None
    steps: tuple[Step, ...] = response.sequence if place[1] == "sequence" else response.rules
    return steps[int(place[2])] if int(place[2]) < len(steps) else None
