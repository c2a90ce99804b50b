"""One event: what was published, and where it went."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hookbin.errors import EventNotFound
from hookbin.shapes.deliveries import delivery_row
from hookbin.shapes.events import event_row
from hookbin.web.html.rendering import render
from hookbin.web.rest.services import services
from hookbin.web.rest.viewer import Bytes

SHOWN = 250
"""Deliveries of an event that are listed."""


async def page(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position
    id = request.path_params["id"]
    async with s.stores.database.snapshot():
        event = await s.stores.events.get(id)
        deliveries = await s.stores.deliveries.list(event_id=id, limit=SHOWN + 1)
    if event is None:
        raise EventNotFound(f"no event has the id {id[:64]!r}; it may have been trimmed with its deliveries")
    sent = Bytes(body=event.body, headers=event.content_headers, size=event.size)
    (body,) = await s.site.viewer.look(sent, wanted=request.query_params.get("view"))
    return render(
        request,
        "event.html",
        after=after,
        event=event_row(event),
        hops=event.hops,
        body=body,
        deliveries=[delivery_row(delivery) for delivery in deliveries[:SHOWN]],
        cut=len(deliveries) > SHOWN,
        shown=SHOWN,
    )
