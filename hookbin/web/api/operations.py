"""For whoever runs the server: is it alive, can it write, what has it done."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import RedirectResponse, Response

from hookbin import __version__
from hookbin.errors import NotReady, StorageFailed
from hookbin.live import metrics
from hookbin.shapes.common import Page, Status
from hookbin.shapes.refusals import RefusalShape, refusal_shape
from hookbin.web.rest.openapi import document
from hookbin.web.rest.route import Call, raises
from hookbin.web.rest.routing import routes_of


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are."""

    name: str
    version: str
    links: dict[str, str]


async def root(call: Call[Any, None]) -> Index | Response:
    """Find your way.

    Links as JSON; a browser is sent to the page.
    """
    if "text/html" in call.request.headers.get("accept", ""):
        return RedirectResponse("/ui/", status_code=303)
    base = call.site.base_url
    paths = (
        "bins",
        "webhooks",
        "events",
        "deliveries",
        "refusals",
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
        name="hookbin",
        version=__version__,
        links={"page": f"{base}/ui/", "bin": call.site.addresses.of_bin("{bin}"), **links},
    )


async def healthz(call: Call[Any, None]) -> Status:
    """Is it alive?

    Answers without touching the database.
    """
    return Status()


async def refusals(call: Call[Any, None]) -> Page[RefusalShape]:
    """What was refused.

    The newest 200 messages that were no HTTP, or too large a head of one, and named no bin that there is; what names
    one is kept in it, with `malformed`. In memory only.
    """
    return Page(data=[refusal_shape(message) for message in call.live.refusals.newest])


@raises(NotReady)
async def readyz(call: Call[Any, None]) -> Status:
    """Can it write?

    Commits a write to the database; if that fails, says why.
    """
    try:
        await call.stores.database.probe()
    except StorageFailed as error:
        raise NotReady(error.detail) from error
    return Status()


async def show_metrics(call: Call[Any, None]) -> Response:
    """Numbers for Prometheus.

    In the text exposition format 0.0.4.
    """
    return Response(call.live.metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})


async def robots(call: Call[Any, None]) -> Response:
    """Keep crawlers out.

    Asks all robots to stay away.
    """
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")


async def openapi(call: Call[Any, None]) -> dict[str, Any]:
    """This API as OpenAPI 3.1.

    Made from the same table that decodes the calls.
    """
    return document(routes_of(call.request), call.site.base_url)
