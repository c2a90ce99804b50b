"""All bins and all webhooks, found by name and in the order that is asked for, with what they did lately."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from msgspec import Struct
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from hookbin.models.bins import Bin
from hookbin.models.webhooks import Webhook
from hookbin.web.html.rendering import render
from hookbin.web.pages.cards import bin_card, bin_used_at, webhook_card, webhook_used_at
from hookbin.web.pages.webhook import MAX_PENDING
from hookbin.web.rest.services import Services, services

T = TypeVar("T", Bin, Webhook)

ROWS = 50
MAX_WORDS = 200
"""Characters of what is looked for in names."""


class Listing(Struct, Generic[T], frozen=True, kw_only=True):
    """What a list shows: memory holds all that there are, so they are counted and sorted at once."""

    rows: Sequence[T]
    total: int
    found: int
    q: str
    sort: str
    sorts: dict[str, str]
    """What it can be sorted by, with the words for it; the first is the usual one."""
    number: int
    """Of the page, from 1."""

    @property
    def pages(self) -> int:
        return max(1, -(-self.found // ROWS))


def listing(
    all: Sequence[T],
    query: QueryParams,
    *,
    words: Callable[[T], str],
    orders: dict[str, tuple[str, Callable[[T], Any]]],
) -> Listing[T]:
    """The page that the query asks for, of those whose words hold its text."""
    q = query.get("q", "").strip()[:MAX_WORDS]
    sort = query.get("sort", "")
    sort = sort if sort in orders else next(iter(orders))
    found = sorted((each for each in all if q.casefold() in words(each).casefold()), key=orders[sort][1])
    number = int(query["page"]) if re.fullmatch("[1-9][0-9]{0,5}", query.get("page", "")) else 1
    return Listing(
        rows=found[(number - 1) * ROWS : number * ROWS],
        total=len(all),
        found=len(found),
        q=q,
        sort=sort,
        sorts={name: label for name, (label, _) in orders.items()},
        number=number,
    )


def find_bins(s: Services, query: QueryParams) -> Listing[Bin]:
    orders: dict[str, tuple[str, Callable[[Bin], Any]]] = {
        "used": ("used last", lambda bin: -bin_used_at(s, bin)),
        "name": ("by name", _bin_name),
        "requests": ("most requests", lambda bin: -s.stores.bins.count(bin)),
        "newest": ("newest", lambda bin: -bin.key),
    }
    return listing(s.stores.bins.all(), query, words=lambda bin: f"{bin.name or ''}\n{bin.id}", orders=orders)


def find_webhooks(s: Services, query: QueryParams) -> Listing[Webhook]:
    orders: dict[str, tuple[str, Callable[[Webhook], Any]]] = {
        "used": ("used last", lambda webhook: -webhook_used_at(s, webhook)),
        "name": ("by name", lambda webhook: webhook.name.casefold()),
        "worst": ("worst first", partial(_health, s)),
        "newest": ("newest", lambda webhook: -webhook.created_at),
    }
    return listing(s.stores.webhooks.all(), query, words=_webhook_words, orders=orders)


async def bins(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position
    found = find_bins(s, request.query_params)
    return render(request, "bins.html", after=after, found=found, cards=[bin_card(s, bin) for bin in found.rows])


async def webhooks(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position
    found = find_webhooks(s, request.query_params)
    async with s.stores.database.snapshot():
        pending = [await s.stores.deliveries.count_pending(webhook.id, limit=MAX_PENDING) for webhook in found.rows]
    return render(
        request,
        "webhooks.html",
        after=after,
        found=found,
        cards=list(zip([webhook_card(s, webhook) for webhook in found.rows], pending, strict=True)),
        most_pending=MAX_PENDING,
    )


def _bin_name(bin: Bin) -> tuple[bool, str]:
    """Those that have a name first."""
    return (bin.name is None, bin.name or bin.id)


def _webhook_words(webhook: Webhook) -> str:
    return f"{webhook.name}\n{webhook.destination}\n{webhook.id}"


def _health(s: Services, webhook: Webhook) -> tuple[int, int]:
    """The less of its attempts succeeded the sooner, then those of which nothing is known, the used ones first."""
    percent = s.live.activity.health(webhook.id).percent
    return (101 if percent is None else percent, -webhook_used_at(s, webhook))
