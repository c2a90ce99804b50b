"""Events: publish, list, read."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request

from hookbin.clock import parse_rfc3339
from hookbin.delivery import trails
from hookbin.dispatch.publisher import Options
from hookbin.errors import EventNotFound, FieldsInvalid, IdempotencyMismatch, LoopDetected, NoBody, WebhookDisabled
from hookbin.models.common import SECOND
from hookbin.models.deliveries import DeliveryState
from hookbin.models.webhooks import Webhook
from hookbin.names import check_content_encoding, check_content_type, check_event_type, check_idempotency_key
from hookbin.shapes.common import Page
from hookbin.shapes.events import (
    EventInList,
    EventShape,
    NewEvent,
    Replay,
    ReplayShape,
    event_in_list,
    event_shape,
    replay_shape,
)
from hookbin.store.sending_search import EventFilter
from hookbin.web.api.filtering import TIME, EventType, parse_time
from hookbin.web.api.webhooks import named_webhook
from hookbin.web.rest import paging
from hookbin.web.rest.route import Call, raises, reads_header
from hookbin.web.rest.routing import decode_json, read_body, require_json
from hookbin.web.rest.services import Services

MAX_AHEAD = 30 * 24 * 3600 * SECOND
"""How far in the future an event can be due."""


class PublishQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: Annotated[
        str | None, Meta(description="With it the body is sent as it is, of any kind; without it the body is JSON.")
    ] = None
    deliver_at: Annotated[
        str | None, Meta(description="When the first attempts of a raw event are due, RFC 3339; JSON has a field.")
    ] = None
    webhook: Annotated[
        str | None, Meta(description="Send a raw event to this webhook only, whatever it asked for; JSON has a field.")
    ] = None


@raises(IdempotencyMismatch, LoopDetected)
@reads_header("Idempotency-Key", "1 to 255 visible ASCII characters; a repeat under one key sends nothing.")
async def publish(call: Call[PublishQuery, NewEvent]) -> EventInList:
    """Publish an event.

    As JSON with `type` and `data`, or any body at all with `?type=`, whose type and `Content-Encoding` are sent
    along. Answered once the event and a delivery for
    each webhook that wants it are committed. With an `Idempotency-Key` header a repeat gives the first event
    back and sends nothing.
    """
    content = await read_body(call.request)
    headers = call.request.headers
    options: Options = {
        "idempotency_key": check_idempotency_key(headers.get("idempotency-key")),
        "hops": _hops(call.request),
        "trail": call.delivering.trails.read(headers.get(trails.HEADER)),
    }
    publisher = call.delivering.publisher
    if call.query.type is None:
        event = _new_event(call.request, content)
        for name in ("deliver_at", "webhook"):
            if getattr(call.query, name) is not None:
                raise FieldsInvalid((name, "with a JSON event it is a field of the body, beside type and data"))
        options["deliver_at"] = _deliver_at(call, event.deliver_at)
        options["only"] = _only(call.services, event.webhook)
        published = await publisher.publish_json(event.type, bytes(event.data), **options)
    else:
        type = check_event_type(call.query.type)
        content_type = check_content_type(headers.get("content-type", "application/octet-stream"))
        options["content_encoding"] = check_content_encoding(", ".join(headers.getlist("content-encoding")) or None)
        options["deliver_at"] = _deliver_at(call, call.query.deliver_at)
        options["only"] = _only(call.services, call.query.webhook)
        published = await publisher.publish_raw(type, content, content_type, **options)
    return event_in_list(published.event, list(published.deliveries))


class FilterQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    request: Annotated[str | None, Meta(description="Only what was sent on of this captured request.")] = None
    type: EventType = None
    state: Annotated[DeliveryState | None, Meta(description="Only those with a delivery in this state.")] = None
    webhook: Annotated[str | None, Meta(description="Only those with a delivery to this webhook.")] = None
    meta: Annotated[bool, Meta(description="Whether events in which hookbin tells of itself are listed.")] = True
    since: Annotated[str | None, Meta(description=f"Published then or later: {TIME}.")] = None
    until: Annotated[str | None, Meta(description=f"Published before: {TIME}.")] = None


class ListQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: paging.Limit = 50
    cursor: paging.Cursor = None


async def index(call: Call[ListQuery, None]) -> Page[EventInList]:
    """List the events.

    Newest first, without bodies. A search looks at 10,000 events at most: a page may be short or empty and still
    have a `next_cursor` that goes on.
    """
    limit, before = call.query.limit, paging.before_number("evt_", call.query.cursor)
    wanted = to_filter(call.query, now=call.site.clock.now())
    async with call.stores.database.snapshot():
        found = await call.stores.sending_search.events(wanted, limit=limit, before=before)
        deliveries = await call.stores.deliveries.of_events([row.id for row in found.rows])
    cursor = None if found.next_before is None else paging.number_cursor("evt_", found.next_before)
    return Page(data=[event_in_list(row, deliveries[row.id]) for row in found.rows], next_cursor=cursor)


def to_filter(query: FilterQuery, *, now: int) -> EventFilter:
    """Raises `FieldsInvalid`."""
    return EventFilter(
        type=query.type,
        state=query.state,
        webhook_id=query.webhook,
        request_id=query.request,
        meta=query.meta,
        since=parse_time("since", query.since, now=now),
        until=parse_time("until", query.until, now=now),
    )


async def read(call: Call[None, None]) -> EventShape:
    """Read an event.

    With its body as every delivery sends it.
    """
    id = call.path["event"]
    async with call.stores.database.snapshot():
        event = await call.stores.events.get(id)
        deliveries = await call.stores.deliveries.of_events([id])
    if event is None:
        raise EventNotFound(f"no event has the id {id[:64]!r}; GET /events lists them")
    return event_shape(event, deliveries[id])


@raises(WebhookDisabled)
async def replay(call: Call[None, Replay]) -> ReplayShape:
    """Send an event once more.

    To every webhook that wants its type or has a delivery of it, or to one. A delivery that is lacking is made;
    one that is there is due again as a manual attempt, also if it had succeeded.
    """
    services, id = call.services, call.path["event"]
    webhook = None if call.body.webhook is None else named_webhook(services, call.body.webhook)
    deliveries = (await services.stores.deliveries.of_events([id]))[id]
    busy = {delivery.id for delivery in deliveries if services.delivering.dispatcher.is_in_flight(delivery.id)}
    done = await services.delivering.recovery.replay(id, webhook, busy=busy)
    return replay_shape(id, done)


def _new_event(request: Request, content: bytes) -> NewEvent:
    if not content.strip():
        raise NoBody('send {"type": "user.created", "data": {…}}, or any body with ?type=user.created')
    require_json(request)
    event: NewEvent = decode_json(content, NewEvent)
    check_event_type(event.type)
    return event


def _deliver_at(call: Call[PublishQuery, NewEvent], text: str | None) -> int | None:
    if text is None:
        return None
    time = parse_rfc3339(text)
    if time is None:
        raise FieldsInvalid(("deliver_at", "is no RFC 3339 time with an offset, such as 2026-12-01T09:00:00Z"))
    if time > call.site.clock.now() + MAX_AHEAD:
        raise FieldsInvalid(("deliver_at", "is more than 30 days ahead; publish it nearer to its time"))
    return time


def _only(services: Services, id: str | None) -> Webhook | None:
    """The one webhook that gets it. Raises `FieldsInvalid` for one that is not there or disabled."""
    if id is None:
        return None
    webhook = named_webhook(services, id)
    if webhook.disabled:
        raise FieldsInvalid(("webhook", "is disabled, so nothing would be sent; enable it first"))
    return webhook


def _hops(request: Request) -> int:
    """How often the event went through this server before, as our own sender says."""
    value = request.headers.get("hookbin-hops", "0")
    if not (value.isascii() and value.isdigit() and len(value) < 4):
        raise FieldsInvalid(("hookbin-hops", "is a small number that hookbin sets itself; leave it out"))
    return int(value)
