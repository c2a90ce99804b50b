"""The pages for people, rendered from the same shapes that the API answers with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hookbin import clock
from hookbin.errors import RequestNotFound
from hookbin.models import Attempt, Bin, CapturedRequest, DeliveryState, Headers, RequestSummary
from hookbin.web.api import deliveries, present, shapes
from hookbin.web.api.bins import shape as bin_shape
from hookbin.web.axis import time_axis
from hookbin.web.bodies import BodyView, body_view
from hookbin.web.exchange import BLANK, HeaderLine, compared
from hookbin.web.pages import design, lists, overview
from hookbin.web.rendering import render
from hookbin.web.services import Services, services
from hookbin.web.writing import wire

LIST_ROWS = 50
SHOWN_PARAMETERS = 500


async def bin_page(request: Request) -> Response:
    """What one bin captured: a list, and beside it the request that the URL selects."""
    s = services(request)
    bin = s.bins.get(request.path_params["bin"])
    after = s.timeline.position
    before = _number(request.query_params.get("before"))
    rows = await s.requests.list(bin, limit=LIST_ROWS + 1, before=before)
    wanted = request.query_params.get("request")
    selected = await _selected(s, bin, wanted, rows)
    return render(
        request,
        "bin.html",
        after=after,
        bin=bin_shape(s, bin),
        rows_list=[present.request_row(row) for row in rows[:LIST_ROWS]],
        older=rows[LIST_ROWS - 1].seq if len(rows) > LIST_ROWS else None,
        before=before,
        chosen=wanted is not None,
        selected=None if selected is None else await _request_view(s, selected),
        blank=BLANK,
    )


async def webhook_page(request: Request) -> Response:
    """One webhook: its settings, and the newest of its deliveries."""
    s = services(request)
    webhook = s.webhooks.get(request.path_params["id"])
    after = s.timeline.position
    before = request.query_params.get("before")
    found = await s.deliveries.list(limit=LIST_ROWS + 1, before=before, webhook_id=webhook.id)
    return render(
        request,
        "webhook.html",
        after=after,
        webhook=present.webhook_shape(webhook),
        bin=_own_bin(s, webhook.destination),
        deliveries=[present.delivery_row(delivery) for delivery in found[:LIST_ROWS]],
        older=found[LIST_ROWS - 1].id if len(found) > LIST_ROWS else None,
        before=before,
    )


async def delivery_page(request: Request) -> Response:
    """One delivery: its attempts in time, and what was sent beside what was received."""
    s = services(request)
    after = s.timeline.position
    delivery = await deliveries.find(s, request.path_params["id"])
    attempts = await s.deliveries.attempts(delivery)
    event = await s.events.get(delivery.event_id)
    sent = b"" if event is None else event.body
    return render(
        request,
        "delivery.html",
        after=after,
        delivery=await deliveries.describe(delivery, attempts, s),
        event=None if event is None else present.event_row(event),
        webhook=s.webhooks.find(delivery.webhook_id),
        attempts=[await _attempt_view(s, attempt, sent) for attempt in reversed(attempts)],
        axis=time_axis(attempts, delivery),
        retryable=delivery.state is not DeliveryState.SUCCEEDED,
    )


ROUTES = [
    Route("/ui", overview.page),
    Route("/ui/", overview.page),
    Route("/ui/bins", lists.bins),
    Route("/ui/bins/{bin}", bin_page),
    Route("/ui/webhooks", lists.webhooks),
    Route("/ui/webhooks/{id}", webhook_page),
    Route("/ui/deliveries/{id}", delivery_page),
    Route("/ui/design", design.page),
]


# What pages show beside the shapes


class RequestView(Struct, frozen=True, kw_only=True):
    row: shapes.RequestRow
    headers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    body: BodyView
    delivery_id: str | None


class CaptureView(Struct, frozen=True, kw_only=True):
    """What one of our bins got of an attempt, held against what was sent."""

    row: shapes.RequestRow
    headers: list[HeaderLine]
    body: BodyView
    same_body: bool


class AttemptView(Struct, frozen=True, kw_only=True):
    row: shapes.AttemptRow
    method: str
    url: str
    request_headers: list[tuple[str, str]]
    request_body: BodyView
    response_headers: list[tuple[str, str]] | None
    response_body: BodyView
    captures: list[CaptureView]


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


async def _request_view(s: Services, request: CapturedRequest) -> RequestView:
    row = present.request_row(request)
    return RequestView(
        row=row,
        headers=list(request.headers),
        query=_parameters(row.query),
        body=body_view(request.body, size=request.size, content_type=request.content_type),
        delivery_id=await _delivery_of(s, request.attempt_id),
    )


async def _delivery_of(s: Services, attempt_id: str | None) -> str | None:
    """The delivery that an attempt belongs to, if it is still kept."""
    if attempt_id is None:
        return None
    delivery_id = "dlv_" + attempt_id.removeprefix("att_").rpartition("_")[0]
    return None if await s.deliveries.get(delivery_id) is None else delivery_id


async def _attempt_view(s: Services, attempt: Attempt, sent: bytes) -> AttemptView:
    captured = [await s.requests.get(seq) for seq in await s.requests.of_attempt(attempt.id)]
    return AttemptView(
        row=present.attempt_row(attempt),
        method=attempt.method,
        url=attempt.url,
        request_headers=list(attempt.request_headers),
        request_body=body_view(sent, content_type=_header(attempt.request_headers, "content-type")),
        response_headers=None if attempt.response_headers is None else list(attempt.response_headers),
        response_body=body_view(
            attempt.response_body or b"", content_type=_header(attempt.response_headers or (), "content-type")
        ),
        captures=[
            CaptureView(
                row=present.request_row(request),
                headers=compared(attempt.request_headers, request.headers),
                body=body_view(request.body, size=request.size, content_type=request.content_type),
                same_body=request.body == sent,
            )
            for request in captured
            if request is not None
        ],
    )


def _header(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name), None)


def _own_bin(s: Services, destination: str) -> Bin | None:
    """The bin of ours that a destination leads to."""
    if not s.is_own_bin(destination):
        return None
    return s.bins.find(urlsplit(destination).path.removeprefix("/b/").partition("/")[0])


def _parameters(query: str | None) -> list[tuple[str, str]]:
    return parse_qsl(wire(query), keep_blank_values=True, errors="replace")[:SHOWN_PARAMETERS] if query else []


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None
