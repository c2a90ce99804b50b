"""What leaves as a file: a captured request, what a bin captured, a delivery; and what differs between two requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response, StreamingResponse

from hookbin.clock import seq_id
from hookbin.errors import RequestMalformed
from hookbin.exports.formats import (
    BIN_FORMATS,
    DELIVERY_FORMATS,
    REQUEST_FORMATS,
    BinFormatName,
    DeliveryFormatName,
    ListFormat,
    RequestFormatName,
)
from hookbin.exports.har import SentAttempt
from hookbin.exports.resending import resending
from hookbin.shapes.differences import Difference
from hookbin.shapes.request_diff import difference
from hookbin.web.api import deliveries
from hookbin.web.api.filtering import FilterQuery, to_filter
from hookbin.web.api.requests import find
from hookbin.web.rest.downloads import INERT, disposition
from hookbin.web.rest.route import Call, raises
from hookbin.web.rest.services import Services

T = TypeVar("T")


class RequestExportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Annotated[RequestFormatName, Meta(description="What is made of it.")]
    to: Annotated[
        str | None,
        Meta(description="Where the copy goes instead; what stood behind the bin's address is appended."),
    ] = None


class BinExportQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Annotated[BinFormatName, Meta(description="What is made of them.")]


class DeliveryExportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Annotated[DeliveryFormatName, Meta(description="What is made of its attempts.")]


@raises(RequestMalformed)
async def of_request(call: Call[RequestExportQuery, None]) -> Response:
    """Take a captured request out.

    `curl` and `httpie` are scripts for `sh`, `python` is a program with httpx, `raw` the message as RFC 9112
    has it (a chunked body as one chunk), `har` is HAR 1.2. Hop-by-hop fields go along, so that the copy is the
    same; with `to`, Host gets the new destination.
    """
    request = await find(call)
    form = REQUEST_FORMATS[call.query.format]
    if request.malformed is not None and not form.takes_malformed:
        raise RequestMalformed(f"it is no HTTP, so only raw and NDJSON can hold it: {request.malformed.reason}")
    wanted = resending(request, base_url=call.site.addresses.bins_url, to=call.query.to)
    content = await asyncio.to_thread(form.write, wanted)
    name = f"{seq_id('req_', request.seq)}.{form.suffix}"
    return Response(content, media_type=form.media_type, headers={**INERT, "content-disposition": disposition(name)})


async def diff(call: Call[None, None]) -> Difference:
    """Compare two captured requests.

    Headers and query by name, JSON by structure (numbers as they were written), text by lines, else the first
    byte that differs. Bodies over 256 KiB, and more than 300 lines that differ, are compared as bytes, which
    `notice` says.
    """
    async with call.stores.database.snapshot():
        left, right = await find(call), await find(call, "other")
    return await asyncio.to_thread(difference, left, right)


async def of_bin(call: Call[BinExportQuery, None]) -> Response:
    """Take out what a bin captured.

    Oldest first, as a stream: HAR 1.2, NDJSON (a request a line with its whole body), or CSV, where a cell that
    a spreadsheet would take for a formula has an apostrophe in front. What comes meanwhile is not waited for.
    What is no HTTP is in NDJSON only.
    """
    bin = call.stores.bins.get(call.path["bin"])
    form = BIN_FORMATS[call.query.format]
    wanted = msgspec.structs.replace(
        to_filter(call.query, now=call.site.clock.now()), malformed=None if form.takes_malformed else False
    )
    found = call.stores.export.oldest_first(bin, wanted, until=call.stores.database.last_seq)
    return _stream(call.services, found, form, name=bin.name or bin.id)


async def of_delivery(call: Call[DeliveryExportQuery, None]) -> Response:
    """Take out the attempts at a delivery.

    As HAR 1.2, oldest first: what was sent, with secrets masked, what came back, the times of its phases and the
    address that was dialled. An attempt without an answer has the status 0 and says why in `_error`.
    """
    async with call.stores.database.snapshot():
        delivery = await deliveries.find(call.services, call.path["delivery"])
        event = await call.stores.events.get(delivery.event_id)
        attempts = await call.stores.deliveries.attempts(delivery)
    body = b"" if event is None else event.body
    found = _each(SentAttempt(attempt=attempt, body=body) for attempt in attempts)
    return _stream(call.services, found, DELIVERY_FORMATS[call.query.format], name=delivery.id)


async def _each(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


def _stream(services: Services, found: AsyncIterator[T], form: ListFormat[T], *, name: str) -> Response:
    base_url = services.site.addresses.bins_url
    headers = {**INERT, "content-disposition": disposition(f"{name}.{form.suffix}")}
    return StreamingResponse(_written(found, form, base_url), media_type=form.media_type, headers=headers)


async def _written(found: AsyncIterator[T], form: ListFormat[T], base_url: str) -> AsyncIterator[bytes]:
    """One after the other, so that memory holds one of them."""
    yield form.head
    separator = b""
    async for item in found:
        first, *others = await asyncio.to_thread(form.entry, item, base_url)
        yield separator + first
        for piece in others:
            yield piece
        separator = form.between
    yield form.tail
