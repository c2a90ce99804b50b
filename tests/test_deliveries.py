"""Deliveries and attempts: what each outcome makes of them, in one transaction."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from hookbin.errors import NotRetryable
from hookbin.models.deliveries import (
    TRANSITIONS,
    Action,
    Certificate,
    Connection,
    Delivery,
    DeliveryState,
    ErrorClass,
    Timings,
    Trigger,
)
from hookbin.models.events import EventSummary
from hookbin.store.publishing import Publication
from hookbin.store.sending_search import DeliveryFilter
from tests.builders import LATER, Stores, a_delivery, an_attempt, an_event

pytestmark = pytest.mark.anyio

OUTCOMES = (Action.SUCCEED, Action.RESCHEDULE, Action.FAIL)


async def a_delivery_that_is(stores: Stores, state: DeliveryState, **changes: Any) -> Delivery:
    """A delivery to a new webhook, in that state from the start."""
    event, ended = an_event(), state is not DeliveryState.PENDING
    if ended:
        changes |= {"next_attempt_at": None, "finished_at": 1}
    delivery = a_delivery(event, await stores.register(), state=state, **changes)
    await stores.events.publish(Publication(event=event, deliveries=(delivery,)))
    return delivery


async def test_an_event_and_its_deliveries_are_one_commit(stores: Stores) -> None:
    await stores.register("wh_1")
    await stores.register("wh_2")
    deliveries = await stores.publish()
    commit = stores.seen.commits[-1]
    assert isinstance(commit[0], EventSummary)
    assert commit[1:] == deliveries
    assert {delivery.webhook_id for delivery in deliveries} == {"wh_1", "wh_2"}
    assert [await stores.found(delivery) for delivery in deliveries] == deliveries


async def test_when_a_delivery_cannot_be_made_there_is_no_event_either(stores: Stores) -> None:
    webhook = await stores.register()
    event = an_event()
    twice = (a_delivery(event, webhook), a_delivery(event, webhook))
    with pytest.raises(Exception, match="UNIQUE"):
        await stores.events.publish(Publication(event=event, deliveries=twice))
    assert await stores.events.get(event.id) is None
    assert await stores.count("deliveries") == 0


async def test_a_webhook_that_was_disabled_meanwhile_gets_no_delivery(stores: Stores) -> None:
    webhook, other = await stores.register("wh_1"), await stores.register("wh_2")
    event = an_event()
    wanted = stores.factory.publication(event, [webhook, other])
    _, published = await asyncio.gather(
        stores.webhooks.edit(webhook.id, lambda now: replace(now, disabled=True)), stores.events.publish(wanted)
    )
    assert [delivery.webhook_id for delivery in published.deliveries] == ["wh_2"]
    assert await stores.count("deliveries") == 1


async def test_the_same_key_at_the_same_time_publishes_once(stores: Stores) -> None:
    await stores.register()
    publications = [stores.publisher.publish_json("a", b"1", idempotency_key="k") for _ in range(20)]
    published = await asyncio.gather(*publications)
    assert len({each.event.id for each in published}) == 1
    assert len({each.deliveries for each in published}) == 1
    assert sorted(each.repeated for each in published) == [False] + [True] * 19
    assert await stores.count("events") == await stores.count("deliveries") == 1
    assert len([row for row in stores.seen.rows if isinstance(row, EventSummary)]) == 1


async def test_an_attempt_comes_back_as_it_was_written(stores: Stores) -> None:
    await stores.register()
    (delivery,) = await stores.publish()
    written = await stores.finish(
        delivery,
        Action.RESCHEDULE,
        status=None,
        error=ErrorClass.TIMEOUT,
        error_detail="slow",
        response_headers=None,
        response_body=None,
        response_raw=b"SSH-2.0\xff",
        timings=Timings(connected=12, sent=13),
    )
    again = await stores.finish(
        delivery,
        Action.FAIL,
        status=404,
        response_body=b"\xff\x00",
        response_truncated=True,
        note="the answer went on after its end",
        connection=Connection(
            address="127.0.0.1:443",
            tls="TLSv1.3",
            certificate=Certificate(subject="CN=a", issuer="CN=b", ends="Nov 25 10:00:00 2027 GMT"),
        ),
        trigger=Trigger.MANUAL,
    )
    assert await stores.deliveries.attempts(await stores.found(delivery)) == [written, again]
    assert stores.seen.attempts == [written, again]
    assert [written.number, again.number] == [1, 2]


@pytest.mark.parametrize("action", OUTCOMES)
@pytest.mark.parametrize("state", list(DeliveryState))
async def test_an_outcome_changes_the_state_as_the_table_says(
    stores: Stores, state: DeliveryState, action: Action
) -> None:
    delivery = await a_delivery_that_is(stores, state)
    written = await stores.finish(delivery, action)
    expected = TRANSITIONS[state, action]
    now = await stores.found(delivery)
    assert now.state is written.delivery_state is expected
    assert now.attempt_count == 1
    pending = expected is DeliveryState.PENDING
    assert now.next_attempt_at == written.next_attempt_at == (LATER if pending else None)
    assert (now.finished_at is None) == pending


async def test_the_same_attempt_twice_is_refused_and_changes_nothing(stores: Stores) -> None:
    await stores.register()
    (delivery,) = await stores.publish()
    first = await stores.finish(delivery, Action.RESCHEDULE, status=500)
    with pytest.raises(Exception, match="UNIQUE"):
        await stores.finish(delivery, Action.SUCCEED, number=first.number)
    assert (await stores.found(delivery)).state is DeliveryState.PENDING


async def test_an_attempt_at_a_delivery_that_is_no_longer_kept_is_dropped(stores: Stores) -> None:
    webhook = await stores.register()
    gone = a_delivery(an_event(), webhook)
    attempt = an_attempt(gone, next_attempt_at=LATER)
    written = await stores.deliveries.finish(attempt, began=gone, generation=0, action=Action.RESCHEDULE, disable=None)
    assert written.next_attempt_at is None
    assert await stores.count("attempts") == 0
    assert stores.seen.attempts == []


async def test_gone_disables_the_webhook_and_cancels_its_other_deliveries_in_the_same_commit(stores: Stores) -> None:
    webhook = await stores.register("wh_1")
    await stores.register("wh_2")
    first, elsewhere = await stores.publish()
    second, _ = await stores.publish()
    disabled = replace(webhook, disabled=True, disabled_reason="410")
    written = await stores.finish(first, Action.FAIL, disable="410", status=410)
    assert stores.seen.commits[-1] == [written, disabled]
    assert stores.webhooks.get("wh_1").disabled_reason == "410"
    states = [(await stores.found(delivery)).state for delivery in (first, second, elsewhere)]
    assert states == [DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.PENDING]


@pytest.mark.parametrize("disable", [None, "410"])
@pytest.mark.parametrize(
    "changes", [[{"destination": "http://localhost:2/new"}], [{"disabled": True}, {"disabled": False}]]
)
async def test_an_outcome_changes_nothing_of_a_webhook_that_was_moved_or_enabled_anew_since_its_attempt_began(
    stores: Stores, changes: list[dict[str, Any]], disable: str | None
) -> None:
    webhook = await stores.register(disable_after=1, exhausted_in_a_row=4)
    (began,) = await stores.publish(only=webhook)
    for change in changes:
        webhook = await stores.webhooks.edit(webhook.id, lambda now, change=change: replace(now, **change))  # type: ignore[misc]
    (waiting,) = await stores.publish(only=webhook)
    await stores.finish(began, Action.FAIL, disable=disable, status=410)
    assert stores.webhooks.find("wh_1") == replace(webhook, disabled=False, exhausted_in_a_row=0)
    assert (await stores.found(waiting)).state is DeliveryState.PENDING
    await stores.finish(waiting, Action.FAIL, generation=webhook.generation, status=404)
    assert stores.webhooks.find("wh_1") == replace(
        webhook,
        disabled=True,
        disabled_reason="1 delivery failed; the last attempt got 404",
        exhausted_in_a_row=1,
    )


@pytest.mark.parametrize("state", [state for state in DeliveryState if (state, Action.RETRY) in TRANSITIONS])
async def test_a_manual_retry_makes_it_due_now(stores: Stores, state: DeliveryState) -> None:
    delivery = await a_delivery_that_is(stores, state, attempt_count=1)
    retried = await stores.deliveries.retry(delivery.id, now=77)
    assert retried == await stores.found(delivery)
    assert stores.seen.rows[-1] == retried
    assert (retried.state, retried.next_attempt_at, retried.next_trigger) == (DeliveryState.PENDING, 77, Trigger.MANUAL)
    assert retried.finished_at is None
    assert retried.attempt_count == 1


async def test_nothing_is_retried_twice_at_once_or_to_a_webhook_out_of_use(stores: Stores) -> None:
    webhook = await stores.register()
    (delivery,) = await stores.publish()
    await stores.deliveries.retry(delivery.id, now=7)
    with pytest.raises(NotRetryable, match="on its way already"):
        await stores.deliveries.retry(delivery.id, now=8)
    webhook = await stores.webhooks.edit(webhook.id, lambda now: replace(now, disabled=True))
    with pytest.raises(NotRetryable, match="disabled or deleted"):
        await stores.deliveries.retry(delivery.id, now=9)
    await stores.webhooks.delete(webhook)
    with pytest.raises(NotRetryable, match="disabled or deleted"):
        await stores.deliveries.retry(delivery.id, now=9)


async def test_due_lists_what_is_pending_for_one_webhook_the_earliest_first(stores: Stores) -> None:
    webhook, other = await stores.register("wh_1"), await stores.register("wh_2")
    times = [30, 10, 20, 40]
    for number, time in enumerate(times):
        event = an_event(f"evt_{number}", created_at=time)
        deliveries = (a_delivery(event, webhook), a_delivery(event, other))
        await stores.events.publish(Publication(event=event, deliveries=deliveries))
    due = await stores.deliveries.due("wh_1", limit=3)
    assert due == [(f"dlv_evt_{number}_wh_1", times[number], times[number]) for number in (1, 2, 0)]
    first = await stores.deliveries.get("dlv_evt_1_wh_1")
    assert first is not None
    await stores.finish(first, Action.SUCCEED)
    assert len(await stores.deliveries.due("wh_1", limit=10)) == 3


async def test_pending_deliveries_are_counted_up_to_a_limit(stores: Stores) -> None:
    await stores.register()
    for _ in range(5):
        await stores.publish()
    assert await stores.deliveries.count_pending("wh_1", limit=3) == 3
    assert await stores.deliveries.count_pending("wh_1", limit=10) == 5
    assert await stores.deliveries.count_pending("wh_0", limit=10) == 0


async def test_a_list_is_the_newest_first_and_can_be_narrowed(stores: Stores) -> None:
    await stores.register("wh_1")
    await stores.register("wh_2")
    made = [delivery for _ in range(3) for delivery in await stores.publish()]
    await stores.finish(made[0], Action.FAIL, status=404)
    assert [row.id for row in await stores.listed()] == [row.id for row in reversed(made)]
    page = await stores.search.deliveries(DeliveryFilter(), limit=2, before=made[4].id)
    assert [row.delivery.id for row in page.rows] == [made[3].id, made[2].id]
    assert page.next_before == made[2].id
    assert len(await stores.listed(webhook_id="wh_1")) == 3
    assert len(await stores.listed(event_id=made[0].event_id)) == 2
    assert [row.id for row in await stores.listed(state=DeliveryState.FAILED)] == [made[0].id]


async def test_the_deliveries_of_several_events_are_found_at_once(stores: Stores) -> None:
    await stores.register()
    one, other = (await stores.publish())[0], (await stores.publish())[0]
    assert await stores.deliveries.of_events([one.event_id, other.event_id, "evt_0"]) == {
        one.event_id: [one],
        other.event_id: [other],
        "evt_0": [],
    }
    assert await stores.deliveries.of_events([]) == {}
