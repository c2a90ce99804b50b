"""One captured request in detail: in its bin's inspector, and by itself to be linked and printed."""

from __future__ import annotations

import re

from msgspec import Struct
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from hookbin.bodies.forms import query_pairs
from hookbin.bodies.headline import headline
from hookbin.clock import parse_seq_id
from hookbin.errors import RequestNotFound
from hookbin.models.bins import Bin
from hookbin.models.deliveries import DeliveryState, delivery_of
from hookbin.models.requests import CapturedRequest, RequestSummary
from hookbin.shapes.deliveries import AttemptRow, DeliveryRow, attempt_row, delivery_row
from hookbin.shapes.requests import RequestRow, request_row
from hookbin.store.sending_search import EventFilter
from hookbin.web.api.views import bytes_of
from hookbin.web.html.rendering import render
from hookbin.web.html.sent_vs_received import Remark, of_captured, of_unrecorded
from hookbin.web.pages.given import GivenAnswer, given
from hookbin.web.rest.services import Services, services
from hookbin.web.rest.viewer import DrawnBody

SHOWN_PARAMETERS = 500
MAX_SENT_ON = 10
"""Deliveries of a request that its detail lists; its thread has all."""
TABS = ("all", "body", "headers", "query", "answer", "signature", "from")


class Sender(Struct, frozen=True, kw_only=True):
    """Our own end of a captured request."""

    delivery: DeliveryRow | None
    """None when it is no longer kept."""
    attempt: AttemptRow | None
    """None when its outcome is not recorded."""
    number: int
    remarks: list[Remark]
    others: list[RequestRow]
    """The other captures of the same attempt."""


class SentOn(Struct, frozen=True, kw_only=True):
    """A delivery of a captured request."""

    delivery: DeliveryRow
    type: str
    last: AttemptRow | None
    """Its newest attempt."""


class Detail(Struct, frozen=True, kw_only=True):
    row: RequestRow
    headers: list[tuple[str, str]]
    trailers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    body: DrawnBody
    given: GivenAnswer | None
    """None when it is not shown, not known any more, or was none."""
    sender: Sender | None
    """The attempt of ours that it came from; None when somebody else sent it."""
    sent_on: list[SentOn]
    """Where it was forwarded and replayed to, the newest first."""


async def page(request: Request) -> Response:
    """All of one request on one page."""
    s = services(request)
    found = await find(s, request.path_params["id"])
    return render(
        request,
        "request_page.html",
        after=s.live.timeline.position,
        bin=s.stores.bins.find(found.bin_id),
        selected=await in_detail(s, found, request.query_params, tab="answer"),
    )


async def find(s: Services, id: str, bin: Bin | None = None) -> CapturedRequest:
    """The request of that id, in that bin if one is given. Raises `RequestNotFound`."""
    seq = parse_seq_id("req_", id)
    found = None if seq is None else await s.stores.requests.get(seq)
    if found is None or (bin is not None and found.bin_id != bin.id):
        where = "this bin holds no request" if bin is not None else "no captured request has the id"
        raise RequestNotFound(f"{where} {id[:64]!r}; it may have been deleted or trimmed")
    return found


def tab_of(request: Request) -> str:
    """The tab that the URL names."""
    tab = request.query_params.get("tab", TABS[0])
    return tab if tab in TABS else TABS[0]


async def in_detail(s: Services, request: CapturedRequest, query: QueryParams, *, tab: str) -> Detail:
    """`tab` is the side that is looked at; of the query, `view` and `body_from` say how the body is, and from where."""
    row = request_row(request, headline=headline(request.headers, request.body))
    start = query.get("body_from", "")
    what = bytes_of(request, start=int(start) if re.fullmatch("[0-9]{1,8}", start) else 0)
    (body,) = await s.site.viewer.look(what, wanted=query.get("view"))
    return Detail(
        row=row,
        headers=list(request.headers),
        trailers=list(request.trailers),
        query=_parameters(row.query),
        body=body,
        given=await given(s, request) if tab == "answer" else None,
        sender=None if request.attempt_id is None else await _sender(s, request.attempt_id, request),
        sent_on=await _sent_on(s, row.id),
    )


async def _sent_on(s: Services, id: str) -> list[SentOn]:
    found: list[SentOn] = []
    async with s.stores.database.snapshot():
        events = (await s.stores.sending_search.events(EventFilter(request_id=id), limit=MAX_SENT_ON)).rows
        deliveries = await s.stores.deliveries.of_events([event.id for event in events])
        for event in events:
            for delivery in deliveries[event.id][: MAX_SENT_ON - len(found)]:
                last = await s.stores.deliveries.attempts(delivery, newest=1)
                attempt = attempt_row(last[0]) if last else None
                found.append(SentOn(delivery=delivery_row(delivery), type=event.type, last=attempt))
    return found


async def _sender(s: Services, id: str, request: RequestSummary) -> Sender:
    number = id.rpartition("_")[2]
    async with s.stores.database.snapshot():
        captures = (await s.stores.requests.of_attempts([id]))[id]
        delivery = await s.stores.deliveries.get(delivery_of(id))
        attempt = None if delivery is None else await s.stores.deliveries.attempt(delivery, int(number))
    remarks: list[Remark] = []
    if attempt is not None:
        remarks = of_captured(attempt, captures)
    elif delivery is not None:
        remarks = [
            of_unrecorded(
                int(number),
                captures=len(captures),
                under_way=s.delivering.attempts.webhook_of(id) is not None,
                pending=delivery.state is DeliveryState.PENDING,
            )
        ]
    return Sender(
        delivery=None if delivery is None else delivery_row(delivery),
        attempt=None if attempt is None else attempt_row(attempt),
        number=int(number),
        remarks=remarks,
        others=[request_row(other) for other in captures if other.seq != request.seq],
    )


def _parameters(query: str | None) -> list[tuple[str, str]]:
    return query_pairs(query or "", most=SHOWN_PARAMETERS)
