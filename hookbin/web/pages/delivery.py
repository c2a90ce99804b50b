"""One delivery: its attempts in time, and of the chosen one what was sent beside what was received."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from hookbin.delivery.error_classes import ERROR_CLASSES
from hookbin.errors import NotFound
from hookbin.models.deliveries import MAX_RAW, Attempt, Connection, Delivery, DeliveryState, attempt_id
from hookbin.models.requests import CapturedRequest, RequestSummary
from hookbin.models.webhooks import WebhookKind
from hookbin.shapes.comparison import Comparison
from hookbin.shapes.deliveries import AttemptRow, attempt_row
from hookbin.shapes.events import event_row
from hookbin.shapes.requests import RequestRow, request_row
from hookbin.web.api import deliveries
from hookbin.web.api.views import bytes_of
from hookbin.web.html import sent_vs_received
from hookbin.web.html.axis import time_axis
from hookbin.web.html.phase_bar import PhaseBar, connection_word, phase_bars
from hookbin.web.html.rendering import render
from hookbin.web.html.sent_vs_received import FirstDifference, Remark, of_captured, of_uncaptured, of_unrecorded
from hookbin.web.pages.webhook import own_bin
from hookbin.web.rest.services import Services, services
from hookbin.web.rest.viewer import Bytes, DrawnBody

LISTED = 60
"""Attempts that are listed and drawn in time, the newest."""
COMPARED = 3
"""Captures of one attempt that are compared with what was sent, the newest; the others are links."""
_NO_TYPE = (("content-type", "text/plain"),)
"""What is no HTTP names no type: it is read as text where it can be."""


class CaptureView(Struct, frozen=True, kw_only=True):
    """What one of our bins got of an attempt, compared with what was sent."""

    row: RequestRow
    comparison: Comparison
    header_words: str
    difference: FirstDifference | None
    """None when the bodies are equal."""
    body: DrawnBody


class AttemptView(Struct, frozen=True, kw_only=True):
    row: AttemptRow
    method: str
    url: str
    request_headers: list[tuple[str, str]]
    request_body: DrawnBody
    response_headers: list[tuple[str, str]] | None
    response_body: DrawnBody
    """What came back as it came, when it is no HTTP."""
    note: str | None
    phases: list[PhaseBar]
    connection: Connection | None
    connection_word: str
    was_sent: bool
    """Whether anything of the request may have reached the receiver."""
    captures: list[CaptureView]
    earlier: list[RequestRow]
    """Captures that are not compared with it."""
    remarks: list[Remark]


class Unrecorded(Struct, frozen=True, kw_only=True):
    """Captures of the next attempt, of which the log has nothing yet."""

    rows: list[RequestRow]
    remark: Remark


async def page(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position
    async with s.stores.database.snapshot():
        delivery = await deliveries.find(s, request.path_params["id"])
        attempts = await s.stores.deliveries.attempts(delivery, newest=LISTED)
        described = await deliveries.describe(delivery, attempts[-1:], s)
        chosen = await _chosen(s, delivery, attempts, request.query_params.get("attempt"))
        next_id = attempt_id(delivery.id, delivery.attempt_count + 1)
        ids = {attempt.id for attempt in (*attempts, chosen) if attempt is not None}
        captures = await s.stores.requests.of_attempts([*ids, next_id])
        compared = [] if chosen is None else await _whole(s, captures[chosen.id][-COMPARED:])
        event = await s.stores.events.get(delivery.event_id)
        webhook = s.stores.webhooks.find(delivery.webhook_id)
        waiting = await deliveries.waiting(s, delivery, event, webhook, last=attempts[-1] if attempts else None)
    sent = b"" if event is None else event.body
    return render(
        request,
        "delivery.html",
        after=after,
        delivery=described,
        cancel_reason=delivery.cancel_reason,
        event=None if event is None else event_row(event),
        webhook=webhook if webhook is not None and webhook.kind is WebhookKind.WEBHOOK else None,
        source=s.stores.bins.find(webhook.bin_id) if webhook is not None and webhook.bin_id is not None else None,
        bin=own_bin(s, delivery.destination),
        attempts=[(attempt_row(attempt), len(captures[attempt.id])) for attempt in reversed(attempts)],
        earlier=delivery.attempt_count - len(attempts),
        chosen=None
        if chosen is None
        else await _view(s, chosen, sent, captures[chosen.id], compared, wanted=request.query_params.get("view")),
        unrecorded=_unrecorded(s, delivery, captures[next_id]),
        axis=time_axis(
            attempts,
            delivery,
            is_timed=waiting.is_timed,
            schedule=webhook.retry_schedule if webhook is not None else (),
        ),
        is_timed=waiting.is_timed,
        paused=webhook is not None and webhook.paused,
        retryable=delivery.state is not DeliveryState.SUCCEEDED,
        cancellable=delivery.state is DeliveryState.PENDING,
    )


async def _chosen(s: Services, delivery: Delivery, attempts: Sequence[Attempt], asked: str | None) -> Attempt | None:
    """The attempt that the URL names, else the newest. Raises `NotFound`."""
    if asked is None:
        return attempts[-1] if attempts else None
    number = int(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else 0
    found = next((attempt for attempt in attempts if attempt.number == number), None)
    found = found or await s.stores.deliveries.attempt(delivery, number)
    if found is None:
        raise NotFound(f"this delivery has no attempt {asked[:20]!r}; it has {delivery.attempt_count}")
    return found


async def _whole(s: Services, rows: Sequence[RequestSummary]) -> list[CapturedRequest]:
    return [found for row in rows if (found := await s.stores.requests.get(row.seq)) is not None]


async def _view(
    s: Services,
    attempt: Attempt,
    sent: bytes,
    rows: Sequence[RequestSummary],
    captured: Sequence[CapturedRequest],
    *,
    wanted: str | None,
) -> AttemptView:
    """The attempt with what our bins got of it; all bodies are looked at in one go."""
    request_body, response_body, *bodies = await s.site.viewer.look(
        Bytes(body=sent, headers=attempt.request_headers, size=len(sent)),
        _answer(attempt),
        *map(bytes_of, captured),
        wanted=wanted,
    )
    return AttemptView(
        row=attempt_row(attempt),
        method=attempt.method,
        url=attempt.url,
        request_headers=list(attempt.request_headers),
        request_body=request_body,
        response_headers=None if attempt.response_headers is None else list(attempt.response_headers),
        response_body=response_body,
        note=attempt.note,
        phases=phase_bars(attempt),
        connection=attempt.connection,
        connection_word=connection_word(attempt),
        was_sent=attempt.error is None or ERROR_CLASSES[attempt.error].is_sent,
        captures=[_capture(attempt, one, body, sent) for one, body in zip(captured, bodies, strict=True)],
        earlier=[request_row(row) for row in rows[:-COMPARED]],
        remarks=_remarks(s, attempt, rows),
    )


def _answer(attempt: Attempt) -> Bytes:
    """What came back; if that is no HTTP, as it came."""
    raw, body = attempt.response_raw, attempt.response_body or b""
    if raw is not None:
        return Bytes(body=raw, headers=_NO_TYPE, size=len(raw), cut=len(raw) >= MAX_RAW)
    return Bytes(body=body, headers=attempt.response_headers or (), size=len(body), cut=attempt.response_truncated)


def _capture(attempt: Attempt, request: CapturedRequest, body: DrawnBody, sent: bytes) -> CaptureView:
    found = sent_vs_received.compare(attempt, request, sent=sent)
    return CaptureView(
        row=request_row(request),
        comparison=found,
        header_words=sent_vs_received.header_words(found),
        difference=sent_vs_received.first_difference(found, sent=sent, received=request.body),
        body=body,
    )


def _remarks(s: Services, attempt: Attempt, captures: Sequence[RequestSummary]) -> list[Remark]:
    if captures:
        return of_captured(attempt, captures)
    if not s.site.addresses.is_own_bin(attempt.url):
        return []
    bin = own_bin(s, attempt.url)
    return [of_uncaptured(attempt, bin_name=None if bin is None else bin.name or bin.id)]


def _unrecorded(s: Services, delivery: Delivery, captures: Sequence[RequestSummary]) -> Unrecorded | None:
    if not captures:
        return None
    next_id = attempt_id(delivery.id, delivery.attempt_count + 1)
    return Unrecorded(
        rows=[request_row(row) for row in captures[-COMPARED:]],
        remark=of_unrecorded(
            delivery.attempt_count + 1,
            captures=len(captures),
            under_way=s.delivering.attempts.webhook_of(next_id) is not None,
            pending=delivery.state is DeliveryState.PENDING,
        ),
    )
