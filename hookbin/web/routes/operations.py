"""The stream, and what runs the server: links, health, numbers, documentation."""

from __future__ import annotations

from typing import Any

from hookbin import errors, shapes
from hookbin.web.api import operations, stream
from hookbin.web.pages import documentation
from hookbin.web.rest.routing import Route

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET", path="/stream", handler=stream.stream, tag="stream",
        summary="Follow everything live", query=stream.StreamQuery, answer=str, answer_media="text/event-stream",
        headers=(("Last-Event-ID", "The last `seq` that was seen; what came since is sent first."),),
        description="Server-sent events: `request`, `event`, `attempt` with their `seq` as id, `bin` and `webhook` "
        "without one, also a `request` whose note or pin was changed or that was deleted (`deleted`), and `gap` when more was missed than is sent again (1,000 rows of these, 20,000 of all).",
        raises=(errors.FieldsInvalid, errors.BinNotFound, errors.WebhookNotFound),
    ),
    Route(
        method="GET", path="/", handler=operations.root, query=None, tag="operations",
        summary="Find your way", answer=operations.Index,
        description="Links as JSON; a browser is sent to the page.",
        others=((303, "To the page, for one that accepts text/html."),),
    ),
    Route(
        method="GET", path="/healthz", handler=operations.healthz, query=None, tag="operations",
        summary="Is it alive?", answer=shapes.Status,
        description="Answers without touching the database.",
    ),
    Route(
        method="GET", path="/readyz", handler=operations.readyz, query=None, tag="operations",
        summary="Can it write?", answer=shapes.Status,
        description="Commits a write to the database.", raises=(errors.StorageFailed,),
    ),
    Route(
        method="GET", path="/metrics", handler=operations.show_metrics, query=None, tag="operations",
        summary="Numbers for Prometheus", answer=str, answer_media="text/plain",
        description="In the text exposition format 0.0.4.",
    ),
    Route(
        method="GET", path="/robots.txt", handler=operations.robots, query=None, tag="operations",
        summary="Keep crawlers out", answer=str, answer_media="text/plain",
        description="Asks all robots to stay away.",
    ),
    Route(
        method="GET", path="/openapi.json", handler=operations.openapi, query=None, tag="operations",
        summary="This API as OpenAPI 3.1", answer=dict[str, Any],
        description="Made from the same table that decodes the calls.",
    ),
    Route(
        method="GET", path="/docs", handler=documentation.docs, query=None, tag="operations",
        summary="This API as a page", answer=str, answer_media="text/html",
        description="For people.",
    ),
)  # fmt: skip
