"""Trails: what led to an event is known again, and only if it was this database that wrote it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin.delivery.trails import Trails, hops_of
from hookbin.models.deliveries import CancelReason, DeliveryState
from hookbin.models.webhooks import WebhookKind
from tests.builders import Stores, a_request, a_webhook

OURS, THEIRS = Trails(lambda: b"k" * 32), Trails(lambda: b"q" * 32)
ids = st.lists(st.text(min_size=1, max_size=30), max_size=12)


def trail_of(places: list[str]) -> str:
    trail = ""
    for place in places:
        trail = OURS.through(trail, place)
    return trail


@given(places=ids, webhook=st.text(min_size=1))
def test_a_trail_comes_back_as_it_went_out_with_the_webhook_that_it_went_through(
    places: list[str], webhook: str
) -> None:
    header = OURS.sealed(trail_of(places), webhook)
    trail = OURS.read(header)
    assert trail == trail_of([*places, webhook])
    assert all(OURS.has_passed(trail, place) for place in (*places, webhook))
    assert not OURS.has_passed(trail, "elsewhere" * 10)
    assert hops_of(trail) == (len(places) + 2) // 2
    assert re.fullmatch(r"[A-Za-z0-9_.=-]+", header)
    assert len(header) < 9 * (len(places) + 1) + 17


@given(places=ids, cut=st.integers(0, 200), text=st.text())
def test_what_others_make_of_a_trail_is_none(places: list[str], cut: int, text: str) -> None:
    header = OURS.sealed(trail_of(places), "wh_1")
    for forged in (THEIRS.sealed(trail_of(places), "wh_1"), header[cut % len(header) + 1 :], text, f"{header}.x", None):
        assert OURS.read(forged) == ""
    shortened = header.split(".")[1:]
    assert OURS.read(".".join(shortened)) == ""


def test_no_id_stands_in_a_trail() -> None:
    assert "secretbinid" not in OURS.sealed(OURS.through("", "bin_secretbinid"), "wh_1")


@pytest.mark.anyio
async def test_an_event_goes_to_no_webhook_that_led_to_it_also_after_a_restart(stores: Stores) -> None:
    for id in ("wh_1", "wh_2"):
        await stores.register(id)
    trail = stores.trails.read(stores.trails.sealed("", "wh_1"))
    published = await stores.publisher.publish_json("a", b"1", trail=trail)
    assert [(each.webhook_id, each.state, each.cancel_reason) for each in published.deliveries] == [
        ("wh_1", DeliveryState.CANCELLED, CancelReason.LOOP),
        ("wh_2", DeliveryState.PENDING, None),
    ]
    found = await stores.events.get(published.event.id)
    assert found is not None
    assert found.trail == trail


@pytest.mark.anyio
@pytest.mark.parametrize("passed", ["bin", "wh_f"])
async def test_a_capture_is_not_sent_on_where_it_was_before(stores: Stores, passed: str) -> None:
    bin = await stores.make_bin()
    for id in ("wh_f", "wh_g"):
        await stores.webhooks.create(
            a_webhook(id, kind=WebhookKind.FORWARD, bin_id=bin.id, destination=f"http://localhost:1/{id}")
        )
    header = stores.trails.sealed(stores.trails.through("", bin.id if passed == "bin" else passed), "wh_other")
    forward = stores.forwarding.of_capture(a_request(bin, headers=(("Hookbin-Trail", header),)))
    assert forward is not None
    loops = [each.webhook_id for each in forward.deliveries if each.cancel_reason is CancelReason.LOOP]
    assert loops == (["wh_f", "wh_g"] if passed == "bin" else ["wh_f"])
    assert stores.trails.has_passed(forward.event.trail, bin.id)
