"""All bins and all webhooks, a page at a time, with what they did lately and how they are."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hookbin.clock import parse_seq_id, seq_id
from hookbin.web.html.rendering import render
from hookbin.web.pages.cards import bin_card, webhook_card
from hookbin.web.pages.webhook import MAX_PENDING
from hookbin.web.rest.services import services

ROWS = 50


async def bins(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position
    before = parse_seq_id("bin_", request.query_params.get("before", ""))
    found = [bin for bin in reversed(s.stores.bins.all()) if before is None or bin.key < before]
    shown = found[:ROWS]
    return render(
        request,
        "bins.html",
        after=after,
        cards=[bin_card(s, bin) for bin in shown],
        total=len(s.stores.bins.all()),
        before=before is not None,
        older=seq_id("bin_", shown[-1].key) if len(found) > ROWS else None,
    )


async def webhooks(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position
    before = request.query_params.get("before")
    found = [webhook for webhook in reversed(s.stores.webhooks.all()) if before is None or webhook.id < before]
    shown = found[:ROWS]
    async with s.stores.database.snapshot():
        pending = [await s.stores.deliveries.count_pending(webhook.id, limit=MAX_PENDING) for webhook in shown]
    return render(
        request,
        "webhooks.html",
        after=after,
        rows=list(zip([webhook_card(s, webhook) for webhook in shown], pending, strict=True)),
        most_pending=MAX_PENDING,
        total=len(s.stores.webhooks.all()),
        before=before is not None,
        older=shown[-1].id if len(found) > ROWS else None,
    )
