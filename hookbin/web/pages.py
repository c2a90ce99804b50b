"""The pages for people, rendered from the same shapes that the API answers with."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from math import log10
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jinja2
from markupsafe import Markup, escape
from msgspec import Struct
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.data import JsonLexer
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hookbin import clock
from hookbin.errors import DeliveryNotFound, RequestNotFound
from hookbin.models import (
    SECOND,
    Attempt,
    AttemptSummary,
    Bin,
    CapturedRequest,
    Delivery,
    DeliveryState,
    ErrorClass,
    Headers,
    LogRow,
    RequestSummary,
    Trigger,
)
from hookbin.web import assets
from hookbin.web.api import present, shapes
from hookbin.web.api.deliveries import describe
from hookbin.web.services import Services, services

TIMELINE_ROWS = 60
LIST_ROWS = 50
PANEL_ROWS = 40
"""Bins and webhooks that the overview lists; the newest of each."""
SHOWN_TEXT = 64 * 1024
SHOWN_BINARY = 4 * 1024
FORMATTED_JSON = 256 * 1024
"""Bytes up to which JSON is laid out, and characters that this may lead to."""
SHOWN_PARAMETERS = 500


# Pages


async def overview(request: Request) -> Response:
    """Both halves as one live list, and what there is to send and to receive with."""
    s = services(request)
    after = s.timeline.position
    rows = await s.log.newest(limit=TIMELINE_ROWS)
    bins = s.bins.all()[: -PANEL_ROWS - 1 : -1]
    webhooks = s.webhooks.all()[: -PANEL_ROWS - 1 : -1]
    newest = await asyncio.gather(*(s.requests.list(bin, limit=1, before=None) for bin in bins))
    return render(
        request,
        "overview.html",
        after=after,
        exchanges=paired(rows),
        cut=len(rows) == TIMELINE_ROWS,
        bins=sorted(
            (
                BinCard(bin=_bin_shape(s, bin), last_at=clock.rfc3339(last[0].received_at) if last else None)
                for bin, last in zip(bins, newest, strict=True)
            ),
            key=lambda card: card.last_at or card.bin.created_at,
            reverse=True,
        ),
        bin_total=len(s.bins.all()),
        webhooks=[present.webhook_shape(webhook) for webhook in webhooks],
        webhook_total=len(s.webhooks.all()),
        blank=BLANK,
    )


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
        bin=_bin_shape(s, bin),
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
    delivery = await s.deliveries.get(request.path_params["id"])
    if delivery is None:
        raise DeliveryNotFound(f"no delivery has the id {request.path_params['id']!r}; GET /deliveries lists them")
    attempts = await s.deliveries.attempts(delivery)
    event = await s.events.get(delivery.event_id)
    sent = b"" if event is None else event.body
    return render(
        request,
        "delivery.html",
        after=after,
        delivery=await describe(delivery, attempts, s),
        event=None if event is None else present.event_row(event),
        webhook=s.webhooks.find(delivery.webhook_id),
        attempts=[await _attempt_view(s, attempt, sent) for attempt in reversed(attempts)],
        axis=time_axis(attempts, delivery),
        retryable=delivery.state is not DeliveryState.SUCCEEDED,
    )


ROUTES = [
    Route("/ui", overview),
    Route("/ui/", overview),
    Route("/ui/bins/{bin}", bin_page),
    Route("/ui/webhooks/{id}", webhook_page),
    Route("/ui/deliveries/{id}", delivery_page),
]


def render(request: Request, template: str, /, *, status: int = 200, **context: Any) -> Response:
    """The page made from `template`; `base_url` and `now` are there for every one."""
    s = services(request)
    page = _templates.get_template(template).render(base_url=s.base_url, now=s.clock.now(), **context)
    return HTMLResponse(page, status_code=status, headers={"cache-control": "no-store"})


# What pages show beside the shapes


class BinCard(Struct, frozen=True, kw_only=True):
    bin: shapes.BinShape
    last_at: str | None


class Exchange(Struct, frozen=True, kw_only=True):
    """A line of the timeline: an event, or one side of a webhook call, or both when both are ours."""

    seq: int
    at: str
    event: shapes.EventRow | None = None
    attempt: shapes.AttemptRow | None = None
    request: shapes.RequestRow | None = None


class BodyView(Struct, frozen=True, kw_only=True):
    """A body as a person reads it."""

    kind: str
    """`empty`, `json`, `text` or `binary`."""
    size: int
    text: Markup = Markup()
    notice: str | None = None
    """Says so when not all is shown."""


class RequestView(Struct, frozen=True, kw_only=True):
    row: shapes.RequestRow
    headers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    body: BodyView
    delivery_id: str | None


class HeaderLine(Struct, frozen=True, kw_only=True):
    """A header as it was sent and as it arrived; None where it was not."""

    name: str
    sent: str | None
    received: str | None

    @property
    def mark(self) -> str:
        if self.sent is None:
            return "added"
        if self.received is None:
            return "missing"
        return "same" if self.sent == self.received else "changed"


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


class Tick(Struct, frozen=True, kw_only=True):
    """A point on the time axis and the wait before it; `x` in pixels."""

    x: int
    wait_x: int
    label: str
    outcome: str
    wait: str | None
    tone: str
    """The first digit of the status, `error`, `next` or `manual`."""
    at: str


class TimeAxis(Struct, frozen=True, kw_only=True):
    width: int
    ticks: list[Tick]
    summary: str


class Blank(Struct, frozen=True, kw_only=True):
    """Empty shapes: what the rows in `<template>` elements are made from."""

    event: shapes.EventRow
    attempt: shapes.AttemptRow
    request: shapes.RequestRow


_NO_ATTEMPT = AttemptSummary(
    seq=0,
    delivery_id="",
    event_id="",
    event_type="",
    webhook_id="",
    webhook_name="",
    number=0,
    trigger=Trigger.AUTO,
    started_at=0,
    duration=0,
    status=None,
    error=None,
    error_detail=None,
    delivery_state=DeliveryState.PENDING,
    next_attempt_at=None,
)
_NO_REQUEST = RequestSummary(
    seq=0,
    bin_id="",
    received_at=0,
    method="",
    target="",
    http_version="",
    scheme="",
    client=None,
    content_type=None,
    size=0,
    truncated=False,
    incomplete=False,
    declared_size=None,
    answer_status=0,
    answer_delay_ms=0,
    attempt_id=None,
    signature="unchecked",
)
BLANK = Blank(
    event=shapes.EventRow(id="", seq=0, type="", created_at="", content_type="", idempotency_key=None, size=0),
    attempt=present.attempt_row(_NO_ATTEMPT),
    request=present.request_row(_NO_REQUEST),
)


def paired(rows: Sequence[LogRow]) -> list[Exchange]:
    """The log, newest first, with an attempt and the capture of it on one line: the newer one's."""
    places: dict[str, int] = {}
    exchanges: list[Exchange] = []
    for row in rows:
        exchange = _exchange(row)
        key = _attempt_of(row)
        if key is not None and key in places:
            other = exchanges[places[key]]
            if other.attempt is None or (other.request is None and exchange.attempt is None):
                exchanges[places[key]] = Exchange(
                    seq=other.seq,
                    at=other.at,
                    attempt=other.attempt or exchange.attempt,
                    request=other.request or exchange.request,
                )
                continue
        if key is not None:
            places[key] = len(exchanges)
        exchanges.append(exchange)
    return exchanges


def _exchange(row: LogRow) -> Exchange:
    if isinstance(row, RequestSummary):
        return Exchange(seq=row.seq, at=clock.rfc3339(row.received_at), request=present.request_row(row))
    if isinstance(row, AttemptSummary):
        return Exchange(seq=row.seq, at=clock.rfc3339(row.started_at), attempt=present.attempt_row(row))
    return Exchange(seq=row.seq, at=clock.rfc3339(row.created_at), event=present.event_row(row))


def _attempt_of(row: LogRow) -> str | None:
    if isinstance(row, AttemptSummary):
        return row.id
    return row.attempt_id if isinstance(row, RequestSummary) else None


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


def compared(sent: Headers, received: Headers) -> list[HeaderLine]:
    """Each header that was sent, beside the one that arrived under its name; then those that came to it."""
    rest = list(received)
    lines = []
    for name, value in sent:
        same_name = [pair for pair in rest if pair[0].lower() == name.lower()]
        match = next((pair for pair in same_name if pair[1] == value), same_name[0] if same_name else None)
        if match is not None:
            rest.remove(match)
        lines.append(HeaderLine(name=name, sent=value, received=None if match is None else match[1]))
    return lines + [HeaderLine(name=name, sent=None, received=value) for name, value in rest]


def _header(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name), None)


def _bin_shape(s: Services, bin: Bin) -> shapes.BinShape:
    return present.bin_shape(bin, url=s.bin_url(bin.name or bin.id), request_count=s.bins.count(bin))


def _own_bin(s: Services, destination: str) -> Bin | None:
    """The bin of ours that a destination leads to."""
    if not s.is_own_bin(destination):
        return None
    return s.bins.find(urlsplit(destination).path.removeprefix("/b/").partition("/")[0])


def _parameters(query: str | None) -> list[tuple[str, str]]:
    return parse_qsl(wire(query), keep_blank_values=True, errors="replace")[:SHOWN_PARAMETERS] if query else []


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None


# The time axis


def time_axis(attempts: Sequence[Attempt], delivery: Delivery) -> TimeAxis:
    """Attempts as points; the room between two grows with the logarithm of the wait."""
    ticks: list[Tick] = []
    x, before = 34, None
    for attempt in attempts:
        wait = None if before is None else max(0, attempt.started_at - before)
        step = 0 if wait is None else _room(wait)
        x += step
        tone = str(attempt.status)[0] if attempt.status is not None and attempt.error is None else "error"
        ticks.append(
            Tick(
                x=x,
                wait_x=x - step // 2,
                label=f"#{attempt.number}",
                outcome=str(attempt.status) if attempt.error is None else _BRIEF[attempt.error],
                wait=None if wait is None else duration(wait),
                tone=tone,
                at=clock.rfc3339(attempt.started_at),
            )
        )
        before = attempt.started_at + attempt.duration
    if delivery.next_attempt_at is not None:
        wait = None if before is None else max(0, delivery.next_attempt_at - before)
        step = 0 if wait is None else _room(wait)
        x += step
        ticks.append(
            Tick(
                x=x,
                wait_x=x - step // 2,
                label=f"#{delivery.attempt_count + 1}",
                outcome="next",
                wait=None if wait is None else duration(wait),
                tone="next",
                at=clock.rfc3339(delivery.next_attempt_at),
            )
        )
    told = ", ".join(f"{tick.label} {tick.outcome}" + (f" after {tick.wait}" if tick.wait else "") for tick in ticks)
    return TimeAxis(width=x + 60, ticks=ticks, summary=f"Attempts in time: {told}")


_BRIEF = {
    ErrorClass.DNS_ERROR: "no name",
    ErrorClass.CONNECTION_REFUSED: "refused",
    ErrorClass.CONNECT_TIMEOUT: "timeout",
    ErrorClass.TLS_ERROR: "TLS error",
    ErrorClass.TIMEOUT: "timeout",
    ErrorClass.CONNECTION_RESET: "reset",
    ErrorClass.PROTOCOL_ERROR: "protocol",
    ErrorClass.BLOCKED_TARGET: "blocked",
}
"""Errors in the room that the axis has."""


def _room(wait: int) -> int:
    return 76 + round(26 * log10(1 + wait / SECOND))


# Bodies


def body_view(body: bytes, *, size: int | None = None, content_type: str | None = None) -> BodyView:
    """Laid out when it is JSON, as text when it is text, else as a hex dump; cut where it gets long."""
    size = len(body) if size is None else size
    if not body:
        return BodyView(kind="empty", size=size)
    text = _decoded(body, content_type)
    if text is None:
        notice = _cut_notice(SHOWN_BINARY, len(body))
        return BodyView(kind="binary", size=size, text=escape(hex_dump(body[:SHOWN_BINARY])), notice=notice)
    laid_out = indented(text) if len(body) <= FORMATTED_JSON else None
    if laid_out is None:
        notice = _cut_notice(SHOWN_TEXT, len(text))
        return BodyView(kind="text", size=size, text=reveal(text[:SHOWN_TEXT]), notice=notice)
    colored = Markup(highlight(laid_out[:SHOWN_TEXT], _JSON, _SPANS))  # noqa: S704 - Pygments escapes it
    return BodyView(kind="json", size=size, text=reveal(colored), notice=_cut_notice(SHOWN_TEXT, len(laid_out)))


_JSON = JsonLexer(stripnl=False, ensurenl=False)
_SPANS = HtmlFormatter(nowrap=True)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+0-9.eE]+|true|false|null|[][{}:,]')


def indented(text: str) -> str | None:
    """JSON laid out over lines, each token kept as it was written; None when it is not JSON."""
    try:
        if not isinstance(json.loads(text, parse_constant=_refuse), dict | list):
            return None
    except (ValueError, RecursionError):
        return None
    pieces: list[str] = []
    length = 0
    for piece in _laid_out(_TOKEN.findall(text)):
        pieces.append(piece)
        length += len(piece)
        if length > FORMATTED_JSON:
            return None
    return "".join(pieces)


def _refuse(constant: str) -> None:
    """`NaN` and its like are Python's, not JSON's."""
    raise ValueError(constant)


def _laid_out(tokens: Sequence[str]) -> Iterator[str]:
    depth = 0
    for place, word in enumerate(tokens):
        if word in "}]" and tokens[place - 1] not in "{[":
            depth -= 1
            yield "\n" + "  " * depth
        yield word
        if word in "{[":
            if tokens[place + 1] in "}]":
                continue
            depth += 1
            yield "\n" + "  " * depth
        elif word == ",":
            yield "\n" + "  " * depth
        elif word == ":":
            yield " "


def _decoded(body: bytes, content_type: str | None) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        if not (content_type or "").startswith("text/"):
            return None
        text = body.decode("latin-1")
    return None if "\0" in text else text


def hex_dump(data: bytes) -> str:
    return "\n".join(_hex_line(offset, data[offset : offset + 16]) for offset in range(0, len(data), 16))


def _hex_line(offset: int, chunk: bytes) -> str:
    digits = f"{chunk[:8].hex(' ')}  {chunk[8:].hex(' ')}"
    printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in chunk)
    return f"{offset:08x}  {digits:<48}  {printable}"


def _cut_notice(shown: int, length: int) -> str | None:
    return None if length <= shown else f"The first {size_text(shown)} of {size_text(length)} are shown."


# How things are written


_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that show nothing, or change how others are shown."""
_ZONED_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")
_UNITS = (("d", 86_400 * SECOND), ("h", 3_600 * SECOND), ("min", 60 * SECOND), ("s", SECOND))


def reveal(text: str) -> Markup:
    """Escaped, with characters that hide or reorder text shown by their code."""
    shown = _ODD.sub(lambda match: f'<span class="odd">U+{ord(match[0]):04X}</span>', str(escape(text)))
    return Markup(shown)  # noqa: S704 - escaped above; what was added is ours


def wire(text: str) -> str:
    """A header or target, kept as latin-1, read as UTF-8 where it is that."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def size_text(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.1f} KiB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MiB"


def duration(microseconds: float) -> str:
    """Two digits or so: `0.8 ms`, `12 ms`, `1.2 s`, `5 min`."""
    if microseconds < SECOND:
        return f"{microseconds / 1000:.1f} ms" if microseconds < 9_950 else f"{microseconds / 1000:.0f} ms"
    name, unit = next((name, unit) for name, unit in _UNITS if microseconds >= unit)
    amount = microseconds / unit
    return f"{amount:.0f} {name}" if amount >= 9.95 else f"{amount:.1f}".removesuffix(".0") + f" {name}"


def ago(time: str, now: int) -> str:
    passed = now - round(datetime.fromisoformat(time).timestamp() * SECOND)
    if passed < 2 * SECOND:
        return "just now"
    name, unit = next((name, unit) for name, unit in _UNITS if passed >= unit)
    return f"{passed // unit} {name} ago"


def seconds_list(values: Iterable[float]) -> str:
    return ", ".join(duration(value * SECOND) for value in values)


def with_code(text: str) -> Markup:
    """Words between backticks as code."""
    shown = re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text)))
    return Markup(shown)  # noqa: S704 - escaped above; what was added is ours


def split_times(sentence: str) -> list[tuple[str, bool]]:
    """Pieces of a sentence, each with whether it is a time."""
    return [(piece, bool(_ZONED_TIME.fullmatch(piece))) for piece in _ZONED_TIME.split(sentence) if piece]


_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(assets.folder("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(
    ago=ago,
    duration=duration,
    reveal=reveal,
    seconds_list=seconds_list,
    size=size_text,
    split_times=split_times,
    wire=wire,
    with_code=with_code,
)
