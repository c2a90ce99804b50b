"""The frozen types and the table of what may happen to a delivery."""

from __future__ import annotations

import pytest

from hookbin.models.common import SECOND
from hookbin.models.deliveries import TRANSITIONS, Action, AttemptSummary, DeliveryState, attempt_id
from hookbin.models.events import Event, EventSummary
from hookbin.models.requests import CapturedRequest, RequestSummary
from tests.builders import a_bin, a_delivery, a_request, a_webhook, an_attempt, an_event

ENDED = (DeliveryState.SUCCEEDED, DeliveryState.FAILED, DeliveryState.CANCELLED)


def test_every_state_and_action_of_the_table_is_known() -> None:
    assert all(state in DeliveryState and action in Action for state, action in TRANSITIONS)


@pytest.mark.parametrize("action", list(Action))
def test_everything_may_happen_to_what_is_pending(action: Action) -> None:
    assert (DeliveryState.PENDING, action) in TRANSITIONS


def test_what_succeeded_can_only_be_replayed() -> None:
    possible = {action: after for (before, action), after in TRANSITIONS.items() if before is DeliveryState.SUCCEEDED}
    assert possible == {Action.REPLAY: DeliveryState.PENDING}


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.CANCELLED])
def test_what_failed_or_was_cancelled_can_only_be_retried_or_replayed(state: DeliveryState) -> None:
    possible = {action: after for (before, action), after in TRANSITIONS.items() if before is state}
    assert possible == {Action.RETRY: DeliveryState.PENDING, Action.REPLAY: DeliveryState.PENDING}


def test_each_way_out_of_pending_leads_where_its_name_says() -> None:
    pending = DeliveryState.PENDING
    assert TRANSITIONS[pending, Action.SUCCEED] is DeliveryState.SUCCEEDED
    assert TRANSITIONS[pending, Action.FAIL] is DeliveryState.FAILED
    assert TRANSITIONS[pending, Action.CANCEL] is DeliveryState.CANCELLED
    assert TRANSITIONS[pending, Action.RESCHEDULE] is pending
    assert TRANSITIONS[pending, Action.RETRY] is pending
    assert TRANSITIONS[pending, Action.REPLAY] is pending


def test_every_ended_state_is_reached_from_pending_alone() -> None:
    assert all(before is DeliveryState.PENDING for (before, _), after in TRANSITIONS.items() if after in ENDED)


def test_an_attempts_id_follows_from_its_delivery_and_number() -> None:
    assert attempt_id("dlv_0abc", 3) == "att_0abc_3"
    delivery = a_delivery(an_event(), a_webhook())
    assert an_attempt(1, delivery, number=2).id == attempt_id(delivery.id, 2)


def test_a_full_row_is_a_kind_of_its_summary() -> None:
    delivery = a_delivery(an_event(), a_webhook())
    assert isinstance(a_request(1, a_bin()), RequestSummary)
    assert isinstance(an_event(), EventSummary)
    assert isinstance(an_attempt(1, delivery), AttemptSummary)
    assert issubclass(CapturedRequest, RequestSummary)
    assert issubclass(Event, EventSummary)


@pytest.mark.parametrize("row", [a_bin(), a_webhook(), an_event(), a_request(1, a_bin())])
def test_rows_are_frozen(row: object) -> None:
    with pytest.raises(AttributeError):
        row.id = "other"  # type: ignore[attr-defined]


def test_a_second_is_a_million_microseconds() -> None:
    assert SECOND == 1_000_000
