"""The overview: both halves as one live list, and what there is to send and to receive with."""

from __future__ import annotations

from functools import partial
from heapq import nlargest

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from hookbin.names import META_EVENTS
from hookbin.shapes.deliveries import AttemptRow
from hookbin.shapes.events import EventRow
from hookbin.shapes.refusals import refusal_shape
from hookbin.shapes.requests import RequestRow
from hookbin.store.requests import RequestStore
from hookbin.web.html.headlines import with_headlines
from hookbin.web.html.rendering import render
from hookbin.web.html.timeline_lines import EMPTY, TimelineLine, timeline_lines
from hookbin.web.pages.cards import bin_card, bin_used_at, webhook_card, webhook_used_at
from hookbin.web.pages.new import Draft, forms
from hookbin.web.rest.services import services

SHOWN = 40
"""Lines of the timeline."""
READ = 2 * SHOWN
"""Rows of the log that they are made from: of what hookbin tells of itself there may be as much as of all else."""
SEARCHED = 2_000
"""Rows of the log, the newest, that a filter looks through."""
CARDS = 20
"""Bins and webhooks that are listed beside it; of each, those used last."""
SHOWS = {"all": "Everything", "sent": "Sent", "received": "Received", "problems": "Problems"}


class Filter(Struct, frozen=True, kw_only=True):
    """Which lines are wanted. overview.js knows the same rules for what comes later."""

    show: str = "all"
    q: str = ""
    meta: bool = False
    """Whether what hookbin tells of itself is shown also where no text asks for it."""

    def takes(self, line: TimelineLine) -> bool:
        return any(self._takes(half) for half in (line.event, line.attempt, line.request) if half is not None)

    def _takes(self, half: EventRow | AttemptRow | RequestRow) -> bool:
        if isinstance(half, EventRow) and half.type in META_EVENTS and not self.meta and not self.q:
            return False
        return _is_shown(half, self.show) and (not self.q or self.q.casefold() in _words(half).casefold())


async def page(request: Request) -> Response:
    s = services(request)
    after = s.live.timeline.position  # what is counted and listed is as of then: the stream brings the rest
    wanted = filter_of(request.query_params)
    filtered, problems = wanted != Filter(), wanted.show == "problems"
    bins = [bin_card(s, bin) for bin in nlargest(CARDS, s.stores.bins.all(), key=partial(bin_used_at, s))]
    busy_webhooks = nlargest(CARDS, s.stores.webhooks.all(), key=partial(webhook_used_at, s))
    webhooks = [webhook_card(s, webhook) for webhook in busy_webhooks]
    rows = await s.stores.log.newest(limit=SEARCHED if filtered else READ, upto=after)
    lines = [line for line in timeline_lines(rows) if wanted.takes(line)]
    bin_total, webhook_total = len(s.stores.bins.all()), len(s.stores.webhooks.all())
    lines = await _with_headlines(lines[: SHOWN + 1], s.stores.requests)
    empty = not lines and not filtered and not bin_total and not webhook_total
    return render(
        request,
        "overview.html",
        empty=empty,
        after=after,
        filter=wanted,
        filtered=filtered,
        shows=SHOWS,
        lines=lines[:SHOWN],
        cut=len(lines) > SHOWN or len(rows) == (SEARCHED if filtered else READ),
        searched=SEARCHED,
        bins=bins,
        bin_total=bin_total,
        webhooks=webhooks,
        webhook_total=webhook_total,
        blank=EMPTY,
        meta_events=sorted(META_EVENTS),
        refusals=[refusal_shape(row) for row in s.live.refusals.newest[:CARDS]] if problems else [],
        trouble=s.stores.database.trouble,
        lacks=s.delivering.dispatcher.lacks.newest if problems else [],
        **(forms(s, Draft()) if empty else {}),
    )


async def _with_headlines(lines: list[TimelineLine], requests: RequestStore) -> list[TimelineLine]:
    rows = await with_headlines([line.request for line in lines if line.request is not None], requests)
    by_seq = {row.seq: row for row in rows}
    return [
        line if line.request is None else msgspec.structs.replace(line, request=by_seq[line.request.seq])
        for line in lines
    ]


def filter_of(query: QueryParams) -> Filter:
    """The filter in the URL; what makes no sense is left out."""
    show = query.get("show", "all")
    return Filter(show=show if show in SHOWS else "all", q=query.get("q", "").strip()[:200], meta="meta" in query)


def _is_shown(half: EventRow | AttemptRow | RequestRow, show: str) -> bool:
    if show == "received":
        return isinstance(half, RequestRow)
    if show == "sent":
        return not isinstance(half, RequestRow)
    return show == "all" or _is_problem(half)


def _is_problem(half: EventRow | AttemptRow | RequestRow) -> bool:
    if isinstance(half, AttemptRow):
        return half.error is not None or (half.status or 0) >= 300
    if isinstance(half, RequestRow):
        failed = half.answer is None or half.answer.fault is not None or (half.answer.status or 0) >= 400
        return failed or half.truncated or half.signature.state == "failed"
    return False


def _words(half: EventRow | AttemptRow | RequestRow) -> str:
    """What a text is looked for in."""
    if isinstance(half, AttemptRow):
        return f"{half.event_type}\n{half.webhook_name}\n{half.status or half.error}\n{half.delivery_id}"
    if isinstance(half, RequestRow):
        return f"{half.method} {half.target}\n{half.content_type or ''}\n{half.id}"
    return f"{half.type}\n{half.id}"
