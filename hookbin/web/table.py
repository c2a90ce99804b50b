"""Every route of the JSON API, once. `/openapi.json` and `/docs` are made from this table."""

from __future__ import annotations

from typing import Any

from hookbin import errors
from hookbin.web import documentation, stream
from hookbin.web.api import bins, deliveries, events, operations, paging, requests, shapes, webhooks
from hookbin.web.routing import Route

_BODY_ERRORS = (
    errors.NoBody,
    errors.BrokenJson,
    errors.UnsupportedMediaType,
    errors.BodyTooLarge,
    errors.FieldsInvalid,
)
_LIST: dict[str, Any] = {"query": paging.PageQuery, "raises": (errors.FieldsInvalid,)}

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST", path="/bins", handler=bins.create, tag="bins",
        summary="Make a bin", body=shapes.NewBin, body_optional=True, answer=shapes.BinShape, status=201,
        description="Every field has a default; an empty body makes a bin whose address is its random id.",
        raises=(*_BODY_ERRORS[1:], errors.NameTaken),
    ),
    Route(
        method="GET", path="/bins", handler=bins.index, tag="bins",
        summary="List the bins", answer=shapes.Page[shapes.BinShape],
        description="Newest first.", **_LIST,
    ),
    Route(
        method="GET", path="/bins/{bin}", handler=bins.read, tag="bins",
        summary="Read a bin", answer=shapes.BinShape,
        description="By name or id.", raises=(errors.BinNotFound,),
    ),
    Route(
        method="PATCH", path="/bins/{bin}", handler=bins.change, tag="bins",
        summary="Change a bin", body=shapes.BinChange, answer=shapes.BinShape,
        description="What is left out stays as it is; null puts the default back.",
        raises=(*_BODY_ERRORS, errors.BinNotFound, errors.NameTaken),
    ),
    Route(
        method="DELETE", path="/bins/{bin}", handler=bins.delete, tag="bins",
        summary="Delete a bin", status=204,
        description="The bin and everything it captured are gone at once.", raises=(errors.BinNotFound,),
    ),
    Route(
        method="GET", path="/bins/{bin}/requests", handler=requests.index, tag="requests",
        summary="List what a bin captured", answer=shapes.Page[shapes.RequestRow],
        description="Newest first, without headers and bodies.",
        query=paging.PageQuery, raises=(errors.FieldsInvalid, errors.BinNotFound),
    ),
    Route(
        method="GET", path="/requests/{request}", handler=requests.read, tag="requests",
        summary="Read a captured request", answer=shapes.RequestShape,
        description="With its headers and up to 256 KiB of its body.", raises=(errors.RequestNotFound,),
    ),
    Route(
        method="GET", path="/requests/{request}/body", handler=requests.body, tag="requests",
        summary="Download a captured body", answer=bytes, answer_media="application/octet-stream",
        description="The bytes as they came, as an attachment that no browser renders.",
        raises=(errors.RequestNotFound,),
    ),
    Route(
        method="POST", path="/webhooks", handler=webhooks.create, tag="webhooks",
        summary="Register a webhook", body=shapes.NewWebhook, answer=shapes.WebhookShape, status=201,
        description="Needs a name and a destination. The answer is the one that shows the secret unasked. "
        "`webhook.ping` is sent at once unless `ping` is false.",
        raises=(*_BODY_ERRORS, errors.TargetRefused),
    ),
    Route(
        method="GET", path="/webhooks", handler=webhooks.index, tag="webhooks",
        summary="List the webhooks", answer=shapes.Page[shapes.WebhookShape],
        description="Newest first.", **_LIST,
    ),
    Route(
        method="GET", path="/webhooks/{webhook}", handler=webhooks.read, tag="webhooks",
        summary="Read a webhook", query=webhooks.ReadQuery, answer=shapes.WebhookShape,
        description="The secret only with `?secret=true`.", raises=(errors.FieldsInvalid, errors.WebhookNotFound),
    ),
    Route(
        method="PATCH", path="/webhooks/{webhook}", handler=webhooks.change, tag="webhooks",
        summary="Change a webhook", body=shapes.WebhookChange, answer=shapes.WebhookShape,
        description="What is left out stays; null puts the default back. Disabling cancels what is pending.",
        raises=(*_BODY_ERRORS, errors.TargetRefused, errors.WebhookNotFound),
    ),
    Route(
        method="DELETE", path="/webhooks/{webhook}", handler=webhooks.delete, tag="webhooks",
        summary="Delete a webhook", status=204,
        description="Cancels what is pending; the deliveries made so far stay in the log.",
        raises=(errors.WebhookNotFound,),
    ),
    Route(
        method="POST", path="/events", handler=events.publish, tag="events",
        summary="Publish an event", query=events.PublishQuery, body=shapes.NewEvent, raw_body=True,
        answer=shapes.EventInList, status=202,
        headers=(("Idempotency-Key", "1 to 255 visible ASCII characters; a repeat under one key sends nothing."),),
        description="As JSON with `type` and `data`, or any body at all with `?type=`. Answered once the event and a "
        "delivery for each webhook that wants it are committed. With an `Idempotency-Key` header a repeat gives the "
        "first event back and sends nothing.",
        raises=(*_BODY_ERRORS, errors.IdempotencyMismatch, errors.LoopDetected),
    ),
    Route(
        method="GET", path="/events", handler=events.index, tag="events",
        summary="List the events", answer=shapes.Page[shapes.EventInList],
        description="Newest first, without bodies.", **_LIST,
    ),
    Route(
        method="GET", path="/events/{event}", handler=events.read, tag="events",
        summary="Read an event", answer=shapes.EventShape,
        description="With its body as every delivery sends it.", raises=(errors.EventNotFound,),
    ),
    Route(
        method="GET", path="/deliveries", handler=deliveries.index, tag="deliveries",
        summary="List the deliveries", query=deliveries.ListQuery, answer=shapes.Page[shapes.DeliveryRow],
        description="Newest first, without attempts.", raises=(errors.FieldsInvalid,),
    ),
    Route(
        method="GET", path="/deliveries/{delivery}", handler=deliveries.read, tag="deliveries",
        summary="Read a delivery", answer=shapes.DeliveryShape,
        description="With every attempt as it went over the wire and a sentence on how it stands.",
        raises=(errors.DeliveryNotFound,),
    ),
    Route(
        method="POST", path="/deliveries/{delivery}/retry", handler=deliveries.retry, tag="deliveries",
        summary="Retry a delivery now", answer=shapes.DeliveryRow, status=202,
        description="One manual attempt, at once. Not for one that has succeeded or is being sent.",
        raises=(errors.DeliveryNotFound, errors.NotRetryable, errors.AttemptInFlight),
    ),
    Route(
        method="GET", path="/stream", handler=stream.stream, tag="stream",
        summary="Follow everything live", query=stream.StreamQuery, answer=str, answer_media="text/event-stream",
        headers=(("Last-Event-ID", "The last `seq` that was seen; what came since is sent first."),),
        description="Server-sent events: `request`, `event`, `attempt` with their `seq` as id, `bin` and `webhook` "
        "without one, and `gap` when more was missed than is sent again (1,000 rows of these, 20,000 of all).",
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
        method="GET", path="/openapi.json", handler=documentation.openapi, query=None, tag="operations",
        summary="This API as OpenAPI 3.1", answer=dict[str, Any],
        description="Made from the same table that decodes the calls.",
    ),
    Route(
        method="GET", path="/docs", handler=documentation.docs, query=None, tag="operations",
        summary="This API as a page", answer=str, answer_media="text/html",
        description="For people.",
    ),
)  # fmt: skip
