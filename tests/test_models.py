"""The frozen types and the table of what may happen to a delivery."""

from __future__ import annotations

import pytest

from hookbin.models.common import SECOND
from hookbin.models.deliveries import TRANSITIONS, Action, AttemptSummary, DeliveryState, attempt_id
from hookbin.models.events import Event, EventSummary
from hookbin.models.requests import CapturedRequest, RequestSummary
from tests.builders import a_bin, a_delivery, a_request, a_webhook, an_attempt, an_event

OUTCOMES = {
    Action.SUCCEED: DeliveryState.SUCCEEDED,
    Action.RESCHEDULE: DeliveryState.PENDING,
    Action.FAIL: DeliveryState.FAILED,
}
"""What an attempt makes of a delivery that is pending."""


@pytest.mark.parametrize("state", list(DeliveryState))
def test_what_may_be_done_to_a_delivery_in_each_state(state: DeliveryState) -> None:
    done = {action: TRANSITIONS.get((state, action)) for action in Action if action not in OUTCOMES}

    assert done == {
        Action.CANCEL: DeliveryState.CANCELLED if state is DeliveryState.PENDING else None,
        Action.RETRY: None if state is DeliveryState.SUCCEEDED else DeliveryState.PENDING,
        Action.REPLAY: DeliveryState.PENDING,
    }


@pytest.mark.parametrize("action", OUTCOMES)
@pytest.mark.parametrize("state", list(DeliveryState))
def test_an_outcome_ends_what_is_pending_and_of_what_has_ended_success_alone_changes_anything(
    state: DeliveryState, action: Action
) -> None:
    if state is DeliveryState.PENDING or action is Action.SUCCEED:
        assert TRANSITIONS[state, action] is OUTCOMES[action]
    else:
        assert TRANSITIONS[state, action] is state


def test_an_attempts_id_follows_from_its_delivery_and_number() -> None:
    assert attempt_id("dlv_0abc", 3) == "att_0abc_3"
    delivery = a_delivery(an_event(), a_webhook())
    assert an_attempt(delivery, number=2).id == attempt_id(delivery.id, 2)


def test_a_full_row_is_a_kind_of_its_summary() -> None:
    delivery = a_delivery(an_event(), a_webhook())
    assert isinstance(a_request(a_bin()), RequestSummary)
    assert isinstance(an_event(), EventSummary)
    assert isinstance(an_attempt(delivery), AttemptSummary)
    assert issubclass(CapturedRequest, RequestSummary)
    assert issubclass(Event, EventSummary)


@pytest.mark.parametrize("row", [a_bin(), a_webhook(), an_event(), a_request(a_bin())])
def test_rows_are_frozen(row: object) -> None:
    with pytest.raises(AttributeError):
        row.id = "other"  # type: ignore[attr-defined]


def test_a_second_is_a_million_microseconds() -> None:
    assert SECOND == 1_000_000
