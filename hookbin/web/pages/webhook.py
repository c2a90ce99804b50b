"""One webhook: how it is, what can be done with it, and its deliveries."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from hookbin.delivery import retries, samples
from hookbin.models.bins import Bin
from hookbin.models.deliveries import DeliveryState
from hookbin.shapes.webhooks import webhook_shape
from hookbin.signatures.styles import STYLES
from hookbin.store.sending_search import DeliveryFilter
from hookbin.web.api.deliveries import listed
from hookbin.web.html.rendering import render
from hookbin.web.pages.cards import webhook_card
from hookbin.web.rest.services import Services, services

ROWS = 50
MAX_PENDING = 1_000
"""Pending deliveries are counted no further."""


async def page(request: Request) -> Response:
    s = services(request)
    webhook = s.stores.webhooks.get(request.path_params["id"])
    after = s.live.timeline.position
    before = request.query_params.get("before")
    state = _state(request.query_params.get("state"))
    async with s.stores.database.snapshot():
        wanted = DeliveryFilter(webhook_id=webhook.id, state=state)
        found = await s.stores.sending_search.deliveries(wanted, limit=ROWS, before=before)
        pending = await s.stores.deliveries.count_pending(webhook.id, limit=MAX_PENDING)
    return render(
        request,
        "webhook.html",
        after=after,
        card=webhook_card(s, webhook),
        webhook=webhook_shape(webhook),
        bin=own_bin(s, webhook.destination),
        samples=samples.SAMPLES,
        schedules=tuple(retries.SCHEDULES),
        words=retries.RETRY_ON,
        overlaps=STYLES[webhook.signature_style].several,
        pending=pending,
        most_pending=MAX_PENDING,
        state=state,
        states=list(DeliveryState),
        deliveries=[listed(row) for row in found.rows],
        older=found.next_before,
        before=before,
    )


def own_bin(s: Services, destination: str) -> Bin | None:
    """The bin of ours that a destination leads to."""
    if not s.site.addresses.is_own_bin(destination):
        return None
    return s.stores.bins.find(urlsplit(destination).path.removeprefix("/b/").partition("/")[0])


def _state(text: str | None) -> DeliveryState | None:
    return DeliveryState(text) if text in list(DeliveryState) else None
