"""The send console: an event made by hand."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hookbin.delivery import samples
from hookbin.shapes.webhooks import webhook_shape
from hookbin.web.html.rendering import render
from hookbin.web.rest.services import services

WEBHOOKS = 200
"""Webhooks to choose from, the newest."""


async def page(request: Request) -> Response:
    s = services(request)
    return render(
        request,
        "send.html",
        after=s.live.timeline.position,
        samples=samples.SAMPLES,
        webhooks=[webhook_shape(webhook) for webhook in s.stores.webhooks.all()[: -WEBHOOKS - 1 : -1]],
        chosen=request.query_params.get("webhook"),
    )
