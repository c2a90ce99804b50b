"""Finding anything by its name, its id or what it is called: a page of its own, which Ctrl K takes its list from."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from hookbin.clock import parse_seq_id
from hookbin.errors import FieldsInvalid
from hookbin.models.deliveries import delivery_of
from hookbin.names import check_event_type
from hookbin.web.html.rendering import render
from hookbin.web.pages.lists import MAX_WORDS, find_bins, find_webhooks
from hookbin.web.rest.services import Services, services

SHOWN = 6
"""Bins, and webhooks, that are shown of those found."""


class Place(Struct, frozen=True):
    """Where something is."""

    kind: str
    title: str
    href: str
    detail: str = ""


PLACES = (
    Place("Go to", "Overview", "/ui/"),
    Place("Go to", "Bins", "/ui/bins"),
    Place("Go to", "Webhooks", "/ui/webhooks"),
    Place("Go to", "Events", "/ui/events"),
    Place("Go to", "Deliveries", "/ui/deliveries"),
    Place("Go to", "Failed deliveries", "/ui/deliveries?state=failed"),
    Place("Make", "New bin", "/ui/new#bin"),
    Place("Make", "New webhook", "/ui/new#webhook"),
    Place("Make", "Send an event", "/ui/send"),
    Place("Go to", "API", "/docs"),
    Place("Go to", "Server", "/ui/server"),
)


async def page(request: Request) -> Response:
    s = services(request)
    q = request.query_params.get("q", "").strip()[:MAX_WORDS]
    places = [place for place in PLACES if q.casefold() in place.title.casefold()]
    named = [*_named(s, request)] if q else []
    by_id = await _by_id(s, q)
    return render(request, "find.html", q=q, places=[*by_id, *named, *places, *_of_type(q)])


def _named(s: Services, request: Request) -> Iterator[Place]:
    for bin in find_bins(s, request.query_params).rows[:SHOWN]:
        yield Place("Bin", bin.name or bin.id, f"/ui/bins/{bin.name or bin.id}", bin.id)
    for webhook in find_webhooks(s, request.query_params).rows[:SHOWN]:
        yield Place("Webhook", webhook.name, f"/ui/webhooks/{webhook.id}", webhook.destination)


async def _by_id(s: Services, id: str) -> list[Place]:
    """The event, delivery, attempt or request of that id."""
    async with s.stores.database.snapshot():
        if id.startswith("evt_") and (event := await s.stores.events.get(id)) is not None:
            return [Place("Event", event.type, f"/ui/events/{id}", id)]
        if id.startswith(("dlv_", "att_")):
            wanted, number = (delivery_of(id), id.rpartition("_")[2]) if id.startswith("att_") else (id, "")
            delivery = await s.stores.deliveries.get(wanted)
            if delivery is not None:
                href = f"/ui/deliveries/{delivery.id}" + (f"?attempt={number}" if number else "")
                return [Place("Delivery", f"{delivery.event_type} to {delivery.webhook_name}", href, id)]
        seq = parse_seq_id("req_", id)
        found = None if seq is None else await s.stores.requests.get(seq)
        if found is not None:
            return [Place("Request", f"{found.method} {found.target}", f"/ui/requests/{id}", id)]
    return []


def _of_type(q: str) -> list[Place]:
    """What has that in its type."""
    try:
        check_event_type(q)
    except FieldsInvalid:
        return []
    nouns = ("Events", "Deliveries")
    return [Place("Search", f"{noun} of type *{q}*", f"/ui/{noun.lower()}?type=*{q}*") for noun in nouns]
