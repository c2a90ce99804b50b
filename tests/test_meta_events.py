"""What hookbin tells of itself: that a delivery failed for good, that a webhook was disabled."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from hookbin.dispatch.meta_events import MetaEventMaker
from hookbin.dispatch.publisher import wants
from hookbin.models.deliveries import AttemptSummary, DeliveryState
from hookbin.models.events import Event, EventSummary
from hookbin.models.webhooks import WebhookKind
from tests.builders import Workshop, a_webhook
from tests.raw_receiver import Receiver
from tests.support import Server, eventually

pytestmark = pytest.mark.anyio


def told(shop: Workshop) -> list[EventSummary]:
    return [row for row in shop.seen.rows if isinstance(row, Event) and not row.type.startswith("user.")]


def data(event: EventSummary) -> dict[str, object]:
    assert isinstance(event, Event)
    found: dict[str, object] = json.loads(event.body)["data"]
    return found


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [("delivery.exhausted", True), ("delivery.*", True), ("d*", True), ("*", False), ("*.exhausted", False)],
)
def test_a_meta_event_goes_to_patterns_that_name_it(pattern: str, wanted: bool) -> None:
    assert wants(a_webhook(events=(pattern,)), "delivery.exhausted") is wanted


async def test_a_delivery_that_failed_for_good_is_told_in_its_own_commit(shop: Workshop) -> None:
    await shop.stores.register("wh_1")
    await shop.stores.register("wh_2", events=("delivery.exhausted",))
    shop.sender.script["wh_1"] = [404]
    (delivery,) = await shop.stores.publish()
    await shop.seen.until(lambda: shop.sender.to("wh_2"))
    await shop.settle()

    (event,) = told(shop)
    assert event.type == "delivery.exhausted"
    assert data(event)["delivery_id"] == delivery.id
    assert data(event)["last_status"] == 404
    assert data(event)["explanation"] == "404 is a 4xx, so it was not retried."
    (commit,) = [rows for rows in shop.seen.commits if event in rows]
    assert commit[0] is shop.seen.attempts[0]
    assert len(shop.sender.to("wh_2")) == 1


async def test_it_is_on_the_timeline_though_nobody_asked_for_it(shop: Workshop) -> None:
    await shop.stores.register("wh_1", retry_schedule=(1.0,))
    shop.sender.script["wh_1"] = [500]
    await shop.stores.publish()
    await shop.seen.until(lambda: len(shop.seen.attempts) == 1)
    assert told(shop) == []  # a retry is still to come
    shop.clock.advance(1)
    await shop.seen.until(lambda: told(shop))

    (event,) = told(shop)
    assert data(event)["attempt_count"] == 2
    assert await shop.stores.count("deliveries") == 1


async def test_a_meta_event_that_can_t_be_delivered_makes_no_other(shop: Workshop) -> None:
    await shop.stores.register("wh_1", events=("user.*", "delivery.*"))
    shop.sender.script["wh_1"] = [404]
    await shop.stores.publish()
    await shop.seen.until(lambda: len(shop.seen.attempts) == 2)
    await shop.settle()

    assert [event.type for event in told(shop)] == ["delivery.exhausted"]


async def test_an_attempt_by_hand_that_fails_again_is_not_told_again(shop: Workshop) -> None:
    await shop.stores.register("wh_1")
    shop.sender.script["wh_1"] = [404]
    (delivery,) = await shop.stores.publish()
    await shop.seen.until(lambda: told(shop))
    await shop.stores.deliveries.retry(delivery.id, now=shop.clock.now())
    await shop.seen.until(lambda: len(shop.seen.attempts) == 2)

    assert len(told(shop)) == 1


@pytest.mark.parametrize(("status", "changes"), [(410, {}), (404, {"disable_after": 1})])
async def test_a_webhook_that_its_destination_disabled_is_told(
    shop: Workshop, status: int, changes: dict[str, int]
) -> None:
    await shop.stores.register("wh_1", **changes)
    await shop.stores.register("wh_2", events=("webhook.*",))
    shop.sender.script["wh_1"] = [status]
    await shop.stores.publish()
    await shop.seen.until(lambda: shop.sender.to("wh_2"))

    (event,) = [event for event in told(shop) if event.type == "webhook.disabled"]
    assert data(event)["webhook_id"] == "wh_1"
    assert data(event)["reason"] == shop.stores.webhooks.get("wh_1").disabled_reason
    assert str(status) in str(data(event)["reason"])


async def test_one_that_its_owner_disabled_is_told_once(shop: Workshop) -> None:
    webhook = await shop.stores.register("wh_1")
    maker = MetaEventMaker(shop.stores.webhooks, shop.stores.factory)
    for _ in range(2):
        await shop.stores.webhooks.edit(
            webhook.id, lambda now: replace(now, disabled=True), on_disabled=maker.of_disabling(webhook)
        )

    assert [event.type for event in told(shop)] == ["webhook.disabled"]
    assert maker.of_disabling(a_webhook(kind=WebhookKind.ONCE)) is None


async def test_who_was_disabled_does_not_hear_of_it_and_the_log_has_no_gap(shop: Workshop) -> None:
    await shop.stores.register("wh_1", events=("user.*", "webhook.disabled"))
    shop.sender.script["wh_1"] = [410]
    await shop.stores.publish()
    await shop.seen.until(lambda: len(told(shop)) == 2)
    await shop.settle()

    assert [event.type for event in told(shop)] == ["delivery.exhausted", "webhook.disabled"]
    assert await shop.stores.count("deliveries") == 1
    numbers = [row.seq for row in shop.seen.rows if isinstance(row, EventSummary | AttemptSummary)]
    assert numbers == [1, 2, 3, 4] == [row.seq for row in await shop.stores.log.between(0, 99, limit=99)]


def test_a_subscriber_hears_of_a_disabled_webhook_over_http(server: Server) -> None:
    listener = Receiver(200)
    with listener.serving() as url:
        server.register(url, events=["webhook.disabled"], ping=False)
        webhook = server.register("http://localhost:9/", events=["nothing"], ping=False)
        changed = server.patch(f"/webhooks/{webhook['id']}", {"disabled": True})
        eventually(lambda: DeliveryState.SUCCEEDED in {row["state"] for row in server.deliveries()})

    body = json.loads(listener.requests[0][1])
    assert changed.status_code == 200
    assert body["type"] == "webhook.disabled"
    assert body["data"]["webhook_id"] == webhook["id"]
    assert body["data"]["reason"] == "disabled by its owner"
