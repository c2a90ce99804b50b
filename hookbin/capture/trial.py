"""What a bin would answer to a captured request by a response that need not be saved; nothing is changed by it."""

from __future__ import annotations

import math

from hookbin.answers.asked import asked_cards
from hookbin.answers.plan import Plan
from hookbin.capture.faults import sent_by
from hookbin.capture.render_answer import render_answer
from hookbin.conditions.incoming import captured
from hookbin.dispatch.forwarding import check_whole
from hookbin.models.answers import FAULT_MEANINGS, BinResponse
from hookbin.models.requests import CapturedRequest
from hookbin.shapes.common import body_shape
from hookbin.shapes.trials import TrialShape
from hookbin.templating.pool import TemplatePool
from hookbin.text import wire

_ALMOST_ONE = math.nextafter(1, 0)
"""The highest that chance can throw: only what is certain comes up."""


async def try_response(
    response: BinResponse, request: CapturedRequest, *, position: int, chance: bool, templates: TemplatePool
) -> TrialShape:
    """Choose and render by the code that captures do, at a `position` of the sequence that is not taken.

    `chance` says whether the chance is taken to come up. Raises `RequestMalformed` and `RequestIncomplete`.
    """
    check_whole(request, purpose="tried")
    plan, incoming = Plan(response), captured(request)
    answer = plan.choose(incoming, random=lambda: 0.0 if chance else _ALMOST_ONE) or plan.at(position)
    answer = await render_answer(answer, plan, incoming, templates)
    headers, body = sent_by(answer)
    if request.method == "HEAD" and answer.sent_status is not None:
        body = b""
    return TrialShape(
        status=answer.sent_status,
        rule=answer.rule,
        delay_ms=answer.delay_ms,
        fault=answer.fault,
        error=answer.error,
        headers=[(name.decode("latin-1"), wire(value.decode("latin-1"))) for name, value in headers],
        body=body_shape(body),
        fault_meaning=None if answer.fault is None else FAULT_MEANINGS[answer.fault],
        asked=asked_cards(response, incoming, rule=answer.rule, position=position),
    )
