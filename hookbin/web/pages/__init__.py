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
from hookbin.models import (
    Attempt,
    Bin,
    CapturedRequest,
    DeliveryState,
    RequestSummary,
    Webhook,
    WebhookKind,
    delivery_of,
)
from hookbin.web.api import deliveries, present, shapes
from hookbin.web.api.bins import shape as bin_shape
from hookbin.web.api.views import bytes_of
from hookbin.web.axis import time_axis
from hookbin.web.exchange import BLANK, HeaderLine, compared
from hookbin.web.pages import design, lists, overview
from hookbin.web.rendering import render
from hookbin.web.services import Services, services
from hookbin.web.views.viewer import Bytes, Looked
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
        selected=None if selected is None else await _request_view(s, selected, request.query_params.get("view")),
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
        webhook=_with_page(s, delivery.webhook_id),
        attempts=await _attempt_views(s, attempts[::-1], sent, request.query_params.get("view")),
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
    body: Looked
    delivery_id: str | None


class CaptureView(Struct, frozen=True, kw_only=True):
    """What one of our bins got of an attempt, held against what was sent."""

    row: shapes.RequestRow
    headers: list[HeaderLine]
    body: Looked
    same_body: bool


class AttemptView(Struct, frozen=True, kw_only=True):
    row: shapes.AttemptRow
    method: str
    url: str
    request_headers: list[tuple[str, str]]
    request_body: Looked
    response_headers: list[tuple[str, str]] | None
    response_body: Looked
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
    delivery_id = delivery_of(attempt_id)
    return None if await s.deliveries.get(delivery_id) is None else delivery_id


async def _attempt_views(s: Services, attempts: Sequence[Attempt], sent: bytes, view: str | None) -> list[AttemptView]:
    """Each attempt with what our bins got of it; all bodies are looked at in one go, and a repeated one once."""
    captured = [await _captured(s, attempt) for attempt in attempts]
    bodies: list[Bytes] = []
    for attempt, requests in zip(attempts, captured, strict=True):
        answer = attempt.response_body or b""
        bodies.append(Bytes(body=sent, headers=attempt.request_headers, size=len(sent)))
        bodies.append(
            Bytes(body=answer, headers=attempt.response_headers or (), size=len(answer), cut=attempt.response_truncated)
        )
        bodies += [bytes_of(request) for request in requests]
    looked = iter(await s.viewer.look(*bodies, wanted=view))
    return [
        AttemptView(
            row=present.attempt_row(attempt),
            method=attempt.method,
            url=attempt.url,
            request_headers=list(attempt.request_headers),
            request_body=next(looked),
            response_headers=None if attempt.response_headers is None else list(attempt.response_headers),
            response_body=next(looked),
            captures=[
                CaptureView(
                    row=present.request_row(request),
                    headers=compared(attempt.request_headers, request.headers),
                    body=next(looked),
                    same_body=request.body == sent,
                )
                for request in requests
            ],
        )
        for attempt, requests in zip(attempts, captured, strict=True)
    ]


async def _captured(s: Services, attempt: Attempt) -> list[CapturedRequest]:
    found = [await s.requests.get(seq) for seq in await s.requests.of_attempt(attempt.id)]
    return [request for request in found if request is not None]


def _with_page(s: Services, id: str) -> Webhook | None:
    """A webhook that has a page of its own: what bins forward to and single requests go to has none."""
    webhook = s.webhooks.find(id)
    return webhook if webhook is not None and webhook.kind is WebhookKind.WEBHOOK else None


def _own_bin(s: Services, destination: str) -> Bin | None:
    """The bin of ours that a destination leads to."""
    if not s.is_own_bin(destination):
        return None
    return s.bins.find(urlsplit(destination).path.removeprefix("/b/").partition("/")[0])


def _parameters(query: str | None) -> list[tuple[str, str]]:
    return parse_qsl(wire(query), keep_blank_values=True, errors="replace")[:SHOWN_PARAMETERS] if query else []


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None
