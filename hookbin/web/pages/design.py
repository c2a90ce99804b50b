"""The page that shows every component in its states, and the rows it shows them with."""

from __future__ import annotations

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from hookbin import clock, shapes
from hookbin.models.deliveries import DeliveryState
from hookbin.web.html.rendering import render
from hookbin.web.html.timeline_lines import EMPTY
from hookbin.web.rest.services import services

_ATTEMPT = replace(
    EMPTY.attempt,
    event_type="user.created",
    webhook_name="joe",
    number=3,
    duration_ms=12.3,
    status=500,
    delivery_state=DeliveryState.PENDING,
)
_REQUEST = replace(
    EMPTY.request,
    method="POST",
    target="/b/joe?id=42",
    path="/b/joe",
    query="id=42",
    size=82,
    content_type="application/json",
    answer=shapes.Answer(status=500, rule="sequence[0]", delay_ms=0, fault=None, error=None),
    signature=shapes.Signature(state="ok", scheme="standard", reason=None),
)
_EVENT = replace(EMPTY.event, type="user.created", size=82, content_type="application/json")


async def page(request: Request) -> Response:
    s = services(request)
    at = clock.rfc3339(s.site.clock.now())
    return render(
        request,
        "design.html",
        after=s.live.timeline.position,
        at=at,
        event=replace(_EVENT, created_at=at),
        attempt=replace(_ATTEMPT, started_at=at),
        captured=replace(_REQUEST, received_at=at),
    )
