"""One delivery: its attempts in time, and what was sent beside what was received."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from hookbin.models import Attempt, CapturedRequest, DeliveryState, Webhook, WebhookKind
from hookbin.web.api import deliveries, present, shapes
from hookbin.web.api.views import bytes_of
from hookbin.web.axis import time_axis
from hookbin.web.exchange import HeaderLine, compared
from hookbin.web.rendering import render
from hookbin.web.services import Services, services
from hookbin.web.views.viewer import Bytes, Looked


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


async def page(request: Request) -> Response:
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


def _with_page(s: Services, webhook_id: str) -> Webhook | None:
    """The webhook, if it has a page: a forward target and where something was sent once have none."""
    webhook = s.webhooks.find(webhook_id)
    return webhook if webhook is not None and webhook.kind is WebhookKind.WEBHOOK else None


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
