"""Two captured requests side by side, with what differs."""

from __future__ import annotations

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from hookbin.shapes.request_diff import difference
from hookbin.shapes.requests import request_row
from hookbin.web.html.rendering import render
from hookbin.web.pages.request import find
from hookbin.web.rest.services import services


async def page(request: Request) -> Response:
    s = services(request)
    async with s.stores.database.snapshot():
        left = await find(s, request.path_params["id"])
        right = await find(s, request.path_params["other"])
    return render(
        request,
        "compare.html",
        left=request_row(left),
        right=request_row(right),
        right_href=f"/ui/requests/{request.path_params['other']}",
        names=("First", "Second"),
        title="Two requests compared",
        bin=s.stores.bins.find(left.bin_id),
        diff=await to_thread.run_sync(difference, left, right),
    )
