"""A bin: what it captured as a list, and beside it the request that the URL selects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hookbin import clock
from hookbin.errors import RequestNotFound
from hookbin.models import Bin, CapturedRequest, RequestSummary
from hookbin.web.api import present, shapes
from hookbin.web.api.bins import shape as bin_shape
from hookbin.web.api.views import bytes_of
from hookbin.web.exchange import BLANK
from hookbin.web.rendering import render
from hookbin.web.services import Services, services
from hookbin.web.views.viewer import Looked
from hookbin.web.writing import wire

ROWS = 50
SHOWN_PARAMETERS = 500


class RequestView(Struct, frozen=True, kw_only=True):
    row: shapes.RequestRow
    headers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    body: Looked
    delivery_id: str | None


async def page(request: Request) -> Response:
    s = services(request)
    bin = s.bins.get(request.path_params["bin"])
    after = s.timeline.position
    before = _number(request.query_params.get("before"))
    rows = await s.requests.list(bin, limit=ROWS + 1, before=before)
    wanted = request.query_params.get("request")
    selected = await _selected(s, bin, wanted, rows)
    return render(
        request,
        "bin.html",
        after=after,
        bin=bin_shape(s, bin),
        rows_list=[present.request_row(row) for row in rows[:ROWS]],
        older=rows[ROWS - 1].seq if len(rows) > ROWS else None,
        before=before,
        chosen=wanted is not None,
        selected=None if selected is None else await _request_view(s, selected, request.query_params.get("view")),
        blank=BLANK,
    )


async def permalink(request: Request) -> Response:
    """A captured request by its id alone: to its place in its bin."""
    s = services(request)
    id = request.path_params["id"]
    seq = clock.parse_seq_id("req_", id)
    found = None if seq is None else await s.requests.get(seq)
    if found is None:
        raise RequestNotFound(f"no captured request has the id {id[:64]!r}; its bin may have trimmed it")
    return RedirectResponse(f"/ui/bins/{found.bin_id}?request={id}", status_code=303)


async def _selected(
    s: Services, bin: Bin, wanted: str | None, rows: Sequence[RequestSummary]
) -> CapturedRequest | None:
    """The request that the URL names, else the newest. Raises `RequestNotFound`."""
    if wanted is None:
        return await s.requests.get(rows[0].seq) if rows else None
    seq = clock.parse_seq_id("req_", wanted)
    found = None if seq is None else await s.requests.get(seq)
    if found is None or found.bin_id != bin.id:
        raise RequestNotFound(f"this bin holds no request {wanted!r}; it may have been deleted or trimmed")
    return found


async def _request_view(s: Services, request: CapturedRequest, view: str | None) -> RequestView:
    row = present.request_row(request)
    (body,) = await s.viewer.look(bytes_of(request), wanted=view)
    return RequestView(
        row=row,
        headers=list(request.headers),
        query=_parameters(row.query),
        body=body,
        delivery_id=await _delivery_of(s, request.attempt_id),
    )


async def _delivery_of(s: Services, attempt_id: str | None) -> str | None:
    """The delivery that an attempt belongs to, if it is still kept."""
    if attempt_id is None:
        return None
    delivery_id = "dlv_" + attempt_id.removeprefix("att_").rpartition("_")[0]
    return None if await s.deliveries.get(delivery_id) is None else delivery_id


def _parameters(query: str | None) -> list[tuple[str, str]]:
    return parse_qsl(wire(query), keep_blank_values=True, errors="replace")[:SHOWN_PARAMETERS] if query else []


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None
