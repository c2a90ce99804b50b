"""The settings of a bin: a page that reads without JavaScript, and what the dialog of the bin's page is made of."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hookbin.answers.handshakes import HANDSHAKES
from hookbin.answers.offers import offers_of, when_of
from hookbin.answers.presets import PRESETS, Preset
from hookbin.conditions.incoming import captured
from hookbin.models.answers import BinResponse
from hookbin.models.requests import RequestSummary
from hookbin.shapes.requests import request_row
from hookbin.signatures.schemes import SCHEMES
from hookbin.web.html.rendering import render
from hookbin.web.pages.request import find
from hookbin.web.rest.services import services

RECENT = 20
"""Requests that an answer can be tried on, the newest."""
_KINDS = (("handshake", "Handshakes"), ("cors", "CORS"), ("chance", "By chance"), ("sequence", "In turn"),
          ("fault", "Faults"))  # fmt: skip
"""What a preset is for, by the first of these that it sets."""


async def page(request: Request) -> Response:
    s = services(request)
    bin = s.stores.bins.get(request.path_params["bin"])
    shape, chosen = s.stores.bin_shape(bin), request.query_params.get("request")
    async with s.stores.database.snapshot():
        newest = await s.stores.requests.list(bin, limit=RECENT, before=s.live.timeline.position + 1)
        rows = [row for row in newest if _is_whole(row)]
        found = await find(s, chosen, bin) if chosen else await s.stores.requests.get(rows[0].seq) if rows else None
    if found is not None and found.seq not in {row.seq for row in rows}:
        rows.append(found)
    seen = None if found is None else captured(found)
    offered = [] if seen is None else offers_of(seen)
    return render(
        request,
        "bin_settings.html",
        bin=shape,
        default=BinResponse(),
        targets_json=msgspec.json.encode(shape.forward).decode(),
        response_json=msgspec.json.format(msgspec.json.encode(shape.response), indent=2).decode(),
        presets_by_kind=list(_by_kind(PRESETS)),
        handshakes=HANDSHAKES,
        schemes=tuple(SCHEMES.values()),
        recent=[request_row(row) for row in rows],
        chosen=None if found is None else request_row(found),
        offered=offered,
        when_json=None if seen is None else msgspec.json.encode(when_of(seen, offered)).decode(),
    )


def _is_whole(row: RequestSummary) -> bool:
    return row.malformed is None and not (row.truncated or row.incomplete)


def _by_kind(presets: Iterable[Preset]) -> Iterable[tuple[str, list[Preset]]]:
    def kind(preset: Preset) -> str:
        return next((title for name, title in _KINDS if getattr(preset.response, name)), "One answer")

    for title, group in groupby(sorted(presets, key=kind), key=kind):
        yield title, list(group)
