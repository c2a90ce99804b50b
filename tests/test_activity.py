"""What bins and webhooks did lately: counts over the last minutes, and a webhook's health."""

from __future__ import annotations

from msgspec.structs import replace

from hookbin.live.activity import ATTEMPTS, BARS, COUNTED, SPAN, Activity
from hookbin.models.announcements import Removed
from hookbin.models.common import SECOND
from hookbin.models.deliveries import AttemptSummary, DeliveryState
from tests.builders import a_bin, a_delivery, a_request, a_webhook, an_attempt, an_event
from tests.support import FakeClock

DELIVERY = a_delivery(an_event(), a_webhook())


def begun() -> tuple[FakeClock, Activity]:
    clock = FakeClock()
    return clock, Activity(now=clock.now)


def attempt(clock: FakeClock, *, ok: bool = True, duration: int = 1_000) -> AttemptSummary:
    state = DeliveryState.SUCCEEDED if ok else DeliveryState.PENDING
    return an_attempt(DELIVERY, started_at=clock.now(), delivery_state=state, duration=duration)


def test_captures_are_counted_in_the_span_they_came_in() -> None:
    clock, activity = begun()
    bin = a_bin()
    activity.committed([a_request(bin, received_at=clock.now())] * 3)
    clock.advance(SPAN / SECOND)
    activity.committed([a_request(bin, received_at=clock.now())])

    assert activity.counts(bin.id) == [0] * (BARS - 2) + [3, 1]
    assert activity.counts("bin_other") == [0] * BARS


def test_what_is_older_than_the_chart_is_forgotten() -> None:
    clock, activity = begun()
    bin = a_bin()
    activity.committed([a_request(bin, received_at=clock.now())])
    clock.advance(BARS * SPAN / SECOND)
    assert activity.counts(bin.id) == [0] * BARS

    activity.committed([a_request(bin, received_at=clock.now())])
    assert sum(activity.counts(bin.id)) == 1


def test_a_flood_of_bins_is_counted_up_to_a_bound() -> None:
    clock, activity = begun()
    activity.committed(a_request(a_bin(id=f"bin_{n}"), received_at=clock.now()) for n in range(COUNTED + 5))

    assert sum(activity.counts(f"bin_{COUNTED - 1}")) == 1
    assert sum(activity.counts(f"bin_{COUNTED + 1}")) == 0


def test_health_is_made_from_the_newest_attempts() -> None:
    clock, activity = begun()
    activity.committed([attempt(clock, ok=False)] * 50)
    activity.committed([attempt(clock, duration=n) for n in range(1, ATTEMPTS + 1)])

    health = activity.health(DELIVERY.webhook_id)
    assert (health.attempts, health.succeeded, health.percent) == (ATTEMPTS, ATTEMPTS, 100)
    assert health.p95 == ATTEMPTS * 95 // 100


def test_the_attempts_of_a_bounded_number_of_webhooks_are_remembered() -> None:
    clock, activity = begun()
    one = attempt(clock)
    activity.committed(replace(one, webhook_id=f"wh_{n}") for n in range(COUNTED + 1))

    assert activity.health("wh_0").attempts == 0
    assert activity.health("wh_1").attempts == activity.health(f"wh_{COUNTED}").attempts == 1


def test_a_share_that_is_not_all_is_not_rounded_up_to_all() -> None:
    clock, activity = begun()
    activity.committed([attempt(clock, ok=False), *[attempt(clock)] * (ATTEMPTS - 1)])

    assert activity.health(DELIVERY.webhook_id).percent == 99


def test_a_webhook_without_attempts_and_a_deleted_one_have_no_health() -> None:
    clock, activity = begun()
    activity.committed([attempt(clock)])
    activity.committed([Removed(kind="webhook", id=DELIVERY.webhook_id)])

    health = activity.health(DELIVERY.webhook_id)
    assert (health.attempts, health.percent, health.p95) == (0, None, None)
