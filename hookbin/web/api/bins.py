"""Bins: make, list, read, change, delete."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from hookbin.models import Bin, BinResponse
from hookbin.names import check_bin_name
from hookbin.responses import check_headers
from hookbin.web.api import paging, present, shapes
from hookbin.web.routing import Call
from hookbin.web.services import Services


async def create(call: Call[None, shapes.NewBin]) -> shapes.BinShape:
    wanted, settings = call.body, call.services.settings
    bin = await call.services.bins.create(
        name=None if wanted.name is None else check_bin_name(wanted.name),
        response=BinResponse() if wanted.response is UNSET else to_response(wanted.response),
        max_requests=settings.max_requests if wanted.max_requests is UNSET else wanted.max_requests,
        max_age=settings.max_age if wanted.max_age is UNSET else wanted.max_age,
    )
    return shape(call.services, bin)


async def index(call: Call[paging.PageQuery, None]) -> shapes.Page[shapes.BinShape]:
    before = paging.before_number("bin_", call.query.cursor)
    newest_first = reversed(call.services.bins.all())
    return paging.page(
        [bin for bin in newest_first if before is None or bin.key < before],
        limit=call.query.limit,
        cursor_of=lambda bin: paging.number_cursor("bin_", bin.key),
        shape=lambda bin: shape(call.services, bin),
    )


async def read(call: Call[None, None]) -> shapes.BinShape:
    return shape(call.services, call.services.bins.get(call.path["bin"]))


async def change(call: Call[None, shapes.BinChange]) -> shapes.BinShape:
    bin = call.services.bins.get(call.path["bin"])
    changes = _changes(call.body, call.services)
    changed = await call.services.bins.edit(bin, lambda now: msgspec.structs.replace(now, **changes))
    return shape(call.services, changed)


async def delete(call: Call[None, None]) -> None:
    await call.services.bins.delete(call.services.bins.get(call.path["bin"]))


def shape(services: Services, bin: Bin) -> shapes.BinShape:
    return present.bin_shape(bin, url=services.bin_url(bin.name or bin.id), request_count=services.bins.count(bin))


def to_response(response: shapes.Response) -> BinResponse:
    return BinResponse(
        status=response.status,
        headers=check_headers(tuple(response.headers), loc="response.headers"),
        body=response.body,
        delay_ms=response.delay_ms,
    )


def _changes(change: shapes.BinChange, services: Services) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if change.name is not UNSET:
        changes["name"] = None if change.name is None else check_bin_name(change.name)
    if change.response is not UNSET:
        changes["response"] = BinResponse() if change.response is None else to_response(change.response)
    if change.max_requests is not UNSET:
        changes["max_requests"] = change.max_requests or services.settings.max_requests
    if change.max_age is not UNSET:
        changes["max_age"] = change.max_age or services.settings.max_age
    return changes
