"""Deliveries: list, read with every attempt, retry."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from hookbin import retries
from hookbin.errors import AttemptInFlight, DeliveryNotFound
from hookbin.models import Attempt, Delivery, DeliveryState
from hookbin.web.api import paging, present, shapes
from hookbin.web.routing import Call
from hookbin.web.services import Services


class ListQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    webhook: Annotated[str | None, Meta(description="Only those of this webhook.")] = None
    event: Annotated[str | None, Meta(description="Only those of this event.")] = None
    state: Annotated[DeliveryState | None, Meta(description="Only those in this state.")] = None
    limit: paging.Limit = 50
    cursor: paging.Cursor = None


async def index(call: Call[ListQuery, None]) -> shapes.Page[shapes.DeliveryRow]:
    query = call.query
    rows = await call.services.deliveries.list(
        limit=query.limit + 1,
        before=paging.before_id("dlv_", query.cursor),
        webhook_id=query.webhook,
        event_id=query.event,
        state=query.state,
    )
    return paging.page(rows, limit=query.limit, cursor_of=lambda row: row.id, shape=present.delivery_row)


async def read(call: Call[None, None]) -> shapes.DeliveryShape:
    delivery = await find(call.services, call.path["delivery"])
    return await describe(delivery, await call.services.deliveries.attempts(delivery), call.services)


async def retry(call: Call[None, None]) -> shapes.DeliveryRow:
    delivery = await find(call.services, call.path["delivery"])
    if call.services.dispatcher.is_in_flight(delivery.id):
        raise AttemptInFlight("an attempt is under way; wait for its outcome")
    return present.delivery_row(await call.services.deliveries.retry(delivery.id, now=call.services.clock.now()))


async def cancel(call: Call[None, None]) -> shapes.DeliveryRow:
    delivery = await find(call.services, call.path["delivery"])
    return present.delivery_row(await call.services.deliveries.cancel(delivery.id, now=call.services.clock.now()))


async def find(services: Services, id: str) -> Delivery:
    delivery = await services.deliveries.get(id)
    if delivery is None:
        raise DeliveryNotFound(f"no delivery has the id {id[:64]!r}; GET /deliveries lists them")
    return delivery


async def describe(delivery: Delivery, attempts: list[Attempt], services: Services) -> shapes.DeliveryShape:
    """The delivery with its attempts and one sentence on how it stands."""
    event = await services.events.get(delivery.event_id)
    webhook = services.webhooks.find(delivery.webhook_id)
    last = attempts[-1] if attempts else None
    explanation = retries.explain(
        state=delivery.state,
        attempt_count=delivery.attempt_count,
        next_attempt_at_text=present.time_or_none(delivery.next_attempt_at),
        last_status=last.status if last else None,
        last_error=last.error if last else None,
        retry_on=webhook.retry_on if webhook else retries.DEFAULT_RETRY_ON,
        schedule_length=len(webhook.retry_schedule) if webhook else 0,
    )
    return present.delivery_shape(delivery, attempts, sent=event.body if event else b"", explanation=explanation)
