"""What a webhook missed comes back, an event goes out once more, a pending delivery is called off."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from hookbin.clock import lowest_id, rfc3339
from hookbin.dispatch import recovery as module
from hookbin.dispatch.recovery import Recovered
from hookbin.errors import WebhookDisabled
from hookbin.models.deliveries import Action, CancelReason, Delivery, DeliveryState, Trigger
from hookbin.models.webhooks import Webhook
from hookbin.store.sending_search import EventFilter
from tests.builders import Stores
from tests.raw_receiver import Receiver
from tests.support import Server, eventually
from tests.wire import check_problem

pytestmark = pytest.mark.anyio


async def recover(stores: Stores, webhook: Webhook, **options: Any) -> Recovered:
    wanted: dict[str, Any] = {"since": 0, "cursor": None, "dry_run": False, **options}
    return await stores.recovery.recover(webhook, **wanted)


async def enable(stores: Stores, webhook: Webhook, enabled: bool) -> Webhook:
    return await stores.webhooks.edit(webhook.id, lambda now: replace(now, disabled=not enabled))


# Recover


async def test_what_failed_and_was_cancelled_is_retried_and_what_succeeded_is_not(stores: Stores) -> None:
    webhook = await stores.register()
    failed, cancelled, succeeded, pending = [(await stores.publish())[0] for _ in range(4)]
    await stores.finish(failed, Action.FAIL, status=404)
    await stores.deliveries.cancel(cancelled.id, now=1)
    await stores.finish(succeeded, Action.SUCCEED)

    done = await recover(stores, webhook)

    assert (done.retried, done.made, done.cursor) == (2, 0, None)
    again = [await stores.found(failed), await stores.found(cancelled)]
    assert [(each.state, each.next_trigger) for each in again] == [(DeliveryState.PENDING, Trigger.MANUAL)] * 2
    assert [each.cancel_reason for each in again] == [None, None]
    assert (await stores.found(succeeded)).state is DeliveryState.SUCCEEDED
    assert (await stores.found(pending)).next_trigger is Trigger.AUTO


async def test_an_event_published_while_it_was_disabled_gets_its_delivery(stores: Stores) -> None:
    webhook = await stores.register(events=("user.*",))
    await enable(stores, webhook, False)
    assert await stores.publish("user.created") == []
    assert await stores.publish("order.paid") == []
    webhook = await enable(stores, webhook, True)

    done = await recover(stores, webhook)

    assert (done.retried, done.made) == (0, 1)
    (made,) = await stores.listed()
    assert (made.event_type, made.state, made.next_trigger) == ("user.created", DeliveryState.PENDING, Trigger.AUTO)
    assert (await recover(stores, webhook)).made == 0


async def test_what_was_meant_for_another_webhook_alone_is_not_brought_back(stores: Stores) -> None:
    webhook = await stores.register("wh_1")
    other = await stores.register("wh_2")
    await stores.publish("webhook.ping", only=other)

    assert (await recover(stores, webhook)).made == 0


async def test_what_was_published_before_is_left_alone(stores: Stores) -> None:
    webhook = await stores.register()
    (early,) = await stores.publish()
    await stores.finish(early, Action.FAIL, status=404)
    stores.clock.advance(60)
    since = stores.clock.now()
    (late,) = await stores.publish()
    await stores.finish(late, Action.FAIL, status=404)

    assert (await recover(stores, webhook, since=since)).retried == 1
    assert (await stores.found(early)).state is DeliveryState.FAILED


async def test_a_call_brings_back_so_many_and_its_cursor_goes_on(stores: Stores) -> None:
    webhook = await enable(stores, await stores.register(), False)
    total = module.MAX_AT_ONCE + 50
    await asyncio.gather(*(stores.publish() for _ in range(total)))
    webhook = await enable(stores, webhook, True)

    counted = await recover(stores, webhook, dry_run=True)
    first = await recover(stores, webhook)
    second = await recover(stores, webhook, cursor=first.cursor)

    assert counted == first
    assert (first.made, second.made, second.cursor) == (module.MAX_AT_ONCE, 50, None)
    assert first.cursor is not None
    made = [commit for commit in stores.seen.commits if any(isinstance(row, Delivery) for row in commit)]
    assert max(len(commit) for commit in made) <= module.STEP


async def test_what_comes_back_is_due_in_the_order_of_publishing(stores: Stores) -> None:
    webhook = await stores.register()
    first = (await stores.publish())[0]
    await stores.finish(first, Action.FAIL, status=404)
    await enable(stores, webhook, False)
    await stores.publish()
    webhook = await enable(stores, webhook, True)
    third = (await stores.publish())[0]
    await stores.deliveries.cancel(third.id, now=1)

    await recover(stores, webhook)

    due = await stores.deliveries.due(webhook.id, limit=10)
    found = [await stores.deliveries.get(id) for id, _, _ in due]
    events = [each.event_id for each in found if each is not None]
    assert events == sorted(events)
    assert len(events) == 3


def test_the_lowest_id_of_a_time_sorts_before_those_made_then() -> None:
    from_then = lowest_id("evt_", 1_790_000_000_000_000)

    assert from_then < lowest_id("evt_", 1_790_000_000_001_000)
    assert len(from_then) == len("evt_") + 26


# Replay


async def test_a_replay_makes_what_lacks_and_retries_what_is_there(stores: Stores) -> None:
    old = await stores.register("wh_1")
    (delivery,) = await stores.publish()
    await stores.finish(delivery, Action.SUCCEED)
    await stores.register("wh_2")
    await stores.register("wh_3", events=("other.*",))

    done = await stores.recovery.replay(delivery.event_id, None, busy=())

    assert [each.webhook_id for each in done.made] == ["wh_2"]
    assert [(each.id, each.webhook_id) for each in done.retried] == [(delivery.id, old.id)]
    assert (await stores.found(delivery)).next_trigger is Trigger.MANUAL
    assert await stores.count("deliveries") == 2


async def test_a_replay_leaves_alone_what_is_on_its_way_and_says_which_webhooks_are_disabled(stores: Stores) -> None:
    for id in ("wh_1", "wh_2", "wh_3"):
        await stores.register(id)
    busy, manual, cancelled = await stores.publish()
    await stores.deliveries.retry(manual.id, now=1)
    disabled = await enable(stores, stores.webhooks.get("wh_3"), False)

    done = await stores.recovery.replay(busy.event_id, None, busy={busy.id})

    assert (done.made, done.retried) == ((), ())
    assert {delivery.id: reason for delivery, reason in done.left} == {
        busy.id: "it is being sent now",
        manual.id: "a manual attempt is on its way already",
        cancelled.id: "its webhook is disabled or deleted",
    }
    with pytest.raises(WebhookDisabled):
        await stores.recovery.replay(busy.event_id, disabled, busy=())


async def test_two_replays_at_once_make_one_delivery(stores: Stores) -> None:
    (none,) = [await stores.publish()]
    event = (await stores.search.events(EventFilter(), limit=1)).rows[0]
    await stores.register()

    done = await asyncio.gather(*(stores.recovery.replay(event.id, None, busy=()) for _ in range(5)))

    assert none == []
    assert sum(len(each.made) for each in done) == 1
    assert await stores.count("deliveries") == 1


# Cancel


async def test_a_webhook_that_goes_says_why_its_deliveries_were_cancelled(stores: Stores) -> None:
    for id in ("wh_1", "wh_2"):
        await stores.register(id)
    disabled, deleted = await stores.publish()
    await enable(stores, stores.webhooks.get("wh_1"), False)
    await stores.webhooks.delete(stores.webhooks.get("wh_2"))

    for delivery, reason in ((disabled, CancelReason.WEBHOOK_DISABLED), (deleted, CancelReason.WEBHOOK_DELETED)):
        found = await stores.found(delivery)
        assert (found.cancel_reason, found.finished_at) == (reason, stores.clock.now())


# Over HTTP


def test_the_story_of_a_receiver_that_was_down(server: Server) -> None:
    receiver = Receiver(404, 404, 200)
    with receiver.serving() as url:
        webhook = server.register(url, events=["recovery.*"], ping=False)
        published = [server.post("/events", {"type": "recovery.a", "data": n}).json() for n in range(2)]
        eventually(lambda: len(server.deliveries(webhook=webhook["id"], state="failed")) == 2)
        body = {"since": webhook["created_at"], "dry_run": True}
        counted = server.post(f"/webhooks/{webhook['id']}/recover", body)
        done = server.post(f"/webhooks/{webhook['id']}/recover", {**body, "dry_run": False})
        eventually(lambda: len(server.deliveries(webhook=webhook["id"], state="succeeded")) == 2)

    assert counted.status_code == 202
    assert counted.json() == {**done.json(), "dry_run": True}
    assert done.json()["retried"] == done.json()["total"] == 2
    assert done.json()["next_cursor"] is None
    ids = [request[0]["webhook-id"] for request in receiver.requests]
    assert sorted(ids) == sorted([event["id"] for event in published] * 2)


def test_a_replay_over_http_names_what_it_did(server: Server) -> None:
    with Receiver(200).serving() as url:
        event = server.post("/events", {"type": "replayed.a", "data": 1}).json()
        webhook = server.register(url, events=["replayed.*"], ping=False)
        first = server.post(f"/events/{event['id']}/replay")
        eventually(lambda: server.deliveries(webhook=webhook["id"], state="succeeded"))
        second = server.post(f"/events/{event['id']}/replay", {"webhook": webhook["id"]})
        eventually(lambda: server.deliveries(webhook=webhook["id"])[0]["attempt_count"] == 2)

    (made,) = first.json()["created"]
    assert second.json()["retried"][0]["id"] == made["id"]
    assert first.json()["left_alone"] == []


def test_a_pending_delivery_is_cancelled_over_http_once(server: Server) -> None:
    with Receiver(500).serving() as url:
        webhook = server.register(url, events=["cancel.*"], ping=False, retry_schedule=[600])
        server.post("/events", {"type": "cancel.a", "data": 1})
        (row,) = eventually(lambda: server.deliveries(webhook=webhook["id"], state="pending"))
        eventually(lambda: server.deliveries(webhook=webhook["id"])[0]["attempt_count"] == 1)
        done = server.post(f"/deliveries/{row['id']}/cancel")
        again = server.post(f"/deliveries/{row['id']}/cancel")

    assert (done.status_code, done.json()["state"], done.json()["next_attempt_at"]) == (200, "cancelled", None)
    assert (again.status_code, again.json()["code"]) == (409, "not_cancellable")


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"since": rfc3339(0), "cursor": "x"}, "cursor"),
        ({"since": rfc3339(0), "dry": True}, "dry"),
    ],
)
def test_a_recovery_that_makes_no_sense_is_refused(server: Server, body: dict[str, Any], loc: str) -> None:
    webhook = server.register("http://localhost:9/", ping=False, events=["nothing"])

    check_problem(server.post(f"/webhooks/{webhook['id']}/recover", body), 422, "invalid_fields", loc=loc)


def test_nothing_is_recovered_of_what_is_not_there_or_disabled(server: Server) -> None:
    assert server.post("/webhooks/wh_none/recover", {"since": rfc3339(0)}).json()["code"] == "webhook_not_found"
    assert server.post("/events/evt_none/replay").json()["code"] == "event_not_found"
    assert server.post("/events/evt_none/replay", {"webhook": "wh_x"}).json()["errors"][0]["loc"] == "webhook"
    assert server.post("/deliveries/dlv_none/cancel").json()["code"] == "delivery_not_found"
    disabled = server.register("http://localhost:9/", ping=False, disabled=True)["id"]
    check_problem(server.post(f"/webhooks/{disabled}/recover", {"since": rfc3339(0)}), 409, "webhook_disabled")
