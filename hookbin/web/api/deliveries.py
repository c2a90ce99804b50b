"""Deliveries: list, read with every attempt, retry, cancel."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from hookbin.clock import rfc3339
from hookbin.conditions.filters import parse_statuses
from hookbin.delivery.explanations import ITS_TIME, Hold, Waiting, explain
from hookbin.delivery.retries import DEFAULT_RETRY_ON, parse_retry_after, retry_after_of
from hookbin.errors import AttemptInFlight, DeliveryNotFound, FieldsInvalid, NotCancellable, NotRetryable
from hookbin.models.answers import MAX_PATTERN
from hookbin.models.common import SECOND
from hookbin.models.deliveries import Attempt, Delivery, DeliveryState, ErrorClass, attempt_id
from hookbin.models.events import EventSummary
from hookbin.models.webhooks import Webhook
from hookbin.shapes.common import Page, time_or_none
from hookbin.shapes.deliveries import (
    DeliveryInList,
    DeliveryRow,
    DeliveryShape,
    delivery_in_list,
    delivery_row,
    delivery_shape,
)
from hookbin.store.sending_search import DeliveryFilter, ListedDelivery
from hookbin.web.api.filtering import TIME, EventType, parse_time
from hookbin.web.rest import paging
from hookbin.web.rest.route import Call, raises
from hookbin.web.rest.services import Services

MAX_BEFORE = 1_000
"""Deliveries that come before one which are counted, to say until about when it waits."""


class FilterQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    webhook: Annotated[str | None, Meta(description="Only those of this webhook.")] = None
    event: Annotated[str | None, Meta(description="Only those of this event.")] = None
    state: Annotated[DeliveryState | None, Meta(description="Only those in this state.")] = None
    type: EventType = None
    outcome: Annotated[
        Annotated[str, Meta(min_length=1, max_length=MAX_PATTERN)] | None,
        Meta(
            description="How the last attempt went: 404, 5xx, none (no answer), or several with commas; or a class of"
            " error such as `timeout`."
        ),
    ] = None
    since: Annotated[str | None, Meta(description=f"Made then or later: {TIME}.")] = None
    until: Annotated[str | None, Meta(description=f"Made before: {TIME}.")] = None


class ListQuery(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: paging.Limit = 50
    cursor: paging.Cursor = None


async def index(call: Call[ListQuery, None]) -> Page[DeliveryInList]:
    """List the deliveries.

    Newest first, without attempts. A search looks at 10,000 deliveries at most: a page may be short or empty and
    still have a `next_cursor` that goes on.
    """
    query = call.query
    wanted = to_filter(query, now=call.site.clock.now())
    async with call.stores.database.snapshot():
        found = await call.stores.sending_search.deliveries(
            wanted, limit=query.limit, before=paging.before_id("dlv_", query.cursor)
        )
    return Page(data=[listed(row) for row in found.rows], next_cursor=found.next_before)


def to_filter(query: FilterQuery, *, now: int) -> DeliveryFilter:
    """Raises `FieldsInvalid`."""
    outcome = "" if query.outcome is None else query.outcome.strip().lower().replace(" ", "_")
    error = ErrorClass(outcome) if outcome in list(ErrorClass) else None
    try:
        statuses = parse_statuses(outcome) if outcome and error is None else ()
    except ValueError as wrong:
        raise FieldsInvalid(("outcome", f"{wrong}; or a class of error: {', '.join(ErrorClass)}")) from wrong
    return DeliveryFilter(
        state=query.state,
        webhook_id=query.webhook,
        event_id=query.event,
        type=query.type,
        statuses=statuses,
        error=error,
        since=parse_time("since", query.since, now=now),
        until=parse_time("until", query.until, now=now),
    )


def listed(row: ListedDelivery) -> DeliveryInList:
    return delivery_in_list(row.delivery, status=row.status, error=row.error)


async def read(call: Call[None, None]) -> DeliveryShape:
    """Read a delivery.

    With every attempt as it went over the wire and a sentence on how it stands.
    """
    async with call.stores.database.snapshot():
        delivery = await find(call.services, call.path["delivery"])
        return await describe(delivery, await call.stores.deliveries.attempts(delivery), call.services)


@raises(NotRetryable, AttemptInFlight)
async def retry(call: Call[None, None]) -> DeliveryRow:
    """Retry a delivery now.

    One manual attempt, at once, or when its webhook is resumed. Not for one that has succeeded or is being sent.
    """
    delivery = await find(call.services, call.path["delivery"])
    if call.delivering.dispatcher.is_in_flight(delivery.id):
        raise AttemptInFlight("an attempt is under way; wait for its outcome")
    return delivery_row(await call.stores.deliveries.retry(delivery.id, now=call.site.clock.now()))


@raises(NotCancellable)
async def cancel(call: Call[None, None]) -> DeliveryRow:
    """Cancel a delivery.

    Nothing more is sent. An attempt that is under way is not called back: it is recorded, and if it gets
    through, the delivery has succeeded.
    """
    delivery = await find(call.services, call.path["delivery"])
    return delivery_row(await call.stores.deliveries.cancel(delivery.id, now=call.site.clock.now()))


async def find(services: Services, id: str) -> Delivery:
    delivery = await services.stores.deliveries.get(id)
    if delivery is None:
        raise DeliveryNotFound(f"no delivery has the id {id[:64]!r}; GET /deliveries lists them")
    return delivery


async def describe(delivery: Delivery, attempts: list[Attempt], services: Services) -> DeliveryShape:
    """The delivery with its attempts and one sentence on how it stands; in the snapshot in which they were read."""
    event = await services.stores.events.get(delivery.event_id)
    webhook = services.stores.webhooks.find(delivery.webhook_id)
    last = attempts[-1] if attempts else None
    explanation = explain(
        state=delivery.state,
        attempt_count=delivery.attempt_count,
        next_attempt_at_text=time_or_none(delivery.next_attempt_at),
        last_status=last.status if last else None,
        last_error=last.error if last else None,
        retry_on=webhook.retry_on if webhook else DEFAULT_RETRY_ON,
        schedule_length=len(webhook.retry_schedule) if webhook else 0,
        next_trigger=delivery.next_trigger,
        waiting=await waiting(services, delivery, event, webhook, last=last),
        cancel_reason=delivery.cancel_reason,
        disabled_reason=webhook.disabled_reason if webhook and webhook.disabled else None,
        was_disabled=webhook is None or webhook.disabled,
    )
    return delivery_shape(delivery, attempts, sent=event.body if event else b"", explanation=explanation)


async def waiting(
    services: Services,
    delivery: Delivery,
    event: EventSummary | None,
    webhook: Webhook | None,
    *,
    last: Attempt | None,
) -> Waiting:
    """What a pending delivery waits for; a cancelled one may still be under way."""
    next_id = attempt_id(delivery.id, delivery.attempt_count + 1)  # memory may know of more attempts, or of fewer
    if services.delivering.attempts.webhook_of(next_id) is not None:
        return Waiting(Hold.UNDER_WAY)
    if delivery.state is not DeliveryState.PENDING or delivery.next_attempt_at is None or webhook is None:
        return ITS_TIME
    if webhook.paused:
        return Waiting(Hold.PAUSED)
    if webhook.ordered and (ahead := await services.stores.deliveries.ahead_of(delivery)) is not None:
        id, at = ahead[0], time_or_none(ahead[1])
        return Waiting(Hold.ORDER, f"delivery {id}" + (f", due at {at}," if at is not None else ","))
    if delivery.next_attempt_at > services.site.clock.now():
        return Waiting(_who_set(delivery.next_attempt_at, event, last=last))
    if webhook.rate_limit is None:
        return Waiting(Hold.PLACE)
    before = await services.stores.deliveries.count_due_before(delivery, limit=MAX_BEFORE)
    at = rfc3339(services.site.clock.now() + round((before + 1) * SECOND / webhook.rate_limit))
    others = f"{before:,}{' or more' if before == MAX_BEFORE else ''}"
    return Waiting(Hold.RATE, f"{webhook.rate_limit:g} attempts a second, and {others} come first: until about {at}")


def _who_set(due: int, event: EventSummary | None, *, last: Attempt | None) -> Hold | None:
    """Whose wish the time of the next attempt is, if not the schedule's."""
    if last is None:
        return Hold.PUBLISHER if event is not None and event.deliver_at == due else None
    asked = parse_retry_after(retry_after_of(last.response_headers or ()), now=last.started_at + last.duration)
    return Hold.RECEIVER if asked == due else None
