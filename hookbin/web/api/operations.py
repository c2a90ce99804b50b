"""For whoever runs the server: is it alive, can it write, what has it done."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import RedirectResponse, Response

from hookbin import __version__
from hookbin.live import metrics
from hookbin.shapes import Status
from hookbin.web.rest.openapi import document
from hookbin.web.rest.routing import Call, routes_of


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are."""

    name: str
    version: str
    links: dict[str, str]


async def root(call: Call[None, None]) -> Index | Response:
    if "text/html" in call.request.headers.get("accept", ""):
        return RedirectResponse("/ui/", status_code=303)
    base = call.site.base_url
    paths = (
        "bins",
        "webhooks",
        "events",
        "deliveries",
        "catalogue",
        "stream",
        "docs",
        "openapi.json",
        "healthz",
        "readyz",
        "metrics",
    )
    links = {path.partition(".")[0]: f"{base}/{path}" for path in paths}
    return Index(
        name="hookbin", version=__version__, links={"page": f"{base}/ui/", "bin": f"{base}/b/{{bin}}", **links}
    )


async def healthz(call: Call[None, None]) -> Status:
    return Status()


async def readyz(call: Call[None, None]) -> Status:
    """Writes, and so finds a full disk or a database that went away."""
    await call.stores.database.probe()
    return Status()


async def show_metrics(call: Call[None, None]) -> Response:
    return Response(call.live.metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})


async def robots(call: Call[None, None]) -> Response:
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")


async def openapi(call: Call[None, None]) -> dict[str, Any]:
    return document(routes_of(call.request), call.site.base_url)
