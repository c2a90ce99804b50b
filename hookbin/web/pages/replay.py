"""The page from which a captured request is sent on, as it came or with changes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hookbin.dispatch.forwarded_request import original_of
from hookbin.models.requests import CapturedRequest
from hookbin.shapes.requests import request_row
from hookbin.web.html.rendering import render
from hookbin.web.pages.request import find
from hookbin.web.rest.services import services

MAX_TEXT = 64 * 1024
"""Bytes of a body that can be changed on the page."""
MAX_WEBHOOKS = 250
"""Offered to be chosen of, the newest."""


async def page(request: Request) -> Response:
    s = services(request)
    found = await find(s, request.path_params["id"])
    original = original_of(found, keep_signature=True)
    webhooks = [webhook for webhook in reversed(s.stores.webhooks.all()) if not webhook.disabled][:MAX_WEBHOOKS]
    return render(
        request,
        "replay.html",
        after=s.live.timeline.position,
        row=request_row(found),
        bin=s.stores.bins.find(found.bin_id),
        webhooks=[(webhook.id, f"{webhook.name}: {webhook.destination}") for webhook in webhooks],
        path_below=original.suffix,
        query=original.query or "",
        headers="\n".join(f"{name}: {value}" for name, value in original.headers),
        text=_text(found),
    )


def _text(request: CapturedRequest) -> str | None:
    """The body if it is text that a form can hold."""
    if len(request.body) > MAX_TEXT or b"\0" in request.body:
        return None
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None
