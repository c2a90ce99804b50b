"""The answer whose template is rendered for a request."""

from __future__ import annotations

import asyncio

from hookbin.answers.plan import Plan, PreparedAnswer
from hookbin.conditions.incoming import Incoming
from hookbin.templating.pool import TemplatePool
from hookbin.templating.rendering import RenderJob, RenderResult, TemplateRequest

MAX_RENDERED = 1024 * 1024
"""Bytes of a body that a template is given."""


async def render_answer(
    answer: PreparedAnswer, plan: Plan, incoming: Incoming, templates: TemplatePool
) -> PreparedAnswer:
    """The answer with its template's text as its body, where it is one."""
    if answer.template is None:
        return answer
    if len(incoming.body) > MAX_RENDERED:
        return plan.failed(answer, f"it is given no body over {MAX_RENDERED:,} bytes")
    step = answer.template
    source = step.body if answer.body else ""  # a 204 has none
    job = RenderJob(source=source, values=step.header_templates, request=_template_request(incoming))
    try:
        result = await templates.render(job, bin=plan)
    except asyncio.CancelledError:  # uvicorn waits no longer; there is time to keep what came
        result = RenderResult(error="hookbin was stopping")
    if result.text is None:
        return plan.failed(answer, result.error or "")
    return plan.rendered(answer, result.text, result.values)


def _template_request(incoming: Incoming) -> TemplateRequest:
    return TemplateRequest(
        method=incoming.method,
        path=incoming.path,
        query=incoming.query_string,
        headers=incoming.fields,
        body=incoming.body,
    )
