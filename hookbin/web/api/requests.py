"""Captured requests: list, read, and the raw body."""

from __future__ import annotations

from starlette.responses import Response

from hookbin.clock import parse_seq_id, seq_id
from hookbin.errors import RequestNotFound
from hookbin.filters import NO_FILTER
from hookbin.models import CapturedRequest
from hookbin.web.api import paging, present, shapes
from hookbin.web.api.filtering import FilterQuery, to_filter
from hookbin.web.downloads import attachment
from hookbin.web.routing import Call


class ListQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: paging.Limit = 50
    cursor: paging.Cursor = None


async def index(call: Call[ListQuery, None]) -> shapes.Page[shapes.RequestRow]:
    bin = call.services.bins.get(call.path["bin"])
    before = paging.before_number("req_", call.query.cursor)
    wanted = to_filter(call.query, now=call.services.clock.now())
    if wanted != NO_FILTER:
        found = await call.services.search.find(bin, wanted, limit=call.query.limit, before=before)
        cursor = None if found.next_before is None else paging.number_cursor("req_", found.next_before)
        return shapes.Page(data=[present.request_row(row) for row in found.rows], next_cursor=cursor)
    rows = await call.services.requests.list(bin, limit=call.query.limit + 1, before=before)
    return paging.page(
        rows,
        limit=call.query.limit,
        cursor_of=lambda row: paging.number_cursor("req_", row.seq),
        shape=present.request_row,
    )


async def read(call: Call[None, None]) -> shapes.RequestShape:
    return present.request_shape(await find(call))


async def body(call: Call[None, None]) -> Response:
    """The bytes as they came, as a download that no browser renders."""
    request = await find(call)
    return attachment(request.body, f"{seq_id('req_', request.seq)}.bin")


async def find(call: Call[None, None]) -> CapturedRequest:
    """The request that the path names. Raises `RequestNotFound`."""
    id = call.path["request"]
    seq = parse_seq_id("req_", id)
    request = None if seq is None else await call.services.requests.get(seq)
    if request is None:
        raise RequestNotFound(f"no captured request has the id {id[:64]!r}; its bin may have trimmed it")
    return request
