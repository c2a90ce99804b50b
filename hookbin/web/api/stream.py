"""`GET /stream`: the timeline as server-sent events, resumed without loss or repeat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import anyio
import msgspec
from msgspec import Meta, Struct
from sse_starlette import EventSourceResponse
from starlette.responses import Response
from starlette.types import Message as ASGIMessage
from starlette.types import Send

from hookbin.bodies.headline import headline
from hookbin.clock import seq_id
from hookbin.errors import BinNotFound, FieldsInvalid, WebhookNotFound
from hookbin.live.timeline import Message, Topic, place
from hookbin.models.announcements import LOG_ROWS, Announcement, Removed, RequestChanged, RequestsDeleted
from hookbin.models.bins import Bin
from hookbin.models.deliveries import AttemptSummary, Delivery, DeliveryState, Trigger
from hookbin.models.events import EventSummary
from hookbin.models.pending_deletions import DeletionKind, PendingDeletion
from hookbin.models.requests import CapturedRequest, Opening, RequestSummary
from hookbin.models.webhooks import Webhook, WebhookKind
from hookbin.shapes.bins import BinShape
from hookbin.shapes.common import Gone
from hookbin.shapes.deliveries import attempt_row, delivery_row
from hookbin.shapes.events import event_row
from hookbin.shapes.requests import RequestGone, request_fields
from hookbin.shapes.webhooks import webhook_shape
from hookbin.store.log import LogFilter
from hookbin.web.rest.route import Call, raises, reads_header
from hookbin.web.rest.services import Services
from hookbin.web.rest.sessions import session_of

MAX_MISSED = 1_000
"""More rows than this are not sent after a reconnect; a `gap` says so instead."""
MAX_AFTER = 2**62
"""The highest `seq` that can be named; none is given out near it."""
MAX_OPENINGS = 100
"""Rows of these of which it is read at a time what they begin with."""
MAX_SPAN = 20_000
"""Numbers of the log that are looked through for those that a follower wants; beyond that it is a `gap` too."""
KINDS = frozenset({"request", "event", "attempt", "delivery", "bin", "webhook"})
PING_SECONDS = 15
_RETRY = b"retry: 1000\n\n"
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class StreamQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    bin: Annotated[str | None, Meta(description="Only what concerns this bin (id or name).")] = None
    webhook: Annotated[str | None, Meta(description="Only what concerns this webhook; with `bin`, both.")] = None
    kinds: Annotated[
        str | None,
        Meta(description="Comma-separated: request, event, attempt, delivery, bin, webhook; all when left out."),
    ] = None
    headlines: Annotated[bool, Meta(description="Say in a line what each request is, as `headline`.")] = False
    after: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_AFTER)] | None,
        Meta(description="Begin behind this `seq`; the header Last-Event-ID does the same and wins."),
    ] = None


@raises(BinNotFound, WebhookNotFound)
@reads_header("Last-Event-ID", "The last `seq` that was seen; what came since is sent first.")
async def stream(call: Call[StreamQuery, None]) -> Response:
    """Follow everything live.

    Server-sent events: `request`, `event`, `attempt` with their `seq` as id, `bin` and `webhook` without one,
    also a `delivery` that was cancelled or is retried by hand, a `request` whose note or pin was changed or that was
    deleted (`deleted`), and `gap` when more was missed than is sent again (1,000 rows of these, 20,000 of all).
    """
    topic = _topic(call.query, call.services)
    after = _last_event_id(call.request.headers.get("last-event-id"))
    frames = _frames(call, topic, call.query.after if after is None else after)
    return _Stream(
        frames,
        headers=_HEADERS,
        ping=PING_SECONDS,
        shutdown_event=anyio.Event(),
        shutdown_grace_period=1,
    )


class _Stream(EventSourceResponse):
    """A reader that takes nothing is cut off by the protocol (`hookbin.wire.patience`)."""

    async def _send_with_timeout(self, send: Send, message: ASGIMessage) -> None:
        """Without setting a time for each message to each reader, which took as long as sending it."""
        await send(message)


_encode = msgspec.json.Encoder().encode
_NAMES = {kind: kind.encode() for kind in KINDS}


class Encoder:
    """Makes a committed row the message that every follower gets."""

    def __init__(self, bin_shape: Callable[[Bin], BinShape], *, find_bin: Callable[[str], Bin | None]) -> None:
        self._bin_shape = bin_shape
        self._find_bin = find_bin

    def __call__(self, row: Announcement, headlines: bool = False, opening: Opening | None = None) -> Message | None:
        """`opening` is that of a captured request that was read back without it; only `headlines` need it."""
        shape = self._shape(row) if not headlines else self._shape_with_headline(row, opening)
        if shape is None:
            return None
        kind, bin_id, webhook_id = place(row)
        seq = row.seq if isinstance(row, LOG_ROWS) else None
        id = b"" if seq is None else b"id: %d\n" % seq
        return Message(seq, kind, bin_id, webhook_id, b"%bevent: %b\ndata: %b\n\n" % (id, _NAMES[kind], _encode(shape)))

    def _shape_with_headline(self, row: Announcement, opening: Opening | None) -> Struct | dict[str, Any] | None:
        shape = self._shape(row)
        begins = (
            row.opening if isinstance(row, RequestChanged) else row if isinstance(row, CapturedRequest) else opening
        )
        if isinstance(shape, dict):
            shape["headline"] = None if begins is None else headline(begins.headers, begins.body)
        return shape

    def _shape(self, row: Announcement) -> Struct | dict[str, Any] | None:
        """None for what no stream tells of; a dictionary for a captured request."""
        match row:
            case RequestSummary():
                return request_fields(row) if self._find_bin(row.bin_id) is not None else None
            case EventSummary():
                return event_row(row)
            case AttemptSummary():
                return attempt_row(row)
            case Delivery() if row.state is DeliveryState.CANCELLED or row.next_trigger is Trigger.MANUAL:
                return delivery_row(row)
            case Bin():
                return self._bin_shape(row)
            case Webhook():
                return webhook_shape(row) if row.kind is WebhookKind.WEBHOOK else None
            case Removed():
                return Gone(id=row.id)
            case PendingDeletion(kind=DeletionKind.BIN):
                return Gone(id=row.target)
            case RequestChanged():
                return request_fields(row.request)
            case RequestsDeleted():
                return self._shape_of_deletion(row)
            case _:
                return None

    def _shape_of_deletion(self, row: RequestsDeleted) -> BinShape | RequestGone | None:
        """One request is told as gone, many as what the bin holds now, once; what was trimmed is not told."""
        bin = self._find_bin(row.bin_id)
        if bin is None or (row.seq is None and not row.complete):
            return None
        shape = self._bin_shape(bin)
        if row.seq is None:
            return shape
        return RequestGone(id=seq_id("req_", row.seq), bin=bin.id, request_count=shape.request_count)


async def _frames(call: Call[StreamQuery, None], topic: Topic, after: int | None) -> AsyncIterator[bytes]:
    """Chunks of complete events: first what was missed, then what comes, all that is ready at a time."""
    timeline, session = call.live.timeline, session_of(call.request)
    subscription = timeline.subscribe(topic, session_id=None if session is None else session.id)
    try:
        yield _RETRY
        if after is not None and after != subscription.position:
            yield await _missed(call.services, topic, after, subscription.position)
        while messages := await subscription.next():
            yield b"".join([message.frame for message in messages])
    finally:
        timeline.unsubscribe(subscription)


async def _missed(services: Services, topic: Topic, after: int, upto: int) -> bytes:
    """The wanted rows between, or a gap: also for one who is ahead, since it comes from another database.

    Who was away for long reads much, so all of these take turns at a reader of their own, and no page waits for them.
    """
    gap = b'id: %d\nevent: gap\ndata: {"after":%d,"upto":%d}\n\n' % (upto, after, upto)
    if not after < upto <= after + MAX_SPAN:
        return gap
    wanted = LogFilter(bin_id=topic.bin_id, webhook_id=topic.webhook_id, kinds=topic.kinds)
    frames: list[bytes] = []
    async with services.stores.database.snapshot(apart=True):
        rows = await services.stores.log.between(after, upto, limit=MAX_MISSED + 1, wanted=wanted)
        if len(rows) > MAX_MISSED:
            return gap
        for some in range(0, len(rows), MAX_OPENINGS):
            part = rows[some : some + MAX_OPENINGS]
            seqs = [row.seq for row in part if topic.headlines]
            openings = await services.stores.requests.openings(seqs) if seqs else {}
            messages = [services.live.encode(row, topic.headlines, openings.get(row.seq)) for row in part]
            frames += [message.frame for message in messages if message is not None]
    return b"".join(frames)


def _topic(query: StreamQuery, services: Services) -> Topic:
    kinds = None
    if query.kinds is not None:
        kinds = frozenset(query.kinds.split(","))
        if unknown := kinds - KINDS:
            raise FieldsInvalid(("kinds", f"{sorted(unknown)[0]!r} is not one of {', '.join(sorted(KINDS))}"))
    bin_id = services.stores.bins.get(query.bin).id if query.bin is not None else None
    webhook_id = services.stores.webhooks.get(query.webhook).id if query.webhook is not None else None
    return Topic(bin_id=bin_id, webhook_id=webhook_id, kinds=kinds, headlines=query.headlines)


def _last_event_id(header: str | None) -> int | None:
    """The number in the header; what a client made up itself is taken for none."""
    return int(header) if header is not None and header.isascii() and header.isdigit() and len(header) < 19 else None
