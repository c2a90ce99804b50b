"""`GET /bins/{bin}/wait`: answers when enough requests of a kind are there, for tests and scripts."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import ClientDisconnect, Request

from hookbin.clock import seq_id
from hookbin.conditions.filters import RequestFilter, checks
from hookbin.errors import ShuttingDown, TooManyWaiting, WaitTimedOut
from hookbin.live.waiters import Waiter
from hookbin.models.bins import Bin
from hookbin.models.common import SECOND
from hookbin.shapes.common import Page
from hookbin.shapes.requests import RequestShape, request_shape
from hookbin.web.api.filtering import FilterQuery, to_filter
from hookbin.web.rest import paging
from hookbin.web.rest.route import Call, raises
from hookbin.web.rest.services import Services

MAX_COUNT = 50
"""Requests that one call waits for."""
MAX_SECONDS = 300
"""How long one call waits."""
NEAREST = 3
"""Requests that nearly were as wanted, told after the timeout."""


class WaitQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1, le=MAX_COUNT, description="How many must be there.")] = 1
    timeout: Annotated[float, Meta(ge=0, le=MAX_SECONDS, description="Seconds to wait.")] = 30.0
    after: Annotated[str | None, Meta(description="The id of a request: only what came later counts.")] = None


@raises(WaitTimedOut, TooManyWaiting, ShuttingDown)
async def wait(call: Call[WaitQuery, None]) -> Page[RequestShape]:
    """Wait for requests.

    Answers with `count` requests in the order they came, as soon as so many are there; those already there
    count, the newest of them (looked for as far as a search goes). After `timeout` seconds 408 with `nearest`:
    of the newest 100 those that lack the least, and what. What is no HTTP never counts.
    """
    services, query = call.services, call.query
    bin = services.stores.bins.get(call.path["bin"])
    now = services.site.clock.now()
    wanted = msgspec.structs.replace(
        to_filter(query, now=now, after=paging.before_number("req_", query.after, loc="after")), malformed=False
    )
    waiter = Waiter(bin.id, wanted, checks(wanted), count=query.count)
    with services.live.waiting.join(waiter):
        position = services.live.timeline.position
        earlier = await services.stores.search.find(bin, wanted, limit=query.count, before=position + 1)
        waiter.add([row.seq for row in earlier.rows])
        deadline = services.site.clock.ticks() + int(query.timeout * SECOND)
        await _until_done(waiter, call.request, services, deadline=deadline)
    if not waiter.done:
        raise await _timed_out(services, bin, wanted, query, len(waiter.seqs))
    async with services.stores.database.snapshot():
        found = [await services.stores.requests.get(seq) for seq in waiter.seqs]
    return Page(data=[request_shape(request) for request in found if request is not None])


async def _until_done(waiter: Waiter, request: Request, services: Services, *, deadline: int) -> None:
    """Returns at the deadline too. Raises `ClientDisconnect` and `ShuttingDown`."""
    watch = asyncio.create_task(_leave_with(request, waiter))
    try:
        while not waiter.done and services.site.clock.ticks() < deadline:
            waiter.wake.clear()
            if waiter.gone:
                raise ClientDisconnect
            if services.live.waiting.closed:
                raise ShuttingDown("hookbin is stopping; ask again in a moment")
            await services.site.clock.wait(waiter.wake, until=deadline)
    finally:
        watch.cancel()


async def _leave_with(request: Request, waiter: Waiter) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    waiter.leave()


async def _timed_out(services: Services, bin: Bin, wanted: RequestFilter, query: WaitQuery, found: int) -> WaitTimedOut:
    misses = await services.stores.search.nearest(bin, wanted, limit=NEAREST)
    enough = f"{found} of {query.count} wanted requests came within {query.timeout:g} s"
    hint = "nearest says what the others lack" if misses else "nothing else came; is the sender's URL right?"
    return WaitTimedOut(
        f"{enough}; {hint}",
        nearest=tuple(
            (seq_id("req_", miss.row.seq), miss.row.method, miss.row.target, tuple(miss.complaints)) for miss in misses
        ),
    )
