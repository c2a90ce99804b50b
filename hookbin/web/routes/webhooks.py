"""Webhooks."""

from __future__ import annotations

from hookbin import errors, shapes
from hookbin.web.api import webhooks
from hookbin.web.rest.routing import Route
from hookbin.web.routes.common import BODY_ERRORS, LIST

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST", path="/webhooks", handler=webhooks.create, tag="webhooks",
        summary="Register a webhook", body=shapes.NewWebhook, answer=shapes.WebhookShape, status=201,
        description="Needs a name and a destination. The answer is the one that shows the secret unasked. "
        "`webhook.ping` is sent at once unless `ping` is false.",
        raises=(*BODY_ERRORS, errors.TargetRefused, errors.HandshakeRefused),
    ),
    Route(
        method="GET", path="/webhooks", handler=webhooks.index, tag="webhooks",
        summary="List the webhooks", answer=shapes.Page[shapes.WebhookShape],
        description="Newest first.", **LIST,
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
        raises=(*BODY_ERRORS, errors.TargetRefused, errors.HandshakeRefused, errors.WebhookNotFound),
    ),
    Route(
        method="DELETE", path="/webhooks/{webhook}", handler=webhooks.delete, tag="webhooks",
        summary="Delete a webhook", status=204,
        description="Cancels what is pending; the deliveries made so far stay in the log.",
        raises=(errors.WebhookNotFound,),
    ),
    Route(
        method="POST", path="/webhooks/{webhook}/rotate-secret", handler=webhooks.rotate_secret, tag="webhooks",
        summary="Give it a new secret", body=shapes.Rotate, body_optional=True, answer=shapes.WebhookShape,
        description="The secret so far signs beside the new one until it expires, so that a receiver can change over "
        "in its own time. The answer shows the new one.",
        raises=(*BODY_ERRORS, errors.WebhookNotFound),
    ),
    Route(
        method="POST", path="/webhooks/{webhook}/recover", handler=webhooks.recover, tag="webhooks",
        summary="Bring back what it missed", body=shapes.Recover, answer=shapes.Recovered, status=202,
        description="Of events published since a time, in their order: retries what failed or was cancelled, and "
        "makes the deliveries that the webhook's types ask for and that are lacking. What it got at any time is left "
        "alone. At most 1,000 deliveries a call; `next_cursor` goes on.",
        raises=(*BODY_ERRORS, errors.WebhookNotFound, errors.WebhookDisabled),
    ),
    Route(
        method="POST", path="/webhooks/{webhook}/test", handler=webhooks.send_sample, tag="webhooks",
        summary="Send it a sample event", body=shapes.SampleWanted, body_optional=True, answer=shapes.EventInList,
        status=202,
        description="One of `GET /catalogue`, whatever types the webhook asks for, signed as it signs and retried as "
        "it retries; to no other.",
        raises=(*BODY_ERRORS[1:], errors.WebhookNotFound, errors.WebhookDisabled),
    ),
    Route(
        method="GET", path="/catalogue", handler=webhooks.list_samples, tag="webhooks",
        summary="List the sample events", answer=shapes.Samples,
        description="In the shapes that their senders document.", raises=(errors.FieldsInvalid,),
    ),
)  # fmt: skip
