"""Events."""

from __future__ import annotations

from hookbin import errors, shapes
from hookbin.web.api import events
from hookbin.web.rest.routing import Route
from hookbin.web.routes.common import BODY_ERRORS

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST", path="/events", handler=events.publish, tag="events",
        summary="Publish an event", query=events.PublishQuery, body=shapes.NewEvent, raw_body=True,
        answer=shapes.EventInList, status=202,
        headers=(("Idempotency-Key", "1 to 255 visible ASCII characters; a repeat under one key sends nothing."),),
        description="As JSON with `type` and `data`, or any body at all with `?type=`. Answered once the event and a "
        "delivery for each webhook that wants it are committed. With an `Idempotency-Key` header a repeat gives the "
        "first event back and sends nothing.",
        raises=(*BODY_ERRORS, errors.IdempotencyMismatch, errors.LoopDetected),
    ),
    Route(
        method="GET", path="/events", handler=events.index, tag="events",
        summary="List the events", answer=shapes.Page[shapes.EventInList],
        description="Newest first, without bodies.", query=events.ListQuery, raises=(errors.FieldsInvalid,),
    ),
    Route(
        method="GET", path="/events/{event}", handler=events.read, tag="events",
        summary="Read an event", answer=shapes.EventShape,
        description="With its body as every delivery sends it.", raises=(errors.EventNotFound,),
    ),
    Route(
        method="POST", path="/events/{event}/replay", handler=events.replay, tag="events",
        summary="Send an event once more", body=shapes.Replay, body_optional=True, answer=shapes.ReplayShape,
        status=202,
        description="To every webhook that wants its type or has a delivery of it, or to one. A delivery that is "
        "lacking is made; one that is there is due again as a manual attempt, also if it had succeeded.",
        raises=(*BODY_ERRORS[1:], errors.EventNotFound, errors.WebhookDisabled),
    ),
)  # fmt: skip
