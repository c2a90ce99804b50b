"""One event: what was published, and where it went."""

from __future__ import annotations

from anyio import to_thread
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from hookbin.clock import parse_seq_id
from hookbin.dispatch.forwarded_request import original_of
from hookbin.errors import EventNotFound
from hookbin.models.events import Event, Original
from hookbin.models.request_target import PREFIX
from hookbin.models.requests import CapturedRequest
from hookbin.shapes.events import event_row
from hookbin.shapes.request_diff import difference
from hookbin.shapes.requests import request_row
from hookbin.store.sending_search import DeliveryFilter
from hookbin.web.api.deliveries import listed
from hookbin.web.html.rendering import render
from hookbin.web.rest.services import Services, services
from hookbin.web.rest.viewer import Bytes

SHOWN = 250
"""Deliveries of an event that are listed."""


async def page(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position
    id = request.path_params["id"]
    async with s.stores.database.snapshot():
        event = await s.stores.events.get(id)
        found = await s.stores.sending_search.deliveries(DeliveryFilter(event_id=id), limit=SHOWN)
    if event is None:
        raise EventNotFound(f"no event has the id {id[:64]!r}; it may have been trimmed with its deliveries")
    source = await _source(s, event)
    sent = Bytes(body=event.body, headers=event.content_headers, size=event.size)
    (body,) = await s.site.viewer.look(sent, wanted=request.query_params.get("view"))
    return render(
        request,
        "event.html",
        after=after,
        event=event_row(event),
        hops=event.hops,
        changed=source is not None and _is_changed(source, event),
        body=body,
        deliveries=[listed(row) for row in found.rows],
        cut=found.next_before is not None,
        shown=SHOWN,
    )


async def changes(request: Request) -> Response:
    """What of a captured request was changed before it was sent on."""
    s = services(request)
    async with s.stores.database.snapshot():
        event = await s.stores.events.get(request.path_params["id"])
        source = None if event is None else await _source(s, event)
    if event is None or source is None:
        raise EventNotFound("no event of that id sends on a captured request that is still kept")
    sent = _as_sent(source, event)
    return render(
        request,
        "compare.html",
        left=request_row(source),
        right=request_row(sent),
        right_href=f"/ui/events/{event.id}",
        names=("Captured", "Sent on"),
        title="What was changed before it was sent",
        bin=s.stores.bins.find(source.bin_id),
        diff=await to_thread.run_sync(difference, source, sent),
    )


async def _source(s: Services, event: Event) -> CapturedRequest | None:
    """The captured request that the event sends on, with what of its target and its fields is sent on."""
    seq = parse_seq_id("req_", event.request_id or "")
    found = None if seq is None or event.original is None else await s.stores.requests.get(seq)
    if found is None:
        return None
    original = original_of(found)
    return replace(found, target=_target(found, original), headers=original.headers, trailers=())


def _is_changed(source: CapturedRequest, event: Event) -> bool:
    keeps = event.original is not None and event.original.keep_signature
    return original_of(source, keep_signature=keeps) != event.original or source.body != event.body


def _target(request: CapturedRequest, original: Original) -> str:
    """What of its target is sent on, behind its bin in the way that all are written."""
    query = "" if original.query is None else f"?{original.query}"
    return f"{PREFIX}{request.bin_id}{original.suffix}{query}"


def _as_sent(source: CapturedRequest, event: Event) -> CapturedRequest:
    original = event.original
    assert original is not None
    return replace(
        source,
        method=original.method,
        target=_target(source, original),
        headers=original.headers,
        content_type=event.content_type,
        body=event.body,
        size=event.size,
    )
