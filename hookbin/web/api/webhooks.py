"""Webhooks: register, list, read, change, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct
from starlette.responses import Response

from hookbin.clock import parse_rfc3339, rfc3339
from hookbin.delivery import samples
from hookbin.delivery.headers import check_headers, unmasked
from hookbin.dispatch.cloudevents_handshake import agreed_rate
from hookbin.errors import FieldsInvalid, HandshakeRefused, TargetRefused, WebhookDisabled
from hookbin.models.events import Original
from hookbin.models.webhooks import Handshake, Webhook, WebhookKind
from hookbin.names import check_event_patterns, check_webhook_name
from hookbin.shapes.common import Page
from hookbin.shapes.events import EventInList, event_in_list
from hookbin.shapes.undo import Undoable, UndoQuery
from hookbin.shapes.webhooks import (
    NewWebhook,
    Recover,
    Recovered,
    Rotate,
    Samples,
    SampleShape,
    SampleWanted,
    WebhookChange,
    WebhookShape,
    webhook_shape,
)
from hookbin.signatures.rotation import rotated
from hookbin.signatures.secrets import make_secret
from hookbin.signatures.styles import STYLES, check_secret, fits
from hookbin.web.api.options import check_destination, read_retry_on, read_schedule
from hookbin.web.api.undo import answer
from hookbin.web.rest import paging
from hookbin.web.rest.route import Call, raises
from hookbin.web.rest.services import Services

PING = "webhook.ping"
ROTATION_OVERLAP = 24 * 3600
"""Seconds for which the secret so far signs beside a new one, if nothing else is said."""
_DEFAULT = NewWebhook(name="", destination="")


class ReadQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    secret: Annotated[bool, Meta(description="Show the signing secret too.")] = False


@raises(TargetRefused, HandshakeRefused)
async def create(call: Call[None, NewWebhook]) -> WebhookShape:
    """Register a webhook.

    Needs a name and a destination. The answer is the one that shows the secret unasked. `webhook.ping` is sent
    at once unless `ping` is false.
    """
    wanted, services = call.body, call.services
    style = wanted.signature_style
    webhook = Webhook(
        id=services.site.ids.webhook(),
        secret=make_secret() if wanted.secret is None else check_secret(wanted.secret, style=style),
        disabled_reason="registered as disabled" if wanted.disabled else None,
        created_at=services.site.clock.now(),
        **values_of(wanted, services),
    )
    webhook = msgspec.structs.replace(webhook, headers=unmasked(webhook.headers, known=()))
    if webhook.handshake is not None:
        webhook = msgspec.structs.replace(webhook, rate_limit=await agreed_rate(services.delivering.sender, webhook))
    await services.stores.webhooks.create(webhook)
    if wanted.ping and not webhook.disabled:
        await services.delivering.publisher.publish_json(PING, _greeting(webhook), only=webhook)
    return webhook_shape(webhook, with_secret=True)


async def index(call: Call[paging.PageQuery, None]) -> Page[WebhookShape]:
    """List the webhooks.

    Newest first.
    """
    before = paging.before_id("wh_", call.query.cursor)
    newest_first = reversed(call.stores.webhooks.all())
    rows = [webhook for webhook in newest_first if before is None or webhook.id < before]
    return paging.page(rows, limit=call.query.limit, cursor_of=lambda row: row.id, shape=webhook_shape)


async def read(call: Call[ReadQuery, None]) -> WebhookShape:
    """Read a webhook.

    The secret only with `?secret=true`.
    """
    return webhook_shape(call.stores.webhooks.get(call.path["webhook"]), with_secret=call.query.secret)


@raises(TargetRefused, HandshakeRefused)
async def change(call: Call[None, WebhookChange]) -> WebhookShape:
    """Change a webhook.

    What is left out stays; null puts the default back. Disabling cancels what is pending; pausing keeps it, and
    takes what is published meanwhile, until the webhook is resumed.
    """
    webhook = call.stores.webhooks.get(call.path["webhook"])
    changes = values_of(call.body, call.services)
    wanted = _changed(webhook, changes)
    if wanted.handshake is not None and _agreed_on(wanted) != _agreed_on(webhook):
        changes["rate_limit"] = await agreed_rate(call.delivering.sender, wanted)
    on_disabled = call.delivering.meta_events.of_disabling(webhook) if changes.get("disabled") else None
    changed = await call.stores.webhooks.edit(webhook.id, lambda now: _changed(now, changes), on_disabled=on_disabled)
    return webhook_shape(changed)


async def delete(call: Call[UndoQuery, None]) -> Undoable | Response:
    """Delete a webhook.

    Cancels what is pending; the deliveries made so far stay in the log. With `undo` what is pending waits until then,
    and nothing is sent or published to it.
    """
    webhook, seconds = call.stores.webhooks.get(call.path["webhook"]), call.query.undo
    if seconds is not None:
        return answer(await call.stores.pending_deletions.hide_webhook(webhook, seconds=seconds))
    await call.stores.webhooks.delete(webhook)
    return answer(None)


@raises(WebhookDisabled)
async def recover(call: Call[None, Recover]) -> Recovered:
    """Bring back what it missed.

    Of events published since a time, in their order: retries what failed or was cancelled, and makes the
    deliveries that the webhook's types ask for and that are lacking. What it got at any time is left alone. At
    most 1,000 deliveries a call; `next_cursor` goes on.
    """
    webhook, wanted = call.stores.webhooks.get(call.path["webhook"]), call.body
    since = parse_rfc3339(wanted.since)
    if since is None:
        raise FieldsInvalid(("since", "is not a time like 2026-11-24T06:34:35Z (RFC 3339)"))
    since = max(0, since)
    done = await call.delivering.recovery.recover(
        webhook, since=since, cursor=paging.before_id("evt_", wanted.cursor), dry_run=wanted.dry_run
    )
    return Recovered(
        webhook_id=webhook.id,
        since=rfc3339(since),
        dry_run=wanted.dry_run,
        retried=done.retried,
        created=done.made,
        total=done.retried + done.made,
        next_cursor=done.cursor,
    )


@raises(WebhookDisabled)
async def send_sample(call: Call[None, SampleWanted]) -> EventInList:
    """Send it a sample event.

    One of `GET /catalogue`, whatever types the webhook asks for, signed as it signs and retried as it retries;
    to no other.
    """
    webhook, services = call.stores.webhooks.get(call.path["webhook"]), call.services
    sample = samples.find(call.body.type or samples.DEFAULT)
    if webhook.disabled:
        raise WebhookDisabled(f"the webhook {webhook.id} is disabled; enable it first with PATCH and disabled: false")
    if sample.is_ours:
        published = await services.delivering.publisher.publish_json(sample.type, sample.body, only=webhook)
    else:
        original = Original(method="POST", suffix="", query=None, headers=sample.headers)
        published = await services.delivering.publisher.publish_raw(
            sample.type, sample.body, "application/json", only=webhook, original=original
        )
    return event_in_list(published.event, list(published.deliveries))


async def list_samples(call: Call[None, None]) -> Samples:
    """List the sample events.

    In the shapes that their senders document.
    """
    return Samples(
        data=[
            SampleShape(
                type=sample.type,
                provider=sample.provider,
                description=sample.description,
                headers=list(sample.headers),
                body=msgspec.Raw(sample.body),
            )
            for sample in samples.SAMPLES
        ]
    )


def named_webhook(services: Services, id: str) -> Webhook:
    """The webhook that a field of a call names. Raises `FieldsInvalid`."""
    webhook = services.stores.webhooks.find(id)
    if webhook is None or webhook.kind is not WebhookKind.WEBHOOK:
        raise FieldsInvalid(("webhook", f"{id[:64]!r} is the id of no webhook; GET /webhooks lists them"))
    return webhook


async def rotate_secret(call: Call[None, Rotate]) -> WebhookShape:
    """Give it a new secret.

    The secret so far signs beside the new one until it expires, so that a receiver can change over in its own
    time. The answer shows the new one.
    """
    webhook, wanted = call.stores.webhooks.get(call.path["webhook"]), call.body
    now = call.site.clock.now()
    secret = make_secret() if wanted.secret is None else wanted.secret

    def rotate(found: Webhook) -> Webhook:
        overlap = _overlap(found) if wanted.overlap is None else wanted.overlap
        return rotated(found, secret, overlap=overlap, now=now)

    return webhook_shape(await call.stores.webhooks.edit(webhook.id, rotate), with_secret=True)


def _overlap(webhook: Webhook) -> int:
    return ROTATION_OVERLAP if STYLES[webhook.signature_style].several else 0


def _changed(webhook: Webhook, changes: dict[str, Any]) -> Webhook:
    """The webhook with the changes. Raises `FieldsInvalid` for those that don't fit what is there."""
    changed = msgspec.structs.replace(webhook, **changes)
    if changed.headers is not webhook.headers:
        changed = msgspec.structs.replace(changed, headers=unmasked(changed.headers, known=webhook.headers))
    if changed.signature_style != webhook.signature_style:
        changed = _restyled(changed)
    if changed.disabled == webhook.disabled:
        return changed
    reason = "disabled by its owner" if changed.disabled else None
    return msgspec.structs.replace(changed, disabled_reason=reason)


def _agreed_on(webhook: Webhook) -> tuple[Handshake | None, str, float | None]:
    """What the destination has to be asked about anew when it changes."""
    return webhook.handshake, webhook.destination, webhook.rate_limit


def _restyled(webhook: Webhook) -> Webhook:
    """The webhook in its new style, with those of its old secrets that can sign in it."""
    style = webhook.signature_style
    if not fits(webhook.secret, style=style):
        message = "takes another kind of secret; rotate to one that starts with whsec_ first, with an overlap of 0"
        raise FieldsInvalid(("signature_style", f"{style} {message}"))
    old = tuple(old for old in webhook.old_secrets if STYLES[style].several and fits(old.secret, style=style))
    return msgspec.structs.replace(webhook, old_secrets=old)


_READ: dict[str, Callable[[Services, Any], Any]] = {
    "name": lambda _, name: check_webhook_name(name),
    "destination": check_destination,
    "events": lambda _, patterns: check_event_patterns(patterns),
    "headers": lambda _, pairs: check_headers(pairs),
    "handshake": lambda _, name: None if name is None else Handshake(name),
    "retry_schedule": lambda services, wanted: read_schedule(services.site.settings, wanted),
    "retry_on": lambda services, wanted: read_retry_on(services.site.settings, wanted),
}
"""How the fields are read that are not stored as they are sent."""


def values_of(given: NewWebhook | WebhookChange, services: Services) -> dict[str, Any]:
    """What of a webhook is given; null stands for the default. Raises `FieldsInvalid`, `TargetRefused`."""
    values: dict[str, Any] = {}
    complaints: list[tuple[str, str]] = []
    for field in WebhookChange.__struct_fields__:
        value = getattr(given, field)
        if value is UNSET:
            continue
        try:
            value = getattr(_DEFAULT, field) if value is None else value
            values[field] = _READ.get(field, _as_sent)(services, value)
        except FieldsInvalid as error:
            complaints += error.errors
    if complaints:
        raise FieldsInvalid(*complaints)
    return values


def _as_sent(_: Services, value: Any) -> Any:
    return value


def _greeting(webhook: Webhook) -> bytes:
    return msgspec.json.encode({"webhook_id": webhook.id, "name": webhook.name, "destination": webhook.destination})
