"""A bin: its requests as a list that can be searched, and beside it the one that the URL selects."""

from __future__ import annotations

import re
from contextlib import nullcontext
from functools import partial
from heapq import nlargest

from starlette.requests import Request
from starlette.responses import Response

from hookbin.conditions.filters import NO_FILTER, RequestFilter, unsearched_words
from hookbin.models.bins import Bin
from hookbin.shapes.requests import request_row
from hookbin.store.search import Found
from hookbin.web.api.filtering import FilterQuery, to_filter
from hookbin.web.html.headlines import with_headlines
from hookbin.web.html.list_filter import read_filter
from hookbin.web.html.rendering import render
from hookbin.web.html.timeline_lines import EMPTY
from hookbin.web.pages.cards import bin_card, bin_used_at
from hookbin.web.pages.request import find, in_detail, tab_of
from hookbin.web.rest.services import Services, services

ROWS = 24
BINS = 30
"""Bins that are listed beside, those that got something last."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ANSWERS = ("2xx", "3xx", "4xx", "5xx")
FIELDS = (
    ("path", "Path below the bin", "orders/*"),
    ("header", "Header", "x-github-event:push"),
    ("query", "Query parameter", "id:7*"),
    ("json", "JSON value", "data.id==7"),
    ("form", "Form field", "name:a*"),
    ("since", "Since", "-1h, or a time"),
    ("until", "Until", "-5m, or a time"),
)
"""What a filter can be made of: its name, its label, and how it is written."""
SEVERAL = ("header", "query", "json", "form")
"""Those of which more than one can be set."""
SIGNATURES = (("", "any"), ("ok", "good"), ("failed", "bad"), ("unsigned", "lacking"), ("unchecked", "not checked"))


async def page(request: Request) -> Response:
    s = services(request)
    bin = s.stores.bins.get(request.path_params["bin"])
    after = s.live.timeline.position  # what is counted and listed is as of then: the stream brings the rest
    shape, others = s.stores.bin_shape(bin), [bin_card(s, other) for other in _lately(s)]
    before = _number(request.query_params.get("before"))
    now = s.site.clock.now()
    filters, wanted = read_filter(
        request.query_params, FilterQuery, lambda query: to_filter(query, now=now), otherwise=NO_FILTER
    )
    chosen, tab = request.query_params.get("request"), tab_of(request)
    searches = wanted != NO_FILTER  # which takes long, and reads elsewhere
    async with nullcontext() if searches else s.stores.database.snapshot():
        found = await _found(s, bin, wanted, after + 1 if before is None else before)
        rows = found.rows
        selected = await find(s, chosen, bin) if chosen else await s.stores.requests.get(rows[0].seq) if rows else None
    return render(
        request,
        "bin.html",
        after=after,
        bin=shape,
        others=others,
        methods=METHODS,
        answers=ANSWERS,
        filters=filters,
        rows_list=await with_headlines([request_row(row) for row in rows], s.stores.requests),
        fields=FIELDS if request.query_params.get("fields") or filters.complaint else (),
        several=SEVERAL,
        signatures=SIGNATURES,
        older=found.next_before,
        places=found.places,
        unsearched=unsearched_words(found.longer),
        before=before,
        chosen=chosen is not None,
        tab=tab,
        selected=None if selected is None else await in_detail(s, selected, request.query_params, tab=tab),
        blank=EMPTY,
    )


async def _found(s: Services, bin: Bin, wanted: RequestFilter, before: int) -> Found:
    """A page of the list."""
    if wanted != NO_FILTER:
        return await s.stores.search.find(bin, wanted, limit=ROWS, before=before)
    rows = await s.stores.requests.list(bin, limit=ROWS + 1, before=before)
    return Found(rows[:ROWS], rows[ROWS - 1].seq if len(rows) > ROWS else None)


def _lately(s: Services) -> list[Bin]:
    return nlargest(BINS, s.stores.bins.all(), key=partial(bin_used_at, s))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None
