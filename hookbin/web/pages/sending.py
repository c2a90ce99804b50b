"""All deliveries and all events: narrowed by what the URL says, a page at a time."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from hookbin.clock import parse_seq_id, seq_id
from hookbin.models.deliveries import DeliveryState, ErrorClass
from hookbin.shapes.events import event_row
from hookbin.store.sending_search import DeliveryFilter, EventFilter
from hookbin.web.api import deliveries as deliveries_api
from hookbin.web.api import events as events_api
from hookbin.web.html.list_filter import read_filter
from hookbin.web.html.rendering import render
from hookbin.web.rest.services import Services, services

ROWS = 50
OFFERED = 200
"""Webhooks whose names are offered in a filter, the newest."""


async def deliveries(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position

    def to_filter(query: deliveries_api.FilterQuery) -> DeliveryFilter:
        wanted = deliveries_api.to_filter(query, now=s.site.clock.now())
        return replace(wanted, webhook_id=_webhook_id(s, wanted.webhook_id))

    filters, wanted = read_filter(
        request.query_params, deliveries_api.FilterQuery, to_filter, otherwise=DeliveryFilter()
    )
    before = request.query_params.get("before")
    async with s.stores.database.snapshot():
        found = await s.stores.sending_search.deliveries(wanted, limit=ROWS, before=before)
    return render(
        request,
        "deliveries.html",
        after=after,
        filters=filters,
        rows=[deliveries_api.listed(row) for row in found.rows],
        older=found.next_before,
        before=before,
        error_classes=list(ErrorClass),
        **_offers(s),
    )


async def events(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position

    def to_filter(query: events_api.FilterQuery) -> EventFilter:
        wanted = events_api.to_filter(query, now=s.site.clock.now())
        asked_for = wanted.type is not None or request.query_params.get("meta") == "true"
        return replace(wanted, webhook_id=_webhook_id(s, wanted.webhook_id), meta=asked_for)

    filters, wanted = read_filter(
        request.query_params, events_api.FilterQuery, to_filter, otherwise=EventFilter(meta=False)
    )
    before = request.query_params.get("before")
    async with s.stores.database.snapshot():
        found = await s.stores.sending_search.events(
            wanted, limit=ROWS, before=None if before is None else parse_seq_id("evt_", before)
        )
        outcomes = await s.stores.sending_search.outcomes([row.id for row in found.rows])
    return render(
        request,
        "events.html",
        after=after,
        filters=filters,
        rows=[(event_row(row), outcomes[row.id]) for row in found.rows],
        older=None if found.next_before is None else seq_id("evt_", found.next_before),
        before=before,
        **_offers(s),
    )


def _webhook_id(s: Services, name_or_id: str | None) -> str | None:
    """The webhook that is named, the newest if several are; what names none is taken for an id."""
    named = (webhook.id for webhook in reversed(s.stores.webhooks.all()) if webhook.name == name_or_id)
    return next(named, name_or_id)


def _offers(s: Services) -> dict[str, Any]:
    return {
        "states": list(DeliveryState),
        "webhook_names": list(dict.fromkeys(each.name for each in s.stores.webhooks.all()[: -OFFERED - 1 : -1])),
    }
