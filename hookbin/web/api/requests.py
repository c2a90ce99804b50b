"""Captured requests: list, search, read, annotate, delete, send on, and the raw body."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any

from msgspec import UNSET, Meta
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from hookbin.clock import parse_seq_id, seq_id
from hookbin.conditions.filters import NO_FILTER, unsearched_words
from hookbin.dispatch.changed_request import changed
from hookbin.dispatch.forwarding import check_whole
from hookbin.errors import (
    FieldsInvalid,
    RequestIncomplete,
    RequestNotFound,
    TargetRefused,
    TooManyPinned,
    WebhookDisabled,
)
from hookbin.models.bins import Bin
from hookbin.models.deliveries import delivery_of
from hookbin.models.requests import CapturedRequest
from hookbin.models.webhooks import Webhook
from hookbin.names import check_note
from hookbin.shapes.common import Page
from hookbin.shapes.events import event_in_list
from hookbin.shapes.requests import (
    Deleted,
    NewReplay,
    ReplayChanges,
    Replayed,
    RequestChange,
    RequestRow,
    RequestShape,
    request_row,
    request_shape,
)
from hookbin.shapes.undo import Seconds, Undoable, UndoQuery, undo_shape
from hookbin.store.delete_requests import STEP
from hookbin.text import size_text
from hookbin.web.api.filtering import FilterQuery, to_filter
from hookbin.web.api.targets import make_destination
from hookbin.web.api.undo import answer
from hookbin.web.api.webhooks import named_webhook
from hookbin.web.rest import paging
from hookbin.web.rest.downloads import INERT, disposition
from hookbin.web.rest.route import Call, raises
from hookbin.web.rest.services import Services
from hookbin.wire.exchange import exchange_of

MAX_ROUNDS = 20
"""So many times `STEP` requests are found and deleted by one call."""
PIECES = 16
"""Pieces that a large body is downloaded in: each costs a way through all of it, and a slow reader holds two."""
MIN_PIECE = 256 * 1024
"""Bytes of a piece at least."""


class ListQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: paging.Limit = 50
    cursor: paging.Cursor = None


async def index(call: Call[ListQuery, None]) -> Page[RequestRow]:
    """List what a bin captured.

    Newest first, without headers and bodies. A search looks at 12,000 requests and reads 16 MiB of bodies at
    most: a page may be short or empty and still have a `next_cursor` that goes on.
    """
    bin = call.stores.bins.get(call.path["bin"])
    before = paging.before_number("req_", call.query.cursor)
    wanted = to_filter(call.query, now=call.site.clock.now())
    if wanted != NO_FILTER:
        found = await call.stores.search.find(bin, wanted, limit=call.query.limit, before=before)
        cursor = None if found.next_before is None else paging.number_cursor("req_", found.next_before)
        notice = unsearched_words(found.longer) or UNSET
        return Page(data=[request_row(row) for row in found.rows], next_cursor=cursor, notice=notice)
    rows = await call.stores.requests.list(bin, limit=call.query.limit + 1, before=before)
    return paging.page(
        rows,
        limit=call.query.limit,
        cursor_of=lambda row: paging.number_cursor("req_", row.seq),
        shape=request_row,
    )


class DeleteQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    include_pinned: Annotated[bool, Meta(description="Delete pinned ones too.")] = False
    undo: Seconds = None
    cursor: paging.Cursor = None


async def clear(call: Call[DeleteQuery, None]) -> Deleted:
    """Delete what a bin captured.

    All that was captured so far, or what a list with the same query shows; pinned ones only with
    `include_pinned` or `pinned=true`. With a query one call deletes up to 10,000 and looks no further than a
    search does: `next_cursor` goes on. With `undo` they are hidden until then; each call is undone by itself.
    """
    services, query = call.services, call.query
    bin = services.stores.bins.get(call.path["bin"])
    before = paging.before_number("req_", query.cursor)
    wanted = to_filter(query, now=services.site.clock.now())
    with_pinned = query.include_pinned or wanted.pinned is True
    if wanted == NO_FILTER and before is None:
        if query.undo is not None:
            return await _hide(services, bin, None, with_pinned=with_pinned, seconds=query.undo, cursor=None)
        return Deleted(deleted=await services.stores.removal.all(bin, with_pinned=with_pinned), next_cursor=None)
    deleted, hidden = 0, []
    for _ in range(MAX_ROUNDS):
        found = await services.stores.search.find(bin, wanted, limit=STEP, before=before)
        seqs = [row.seq for row in found.rows if with_pinned or not row.pinned]
        if query.undo is None:
            deleted += await services.stores.removal.found(bin, seqs, with_pinned=with_pinned)
        hidden += seqs
        before = found.next_before
        if before is None or len(found.rows) < STEP:
            break
    cursor = None if before is None else paging.number_cursor("req_", before)
    if query.undo is not None:
        return await _hide(services, bin, hidden, with_pinned=with_pinned, seconds=query.undo, cursor=cursor)
    return Deleted(deleted=deleted, next_cursor=cursor)


async def _hide(
    services: Services,
    bin: Bin,
    seqs: list[int] | None,
    *,
    with_pinned: bool,
    seconds: int,
    cursor: str | None,
) -> Deleted:
    """Hide those numbers, or all, until their deletion is carried out or undone."""
    pending = await services.stores.pending_deletions.hide_requests(bin, seqs, with_pinned=with_pinned, seconds=seconds)
    if pending is None:
        return Deleted(deleted=0, next_cursor=cursor)
    return Deleted(deleted=pending.count, next_cursor=cursor, undo=undo_shape(pending))


@raises(TooManyPinned)
async def change(call: Call[None, RequestChange]) -> RequestShape:
    """Note something on a captured request, or pin it.

    A pinned request is not trimmed, and does not count towards `max_requests`.
    """
    changes: dict[str, Any] = {}
    if call.body.note is not UNSET:
        changes["note"] = None if call.body.note is None else check_note(call.body.note)
    if call.body.pinned is not UNSET:
        changes["pinned"] = call.body.pinned
    seq = _seq(call)
    if await call.stores.requests.edit(seq, lambda now: replace(now, **changes)) is None:
        raise _not_found(call)
    return request_shape(await find(call))


async def delete(call: Call[UndoQuery, None]) -> Undoable | Response:
    """Delete a captured request.

    It is gone at once; with `undo` it is hidden until then.
    """
    seq, seconds = _seq(call), call.query.undo
    if seconds is None:
        if not await call.stores.removal.one(seq):
            raise _not_found(call)
        return answer(None)
    pending = await call.stores.pending_deletions.hide_request(seq, seconds=seconds)
    if pending is None:
        raise _not_found(call)
    return answer(pending)


async def read(call: Call[None, None]) -> RequestShape:
    """Read a captured request.

    With its headers and up to 256 KiB of its body.
    """
    return request_shape(await find(call))


async def body(call: Call[None, None]) -> Response:
    """Download a captured body.

    The bytes as they came, as an attachment that no browser renders.
    """
    seq = _seq(call)
    length = await call.stores.requests.body_length(seq)
    if length is None:
        raise _not_found(call)
    headers = {**INERT, "content-length": str(length), "content-disposition": disposition(f"{seq_id('req_', seq)}.bin")}
    return StreamingResponse(_pieces(call, seq, length), media_type="application/octet-stream", headers=headers)


async def _pieces(call: Call[None, None], seq: int, length: int) -> AsyncIterator[bytes]:
    """A body as its reader takes it, so that memory holds a piece for each and not all of it."""
    size = max(MIN_PIECE, length // PIECES + 1)
    for start in range(0, length, size):
        piece = await call.stores.requests.body_piece(seq, start, size=size)
        if not piece:
            exchange_of(call.request.scope).drop()  # it was deleted meanwhile
            return
        yield piece


@raises(RequestIncomplete, TargetRefused, WebhookDisabled)
async def replay(call: Call[None, NewReplay]) -> Replayed:
    """Send a captured request on.

    As it came (method, path below the bin, query, headers, bytes) to a destination or a webhook, with its own
    signature or a fresh one; or with `changes`. Each time is an event of type `request.replayed` with one delivery;
    `GET /events?request=` lists them.
    """
    services, wanted = call.services, call.body
    request = await find(call)
    if (wanted.destination is None) is (wanted.webhook is None):
        raise FieldsInvalid(("destination", "is needed, or webhook in its place; one of them"))
    if wanted.destination is not None:
        sender = await _sender(services, request)
        target = make_destination(services, request, wanted, url=wanted.destination, sender=sender)
    else:
        target = named_webhook(services, wanted.webhook or "")
        if wanted.secret is not None or wanted.retry_schedule is not None:
            raise FieldsInvalid(("webhook", "has a secret and a schedule of its own; leave these fields out"))
    if wanted.changes is not None:
        request = _changed(request, wanted.changes, most=services.site.settings.max_body)
    made = await services.delivering.forwarding.replay(
        request, target, keep_signature=wanted.signature == "original", times=wanted.times
    )
    return Replayed(
        request_id=call.path["request"],
        events=[event_in_list(each.event, list(each.deliveries)) for each in made],
    )


def _changed(request: CapturedRequest, changes: ReplayChanges, *, most: int) -> CapturedRequest:
    check_whole(request, purpose="changed")
    body = None if changes.body is None else changes.body.encode()
    if changes.body_base64 is not None:
        if body is not None:
            raise FieldsInvalid(("changes.body_base64", "is there beside body; send one of them"))
        try:
            body = base64.b64decode(changes.body_base64, validate=True)
        except ValueError as error:
            raise FieldsInvalid(("changes.body_base64", "is no base64 (RFC 4648, 4)")) from error
    if body is not None and len(body) > most:
        raise FieldsInvalid(("changes.body", f"is larger than the {size_text(most)} that this server keeps"))
    return changed(
        request, method=changes.method, path=changes.path, query=changes.query, headers=changes.headers, body=body
    )


async def _sender(services: Services, request: CapturedRequest) -> Webhook | None:
    """The webhook of ours whose attempt was captured, if it is still there."""
    if request.attempt_id is None:
        return None
    delivery = await services.stores.deliveries.get(delivery_of(request.attempt_id))
    return None if delivery is None else services.stores.webhooks.find(delivery.webhook_id)


async def find(call: Call[Any, Any], name: str = "request") -> CapturedRequest:
    """The request that the path names, by the parameter `name`. Raises `RequestNotFound`."""
    request = await call.stores.requests.get(_seq(call, name))
    if request is None:
        raise _not_found(call, name)
    return request


def _seq(call: Call[Any, Any], name: str = "request") -> int:
    seq = parse_seq_id("req_", call.path[name])
    if seq is None:
        raise _not_found(call, name)
    return seq


def _not_found(call: Call[Any, Any], name: str = "request") -> RequestNotFound:
    id = call.path[name][:64]
    return RequestNotFound(f"no captured request has the id {id!r}; it was deleted, or its bin has trimmed it")
