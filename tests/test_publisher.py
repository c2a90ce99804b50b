"""Publishing: what an event's bytes are, and who gets it."""

from __future__ import annotations

import pytest

from hookbin.delivery.trails import MAX_HOPS
from hookbin.dispatch.publisher import wants
from hookbin.errors import LoopDetected
from hookbin.models.deliveries import DeliveryState, Trigger
from hookbin.models.events import Event
from tests.builders import Stores, a_webhook

pytestmark = pytest.mark.anyio


async def stored(stores: Stores, id: str) -> Event:
    event = await stores.events.get(id)
    assert event is not None
    return event


async def test_an_event_is_sent_in_an_envelope(stores: Stores) -> None:
    published = await stores.publisher.publish_json("user.created", b'{"id":1}')
    event = await stored(stores, published.event.id)
    assert event.body == b'{"type":"user.created","timestamp":"2026-09-21T14:13:20.000000Z","data":{"id":1}}'
    assert event.content_type == "application/json"
    assert event.size == len(event.body)
    assert event.created_at == stores.clock.now()


async def test_there_is_one_delivery_for_each_webhook_that_wants_it(stores: Stores) -> None:
    await stores.register("wh_1", events=("user.*",))
    await stores.register("wh_2", events=("order.*", "*.created"))
    await stores.register("wh_3", events=("order.paid",))
    await stores.register("wh_4", disabled=True)
    deliveries = await stores.publish("user.created")
    assert [delivery.webhook_id for delivery in deliveries] == ["wh_1", "wh_2"]
    first = deliveries[0]
    assert (first.state, first.attempt_count, first.next_trigger) == (DeliveryState.PENDING, 0, Trigger.AUTO)
    assert first.next_attempt_at == first.created_at == stores.clock.now()
    assert await stores.deliveries.get(first.id) == first


async def test_an_event_for_one_webhook_goes_to_it_whatever_types_it_asked_for(stores: Stores) -> None:
    webhook = await stores.register("wh_1", events=("nothing",))
    await stores.register("wh_2")
    deliveries = await stores.publish("webhook.ping", only=webhook)
    assert [delivery.webhook_id for delivery in deliveries] == ["wh_1"]


async def test_an_event_for_a_webhook_that_is_disabled_is_kept_and_goes_to_nobody(stores: Stores) -> None:
    webhook = await stores.register("wh_1", disabled=True)
    assert await stores.publish(only=webhook) == []
    assert await stores.count("events") == 1


@pytest.mark.parametrize(
    ("pattern", "type", "wanted"),
    [
        ("*", "anything.at:all/x-1", True),
        ("user.*", "user.created", True),
        ("user.*", "user", False),
        ("user.created", "USER.created", False),
    ],
)
def test_a_pattern_stands_for_types(pattern: str, type: str, wanted: bool) -> None:
    assert wants(a_webhook(events=(pattern,)), type) is wanted


async def test_an_event_may_come_back_some_times_and_then_it_is_a_loop(stores: Stores) -> None:
    published = await stores.publisher.publish_json("a", b"1", hops=MAX_HOPS)
    assert published.event.hops == MAX_HOPS
    with pytest.raises(LoopDetected):
        await stores.publisher.publish_json("a", b"1", hops=MAX_HOPS + 1)
    with pytest.raises(LoopDetected):
        await stores.publisher.publish_raw("a", b"1", "text/plain", hops=MAX_HOPS + 1)
    assert await stores.count("events") == 1


@pytest.mark.parametrize("change", ["type", "content_type", "content_encoding", "body"])
async def test_a_key_stands_for_all_that_was_posted(stores: Stores, change: str) -> None:
    posted = {"type": "a", "body": b"1", "content_type": "text/plain"}
    first = await stores.publisher.publish_raw(**posted, idempotency_key="k")  # type: ignore[arg-type]
    again = await stores.publisher.publish_raw(**posted, idempotency_key="k")  # type: ignore[arg-type]
    assert (again.repeated, again.event.id) == (True, first.event.id)
    other = {**posted, change: b"2" if change == "body" else "b/c"}
    with pytest.raises(Exception, match="another event"):
        await stores.publisher.publish_raw(**other, idempotency_key="k")  # type: ignore[arg-type]
