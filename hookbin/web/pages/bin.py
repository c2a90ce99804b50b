"""A bin: its requests as a list that can be searched, and beside it the one that the URL selects."""

from __future__ import annotations

import re
from contextlib import nullcontext
from urllib.parse import urlencode

from msgspec import Struct
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from hookbin.conditions.filters import NO_FILTER, RequestFilter, unsearched_words
from hookbin.errors import FieldsInvalid
from hookbin.models.bins import Bin
from hookbin.shapes.requests import request_row
from hookbin.store.search import Found
from hookbin.web.api.filtering import FilterQuery, to_filter
from hookbin.web.html.headlines import with_headlines
from hookbin.web.html.rendering import render
from hookbin.web.html.timeline_lines import EMPTY
from hookbin.web.pages.cards import bin_card
from hookbin.web.pages.request import find, in_detail, tab_of
from hookbin.web.rest.routing import decode_pairs
from hookbin.web.rest.services import Services, services

ROWS = 24
BINS = 30
"""Bins that are listed beside, those that got something last."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ANSWERS = ("2xx", "3xx", "4xx", "5xx")


class ListFilter(Struct, frozen=True, kw_only=True):
    """What the list is narrowed to, as the URL has it."""

    values: dict[str, str]
    wanted: RequestFilter
    complaint: str | None = None
    """Why the URL's filter can't be used; then everything is shown."""

    @property
    def keep(self) -> str:
        """The filter as the beginning of a query."""
        return f"{urlencode(self.values)}&" if self.values else ""

    def with_(self, name: str, value: str) -> str:
        """The query of the same filter with one value set, or taken away if it is set already."""
        values = {**self.values, name: value} if self.values.get(name) != value else {**self.values}
        if self.values.get(name) == value:
            del values[name]
        return urlencode(values)


async def page(request: Request) -> Response:
    s = services(request)
    bin = s.stores.bins.get(request.path_params["bin"])
    after = s.live.timeline.position  # what is counted and listed is as of then: the stream brings the rest
    shape, others = s.stores.bin_shape(bin), [bin_card(s, other) for other in _lately(s)]
    before = _number(request.query_params.get("before"))
    filters = _list_filter(s, request.query_params)
    chosen, tab = request.query_params.get("request"), tab_of(request)
    searches = filters.wanted != NO_FILTER  # which takes long, and reads elsewhere
    async with nullcontext() if searches else s.stores.database.snapshot():
        found = await _found(s, bin, filters.wanted, after + 1 if before is None else before)
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
        older=found.next_before,
        places=found.places,
        unsearched=unsearched_words(found.longer),
        before=before,
        chosen=chosen is not None,
        tab=tab,
        selected=None if selected is None else await in_detail(s, selected, request.query_params, tab=tab),
        blank=EMPTY,
    )


def _list_filter(s: Services, query: QueryParams) -> ListFilter:
    pairs = [(name, value) for name, value in query.multi_items() if name in FilterQuery.__struct_fields__ and value]
    try:
        wanted = to_filter(decode_pairs(pairs, FilterQuery), now=s.site.clock.now())
    except FieldsInvalid as error:
        return ListFilter(values=dict(pairs), wanted=NO_FILTER, complaint=error.detail)
    return ListFilter(values=dict(pairs), wanted=wanted)


async def _found(s: Services, bin: Bin, wanted: RequestFilter, before: int) -> Found:
    """A page of the list."""
    if wanted != NO_FILTER:
        return await s.stores.search.find(bin, wanted, limit=ROWS, before=before)
    rows = await s.stores.requests.list(bin, limit=ROWS + 1, before=before)
    return Found(rows[:ROWS], rows[ROWS - 1].seq if len(rows) > ROWS else None)


def _lately(s: Services) -> list[Bin]:
    bins = s.stores.bins
    return sorted(bins.all(), key=lambda bin: bins.last_at(bin) or bin.created_at, reverse=True)[:BINS]


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None
