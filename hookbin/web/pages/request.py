"""One captured request in detail: in its bin's inspector, and by itself to be linked and printed."""

from __future__ import annotations

from urllib.parse import parse_qsl

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from hookbin.clock import parse_seq_id
from hookbin.errors import RequestNotFound
from hookbin.models import Bin, CapturedRequest, delivery_of
from hookbin.web.api import present, shapes
from hookbin.web.api.views import bytes_of
from hookbin.web.rendering import render
from hookbin.web.services import Services, services
from hookbin.web.views.viewer import Looked
from hookbin.web.writing import wire

SHOWN_PARAMETERS = 500
TABS = ("body", "headers", "query", "answer", "signature", "from")


class Detail(Struct, frozen=True, kw_only=True):
    row: shapes.RequestRow
    headers: list[tuple[str, str]]
    trailers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    body: Looked
    delivery_id: str | None
    """Of the delivery that it came from, if that is one of ours and still kept."""


async def page(request: Request) -> Response:
    """All of one request on one page."""
    s = services(request)
    found = await find(s, request.path_params["id"])
    return render(
        request,
        "request_page.html",
        after=s.timeline.position,
        bin=s.bins.find(found.bin_id),
        selected=await in_detail(s, found, request.query_params.get("view")),
    )


async def find(s: Services, id: str, bin: Bin | None = None) -> CapturedRequest:
    """The request of that id, in that bin if one is given. Raises `RequestNotFound`."""
    seq = parse_seq_id("req_", id)
    found = None if seq is None else await s.requests.get(seq)
    if found is None or (bin is not None and found.bin_id != bin.id):
        where = "this bin holds no request" if bin is not None else "no captured request has the id"
        raise RequestNotFound(f"{where} {id[:64]!r}; it may have been deleted or trimmed")
    return found


def tab_of(request: Request) -> str:
    """The tab that the URL names."""
    tab = request.query_params.get("tab", "body")
    return tab if tab in TABS else "body"


async def in_detail(s: Services, request: CapturedRequest, view: str | None) -> Detail:
    row = present.request_row(request)
    (body,) = await s.viewer.look(bytes_of(request), wanted=view)
    return Detail(
        row=row,
        headers=list(request.headers),
        trailers=list(request.trailers),
        query=_parameters(row.query),
        body=body,
        delivery_id=await _delivery_of(s, request.attempt_id),
    )


async def _delivery_of(s: Services, attempt_id: str | None) -> str | None:
    if attempt_id is None:
        return None
    delivery_id = delivery_of(attempt_id)
    return None if await s.deliveries.get(delivery_id) is None else delivery_id


def _parameters(query: str | None) -> list[tuple[str, str]]:
    return parse_qsl(wire(query), keep_blank_values=True, errors="replace")[:SHOWN_PARAMETERS] if query else []
