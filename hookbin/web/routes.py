"""Every route, once: of the JSON API, of the pages, and of signing in.

The API's table says only what its handlers can't; `/openapi.json` and `/docs` are made from it.
"""

from __future__ import annotations

from starlette.routing import Route as PageRoute

from hookbin.web.api import (
    backup,
    bins,
    deliveries,
    events,
    exports,
    operations,
    requests,
    sessions,
    stream,
    undo,
    views,
    wait,
    webhooks,
)
from hookbin.web.pages import (
    bin,
    bin_settings,
    compare,
    console,
    delivery,
    documentation,
    event,
    find,
    lists,
    new,
    overview,
    replay,
    request,
    sending,
    server,
    thread,
    webhook,
)
from hookbin.web.pages import sessions as sessions_page
from hookbin.web.rest.route import DELETE, GET, PATCH, POST, Route, tagged
from hookbin.web.security import access

_AT_ONCE = ((204, "Without `undo`: it is gone."),)
_DOWNLOAD = "application/octet-stream"

API: tuple[Route, ...] = (
    *tagged(
        "bins",
        POST("/bins", bins.create, status=201, body_optional=True),
        GET("/bins", bins.index),
        GET("/bins/{bin}", bins.read),
        PATCH("/bins/{bin}", bins.change),
        POST("/bins/{bin}/sequence/reset", bins.reset_sequence),
        POST("/bins/{bin}/try", bins.try_answer),
        DELETE("/bins/{bin}", bins.delete, others=_AT_ONCE),
        GET("/presets", bins.presets),
    ),
    *tagged(
        "requests",
        GET("/bins/{bin}/requests", requests.index),
        DELETE("/bins/{bin}/requests", requests.clear),
        GET("/bins/{bin}/wait", wait.wait),
        PATCH("/requests/{request}", requests.change),
        DELETE("/requests/{request}", requests.delete, others=_AT_ONCE),
        GET("/requests/{request}", requests.read),
        GET("/requests/{request}/body", requests.body, media=_DOWNLOAD),
        GET("/requests/{request}/views", views.list_views),
        GET("/requests/{request}/views/{view}", views.read_view),
        GET("/requests/{request}/decoded", views.decoded, media=_DOWNLOAD),
        GET("/requests/{request}/parts/{number}", views.part, media=_DOWNLOAD),
        GET("/requests/{request}/image", views.picture, media="image/png"),
        GET("/requests/{request}/export", exports.of_request, media="*/*"),
        GET("/requests/{request}/diff/{other}", exports.diff),
        GET("/bins/{bin}/export", exports.of_bin, media="*/*"),
        POST("/requests/{request}/replay", requests.replay, status=202),
    ),
    *tagged(
        "webhooks",
        POST("/webhooks", webhooks.create, status=201),
        GET("/webhooks", webhooks.index),
        GET("/webhooks/{webhook}", webhooks.read),
        PATCH("/webhooks/{webhook}", webhooks.change),
        DELETE("/webhooks/{webhook}", webhooks.delete, others=_AT_ONCE),
        POST("/webhooks/{webhook}/rotate-secret", webhooks.rotate_secret, body_optional=True),
        POST("/webhooks/{webhook}/recover", webhooks.recover, status=202),
        POST("/webhooks/{webhook}/test", webhooks.send_sample, status=202, body_optional=True),
        GET("/catalogue", webhooks.list_samples),
    ),
    *tagged(
        "events",
        POST("/events", events.publish, status=202, raw_body=True),
        GET("/events", events.index),
        GET("/events/{event}", events.read),
        POST("/events/{event}/replay", events.replay, status=202, body_optional=True),
    ),
    *tagged(
        "deliveries",
        GET("/deliveries", deliveries.index),
        GET("/deliveries/{delivery}", deliveries.read),
        GET("/deliveries/{delivery}/export", exports.of_delivery, media="*/*"),
        POST("/deliveries/{delivery}/retry", deliveries.retry, status=202),
        POST("/deliveries/{delivery}/cancel", deliveries.cancel),
    ),
    *tagged("undo", POST("/undo/{undo}", undo.undo)),
    *tagged(
        "sessions",
        GET("/sessions", sessions.index),
        DELETE("/sessions/{session}", sessions.end),
    ),
    *tagged("stream", GET("/stream", stream.stream, media="text/event-stream")),
    *tagged(
        "operations",
        GET("/", operations.root, others=((303, "To the page, for one that accepts text/html."),)),
        GET("/healthz", operations.healthz),
        GET("/readyz", operations.readyz),
        GET("/refusals", operations.refusals),
        GET("/metrics", operations.show_metrics, media="text/plain"),
        GET("/backup", backup.backup, media=_DOWNLOAD),
        GET("/robots.txt", operations.robots, media="text/plain"),
        GET("/openapi.json", operations.openapi),
        GET("/docs", documentation.docs, media="text/html"),
    ),
)

PAGES: tuple[PageRoute, ...] = (
    PageRoute("/ui", overview.page),
    PageRoute("/ui/", overview.page),
    PageRoute("/ui/bins", lists.bins),
    PageRoute("/ui/bins/{bin}", bin.page),
    PageRoute("/ui/bins/{bin}/settings", bin_settings.page),
    PageRoute("/ui/webhooks", lists.webhooks),
    PageRoute("/ui/webhooks/{id}", webhook.page),
    PageRoute("/ui/deliveries", sending.deliveries),
    PageRoute("/ui/events", sending.events),
    PageRoute("/ui/deliveries/{id}", delivery.page),
    PageRoute("/ui/events/{id}", event.page),
    PageRoute("/ui/events/{id}/changes", event.changes),
    PageRoute("/ui/requests/{id}", request.page),
    PageRoute("/ui/requests/{id}/diff/{other}", compare.page),
    PageRoute("/ui/requests/{id}/replay", replay.page),
    PageRoute("/ui/find", find.page),
    PageRoute("/ui/send", console.page),
    PageRoute("/ui/threads/{id}", thread.page),
    PageRoute("/ui/server", server.page),
    PageRoute("/ui/new", new.page, methods=["GET", "POST"]),
    PageRoute(sessions_page.PATH, sessions_page.page, methods=["GET", "POST"]),
    PageRoute(access.SIGN_IN, access.sign_in, methods=["GET", "POST"]),
    PageRoute("/ui/sign-out", access.sign_out, methods=["POST"]),
)
