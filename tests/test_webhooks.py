"""Webhooks: kept whole, changed and deleted together with what is pending for them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from hookbin.errors import WebhookNotFound
from hookbin.models.announcements import Removed
from hookbin.models.deliveries import DeliveryState
from hookbin.models.webhooks import WebhookKind
from tests.builders import Stores, a_webhook, open_stores

pytestmark = pytest.mark.anyio


async def test_a_webhook_is_the_same_after_a_restart(tmp_path: Path) -> None:
    changes = {
        "name": "Jöe",
        "events": ("user.*", "order.paid"),
        "headers": (("X-A", "1"), ("x-a", "2")),
        "signature_style": "stripe",
        "rate_limit": 2.5,
        "ordered": True,
        "paused": True,
        "disable_after": 3,
        "max_in_flight": 2,
        "retry_schedule": (0.5, 2.0),
        "retry_on": ("5xx", "429"),
        "timeout": 1.5,
        "heartbeat": 10.0,
        "disabled": True,
        "disabled_reason": "tired",
    }
    async with open_stores(tmp_path / "hookbin.db") as stores:
        webhooks = [await stores.register("wh_1", **changes), await stores.register("wh_2", retry_schedule=())]
    async with open_stores(tmp_path / "hookbin.db") as stores:
        assert stores.webhooks.all() == webhooks


async def test_a_change_is_announced_and_kept(stores: Stores) -> None:
    webhook = await stores.register()
    changed = replace(webhook, name="new", destination="http://localhost:2/", max_in_flight=1, generation=1)
    await stores.webhooks.edit(changed.id, lambda _: changed)
    assert stores.webhooks.get("wh_1") == changed
    assert stores.seen.rows[-1] == changed
    ((delivery),) = await stores.publish()
    found = await stores.found(delivery)
    assert (found.webhook_name, found.destination) == ("new", "http://localhost:2/")


async def test_a_deleted_webhook_is_gone_and_its_deliveries_can_still_be_read(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        webhook = await stores.register()
        (delivery,) = await stores.publish()
        await stores.webhooks.delete(webhook)
        assert stores.webhooks.all() == []
        assert stores.seen.rows[-1] == Removed(kind="webhook", id="wh_1")
    async with open_stores(tmp_path / "hookbin.db") as stores:
        assert stores.webhooks.all() == []
        found = await stores.found(delivery)
        assert (found.state, found.webhook_name) == (DeliveryState.CANCELLED, "name of wh_1")


async def test_a_deleted_webhook_cannot_be_changed_back_to_life(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        webhook = await stores.register()
        await stores.webhooks.delete(webhook)
        with pytest.raises(WebhookNotFound):
            await stores.webhooks.edit(webhook.id, lambda now: replace(now, name="ghost"))
        assert stores.webhooks.all() == []
    async with open_stores(tmp_path / "hookbin.db") as stores:
        assert stores.webhooks.all() == []


async def test_of_two_changes_at_once_none_is_lost(stores: Stores) -> None:
    webhook = await stores.register()
    await asyncio.gather(
        stores.webhooks.edit(webhook.id, lambda now: replace(now, disabled=True)),
        stores.webhooks.edit(webhook.id, lambda now: replace(now, name="new")),
    )
    assert stores.webhooks.get(webhook.id) == replace(webhook, disabled=True, name="new")


async def test_a_forward_target_that_is_saved_again_keeps_its_record_until_that_enables_it(stores: Stores) -> None:
    bin = await stores.make_bin()
    target = a_webhook("wh_f", kind=WebhookKind.FORWARD, bin_id=bin.id)
    await stores.bins.edit(bin, lambda now: now, forward=[target])
    await stores.webhooks.edit("wh_f", lambda now: replace(now, exhausted_in_a_row=2))
    await stores.bins.edit(bin, lambda now: now, forward=[replace(target, id="wh_g", timeout=3.0)])
    assert stores.webhooks.forwards_of(bin.id) == (replace(target, timeout=3.0, exhausted_in_a_row=2),)

    await stores.webhooks.edit("wh_f", lambda now: replace(now, disabled=True))
    await stores.bins.edit(bin, lambda now: now, forward=[target])
    assert stores.webhooks.forwards_of(bin.id) == (replace(target, generation=1),)
