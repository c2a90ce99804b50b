from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin import errors
from hookbin.delivery.explanations import Hold, Waiting, explain
from hookbin.delivery.retries import (
    DEFAULT_RETRY_ON,
    JITTER,
    MAX_RETRY_AFTER,
    RETRY_ON,
    SCHEDULES,
    Decision,
    Outcome,
    after,
    explain_streak,
    parse_retry_after,
    parse_retry_on,
    parse_schedule,
    streak,
)
from hookbin.models.common import SECOND
from hookbin.models.deliveries import TRANSITIONS, Action, CancelReason, DeliveryState, ErrorClass, Trigger
from tests.support import ROOT

NOW = int(datetime(2026, 11, 24, 6, 30, tzinfo=UTC).timestamp()) * SECOND
DAY = 24 * 3600 * SECOND
DEFAULT = SCHEDULES["default"]
NEVER_RETRIED = (ErrorClass.BLOCKED_TARGET, ErrorClass.SIGNING_ERROR, ErrorClass.UNSENDABLE)
NETWORK_ERRORS = [error for error in ErrorClass if error not in NEVER_RETRIED]


def decide(
    status: int | None = None,
    *,
    error: ErrorClass | None = None,
    retry_after: str | None = None,
    number: int = 1,
    schedule: tuple[float, ...] = DEFAULT,
    retry_on: tuple[str, ...] = DEFAULT_RETRY_ON,
    jitter: float = 0.0,
) -> Decision:
    outcome = Outcome(status=status, error=error, retry_after=retry_after, ended_at=NOW)
    return after(outcome, number=number, schedule=schedule, retry_on=retry_on, jitter=jitter)


@pytest.mark.parametrize("status", [-1, 0, 100, 101, 103, 199, 1000, 10**9])
def test_a_status_that_is_no_final_answer_counts_as_none(status: int) -> None:
    assert decide(status).action is Action.RESCHEDULE
    assert decide(status, retry_on=("5xx", "4xx", "3xx")).action is Action.FAIL


@pytest.mark.parametrize("status", [200, 404, 410])
def test_an_answer_that_broke_off_counts_as_none(status: int) -> None:
    decision = decide(status, error=ErrorClass.TIMEOUT)
    assert (decision.action, decision.disable) == (Action.RESCHEDULE, False)


def test_nothing_but_a_410_disables_the_webhook() -> None:
    assert [status for status in range(100, 1000) if decide(status, retry_on=RETRY_ON).disable] == [410]


def test_the_default_schedule_is_followed_and_then_it_fails() -> None:
    waits = [decide(500, number=number).next_attempt_at for number in range(1, 10)]
    assert waits == [NOW + s * SECOND for s in (1, 5, 30, 120, 600, 3600, 21600, 86400)] + [None]
    assert decide(500, number=9) == Decision(action=Action.FAIL)


def test_an_attempt_beyond_the_schedule_leaves_it_failed_or_delivers() -> None:
    assert decide(500, number=12) == decide(404, number=12) == Decision(action=Action.FAIL)
    assert decide(500, schedule=SCHEDULES["none"]).action is Action.FAIL
    assert decide(200, number=12).action is Action.SUCCEED


@pytest.mark.parametrize(("jitter", "wait"), [(-1.0, 8), (0.0, 10), (0.5, 11), (1.0, 12)])
def test_jitter_moves_a_wait_by_up_to_a_fifth(jitter: float, wait: int) -> None:
    assert decide(500, schedule=(10,), jitter=jitter).next_attempt_at == NOW + wait * SECOND


@pytest.mark.parametrize(
    ("retry_after", "known", "wait"),
    [
        ("120", {}, 120),
        ("120", {"jitter": 1.0}, 120),
        ("120", {"jitter": -1.0}, 120),
        ("0", {}, 1),
        ("2", {"number": 3}, 30),
        ("86401", {}, 86_400),
        ("86401", {"schedule": (200_000,)}, 200_000),
        ("1", {"number": 9}, None),
        ("1", {"retry_on": ("network",)}, None),
    ],
)
def test_retry_after_pushes_a_retry_later_by_a_day_at_most_and_makes_none(
    retry_after: str, known: dict[str, Any], wait: int | None
) -> None:
    expected = None if wait is None else NOW + wait * SECOND
    assert decide(503, retry_after=retry_after, **known).next_attempt_at == expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *((value, 120) for value in ("120", " 120\t", "0" * 5_000 + "120")),
        *((value, 120) for value in ("Tue, 24 Nov 2026 06:32:00 GMT", "Tuesday, 24-Nov-26 06:32:00 GMT")),
        ("Tue Nov 24 06:32:00 2026", 120),
        ("Tue Dec  1 06:30:00 2026", DAY // SECOND),
        ("Tuesday, 24-Nov-76 06:32:00 GMT", DAY // SECOND),
        ("Tuesday, 24-Nov-77 06:32:00 GMT", None),
        *(("9" * digits, DAY // SECOND) for digits in (6, 10, 11, 5_000)),
        *((value, None) for value in (None, "", "-1", "1.5", "٣", "120\x00", "120\n", "120, 240", "9" * 5000 + "x")),
        *((value, None) for value in ("Tue, 24 Nov 2026 06:29:59 GMT", "Tue, 24 Nov 2026 06:30:00 GMT")),
        *((value, None) for value in ("Tue, 24 Nov 2026 06:32:00", "Tue, 24 Nov 2026 06:32:00 +0100")),
        *((value, None) for value in ("Tue, 31 Nov 2026 06:32:00 GMT", "Tue, 24 Nov 0000 06:32:00 GMT")),
        *((value, None) for value in ("Tue, ٢٤ Nov 2026 06:32:00 GMT", "2026-11-24T06:32:00Z")),
    ],
)
def test_retry_after_is_read_in_all_its_forms_up_to_a_day_and_nonsense_and_the_past_are_ignored(
    value: str | None, seconds: int | None
) -> None:
    """A day of one digit in asctime's form has a space before it; a year of two is at most 50 years ahead."""
    assert parse_retry_after(value, now=NOW) == (None if seconds is None else NOW + seconds * SECOND)
    assert decide(503, retry_after=value).next_attempt_at == NOW + (seconds or 1) * SECOND


header_text = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.integers().map(str),
    st.from_regex(r"\A[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\Z"),
    st.datetimes(min_value=datetime(1900, 1, 1)).map(lambda when: f"{when:%a, %d %b %Y %H:%M:%S} GMT"),
)
outcomes = st.builds(
    Outcome,
    status=st.none() | st.integers(0, 1100),
    error=st.none() | st.sampled_from(ErrorClass),
    retry_after=st.none() | header_text,
    ended_at=st.integers(0, 4_000_000_000 * SECOND),
)
schedules = st.lists(st.floats(0, 2_592_000, exclude_min=True), max_size=50)


@given(value=header_text, now=st.integers(0, 4_000_000_000 * SECOND))
def test_no_text_whatever_makes_retry_after_raise_or_leave_its_day(value: str, now: int) -> None:
    instant = parse_retry_after(value, now=now)
    assert instant is None or now <= instant <= now + MAX_RETRY_AFTER


@given(
    outcome=outcomes,
    number=st.integers(1, 60),
    schedule=schedules,
    retry_on=st.sets(st.sampled_from(RETRY_ON)),
    jitter=st.floats(-1, 1),
)
def test_a_decision_is_legal_and_its_time_within_bounds(
    outcome: Outcome, number: int, schedule: list[float], retry_on: set[str], jitter: float
) -> None:
    decision = after(outcome, number=number, schedule=schedule, retry_on=retry_on, jitter=jitter)
    assert (DeliveryState.PENDING, decision.action) in TRANSITIONS
    assert (decision.next_attempt_at is not None) == (decision.action is Action.RESCHEDULE)
    if decision.next_attempt_at is not None:
        planned = outcome.ended_at + round(schedule[number - 1] * (1 + JITTER * jitter) * SECOND)
        assert planned <= decision.next_attempt_at <= max(planned, outcome.ended_at + MAX_RETRY_AFTER)


def test_the_named_schedules_are_those_of_the_design() -> None:
    assert parse_schedule("default") == (1, 5, 30, 120, 600, 3600, 21600, 86400)
    assert parse_schedule("standard") == (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert parse_schedule("fast") == (1, 2, 4, 8, 16, 32)
    assert parse_schedule("none") == ()


@pytest.mark.parametrize(
    ("value", "schedule"),
    [
        ("1,5,30", (1.0, 5.0, 30.0)),
        ("1, 5 , 30", (1.0, 5.0, 30.0)),
        ("0.5", (0.5,)),
        ([], ()),
        ([1, 0.25], (1.0, 0.25)),
        ([1] * 50, (1.0,) * 50),
    ],
)
def test_a_schedule_is_read_from_a_text_or_a_list(value: str | list[float], schedule: tuple[float, ...]) -> None:
    assert parse_schedule(value) == schedule
    assert all(isinstance(seconds, float) for seconds in parse_schedule(value))


@pytest.mark.parametrize(
    "value",
    ["", "quick", "1,,5", "1 5", "-1", "0", "1e3", "nan", "٣", "2592001", ",".join("1" * 51)]
    + [[0], [float("nan")], [10**400], [1.0] * 51],
)
def test_a_schedule_that_makes_no_sense_is_refused(value: str | list[float]) -> None:
    with pytest.raises(errors.FieldsInvalid) as refused:
        parse_schedule(value)
    assert [loc for loc, _ in refused.value.errors] == ["retry_schedule"]


def test_retry_on_keeps_its_order_and_loses_repeats() -> None:
    assert parse_retry_on(["429", "5xx", "429", "network"]) == ("429", "5xx", "network")
    assert parse_retry_on([]) == ()
    assert parse_retry_on(RETRY_ON) == RETRY_ON


@pytest.mark.parametrize("words", [["2xx"], ["5XX"], ["503"], [""], ["5xx", "x" * 500], "5xx"])
def test_retry_on_refuses_words_that_it_does_not_know(words: list[str] | str) -> None:
    with pytest.raises(errors.FieldsInvalid) as refused:
        parse_retry_on(words)
    [(loc, msg)] = refused.value.errors
    assert loc == "retry_on"
    assert "5xx, network, 408" in msg
    assert len(msg) < 120


PENDING, SUCCEEDED, FAILED, CANCELLED = DeliveryState
REFUSED, TIMEOUT, BLOCKED = ErrorClass.CONNECTION_REFUSED, ErrorClass.TIMEOUT, ErrorClass.BLOCKED_TARGET


EXPLAINED: list[tuple[DeliveryState, int, int | ErrorClass | None, dict[str, Any], str]] = [
    (PENDING, 0, None, {}, "Waiting for its first attempt, due at NOON."),
    (PENDING, 2, 503, {}, "503 is a server error; attempt 3 of 9 follows at NOON."),
    (PENDING, 8, 500, {}, "500 is a server error; attempt 9 of 9 follows at NOON."),
    (PENDING, 9, 500, {}, "500 is a server error; attempt 10 follows at NOON."),
    (PENDING, 1, 500, {"at": None}, "500 is a server error; attempt 2 of 9 follows."),
    (PENDING, 1, REFUSED, {}, "The connection was refused (connection_refused); attempt 2 of 9 follows at NOON."),
    (PENDING, 1, 101, {}, "101 is not a final answer; attempt 2 of 9 follows at NOON."),
    (PENDING, 1, 404, {}, "404 is a 4xx, which is not retried by itself; attempt 2 follows at NOON."),
    (PENDING, 1, 429, {"retry_on": ("429",)}, "429 is a 4xx; attempt 2 of 9 follows at NOON."),
    (SUCCEEDED, 3, 200, {}, "Delivered on attempt 3 with 200."),
    (FAILED, 1, 404, {}, "404 is a 4xx, so it was not retried."),
    (FAILED, 1, 302, {}, "302 is a redirect and those are not followed, so it was not retried."),
    (FAILED, 1, 410, {}, "410 means the destination is gone, so its webhook was disabled."),
    (FAILED, 1, 410, {"was_disabled": False}, "410 means the destination is gone, so it was not retried."),
    (FAILED, 1, 503, {"retry_on": ("network",)}, "503 is a server error, which this webhook does not retry."),
    (FAILED, 1, 503, {"retries": 0}, "503 is a server error, and its webhook's schedule has no retries."),
    (FAILED, 1, BLOCKED, {}, "The address may not be called (blocked_target), so it was not retried."),
    (
        FAILED,
        1,
        TIMEOUT,
        {"retry_on": ("5xx",)},
        "No complete answer came in time (timeout), which this webhook does not retry.",
    ),
    (FAILED, 9, 500, {}, "All 9 attempts failed, the last got 500, and nothing more is planned."),
    (FAILED, 9, TIMEOUT, {}, "All 9 attempts failed, the last got no answer (timeout), and nothing more is planned."),
    (FAILED, 2, 500, {}, "500 is a server error; nothing more is planned, so retry it to send it again."),
    (
        FAILED,
        9,
        500,
        {"disabled_reason": "3 deliveries in a row failed"},
        "All 9 attempts failed, the last got 500, and nothing more is planned;"
        " its webhook is disabled (3 deliveries in a row failed).",
    ),
    (CANCELLED, 0, None, {}, "Cancelled before its first attempt; retry it to send it."),
    (CANCELLED, 1, 500, {}, "Cancelled after 1 attempt; retry it to send it again."),
    (CANCELLED, 2, TIMEOUT, {}, "Cancelled after 2 attempts; retry it to send it again."),
]
WAITING: list[tuple[Waiting, int, str]] = [
    (Waiting(Hold.UNDER_WAY), 0, "Its first attempt is under way now."),
    (Waiting(Hold.UNDER_WAY), 2, "500 is a server error; attempt 3 of 9 is under way now."),
    (
        Waiting(Hold.RECEIVER),
        1,
        "500 is a server error; attempt 2 of 9 follows at NOON, as the answer's Retry-After asked.",
    ),
    (
        Waiting(Hold.PAUSED),
        1,
        "500 is a server error; attempt 2 of 9 waits: its webhook is paused, and nothing is sent until it is resumed.",
    ),
    (Waiting(Hold.PUBLISHER), 0, "Its first attempt follows at NOON, as its publisher asked."),
    (
        Waiting(Hold.ORDER, "delivery dlv_1,"),
        0,
        "Its first attempt follows after delivery dlv_1, which comes first: its webhook takes one at a time, in order.",
    ),
    (
        Waiting(Hold.RATE, "0.5 attempts a second"),
        1,
        "500 is a server error; attempt 2 of 9 is due and waits for its turn: its webhook takes 0.5 attempts a second.",
    ),
    (Waiting(Hold.PLACE), 0, "Its first attempt is due and begins as soon as there is a place for it."),
]
WHY_CANCELLED: list[tuple[CancelReason, int, str]] = [
    (CancelReason.OWNER, 0, "Cancelled by hand before its first attempt; retry it to send it."),
    (CancelReason.OWNER, 1, "Cancelled by hand after 1 attempt; retry it to send it again."),
    (
        CancelReason.WEBHOOK_DISABLED,
        2,
        "Cancelled after 2 attempts because its webhook was disabled; enable that and retry it to send it again.",
    ),
    (
        CancelReason.WEBHOOK_DELETED,
        0,
        "Cancelled before its first attempt because its webhook was deleted; nothing more is sent.",
    ),
    (
        CancelReason.LOOP,
        0,
        "Not sent: it goes in a circle, since it came through this bin or webhook before, or through too many;"
        " take out what leads back, or retry it to send it once.",
    ),
]


@pytest.mark.parametrize(
    ("state", "count", "last", "known", "sentence"),
    [
        *EXPLAINED,
        *((PENDING, count, 500 if count else None, {"waiting": waiting}, told) for waiting, count, told in WAITING),
        *((CANCELLED, count, None, {"cancel_reason": reason}, told) for reason, count, told in WHY_CANCELLED),
        (
            PENDING,
            9,
            500,
            {"waiting": Waiting(Hold.PLACE), "next_trigger": Trigger.MANUAL},
            "500 is a server error; attempt 10, asked for by hand, is due and begins as soon as there is a place"
            " for it.",
        ),
        (
            CANCELLED,
            1,
            500,
            {"waiting": Waiting(Hold.UNDER_WAY), "cancel_reason": CancelReason.OWNER},
            "Cancelled by hand while attempt 2 was under way: if that succeeds, so has it.",
        ),
    ],
)
def test_a_delivery_is_explained_in_a_sentence_that_knows_the_webhook_and_the_moment(
    state: DeliveryState, count: int, last: int | ErrorClass | None, known: dict[str, Any], sentence: str
) -> None:
    assert explained(state, count=count, last=last, **known) == sentence


@pytest.mark.parametrize("error", ErrorClass)
def test_every_class_of_error_has_words_and_names_itself(error: ErrorClass) -> None:
    assert f" ({error})" in explained(FAILED, count=1, last=error)


@pytest.mark.parametrize("retry_on", [DEFAULT_RETRY_ON, ("4xx", "3xx"), ()])
def test_what_is_decided_is_what_is_explained(retry_on: tuple[str, ...]) -> None:
    for last in (*range(100, 1000, 7), 408, 410, 429, *ErrorClass):
        status, error = (None, last) if isinstance(last, ErrorClass) else (last, None)
        decision = decide(status, error=error, retry_on=retry_on)
        state = TRANSITIONS[DeliveryState.PENDING, decision.action]
        sentence = explained(state, count=1, last=last, retry_on=retry_on)
        assert ("attempt 2 of 9 follows" in sentence) == (decision.action is Action.RESCHEDULE), last
        assert ("not retr" in sentence) == (decision.action is Action.FAIL and not decision.disable), last
        assert ("disabled" in sentence) == decision.disable, last
        assert ("Delivered" in sentence) == (decision.action is Action.SUCCEED), last


def explained(
    state: DeliveryState,
    *,
    count: int,
    last: int | ErrorClass | None,
    retry_on: tuple[str, ...] = DEFAULT_RETRY_ON,
    retries: int = 8,
    at: str | None = "NOON",
    **more: Any,
) -> str:
    return explain(
        state=state,
        attempt_count=count,
        next_attempt_at_text=at,
        last_status=None if isinstance(last, ErrorClass) else last,
        last_error=last if isinstance(last, ErrorClass) else None,
        retry_on=retry_on,
        schedule_length=retries,
        **more,
    )


# docs/delivery.md


def documented(heading: str) -> list[list[str]]:
    """The cells of the table in docs/delivery.md whose first column has that heading."""
    lines = (ROOT / "docs" / "delivery.md").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |")) + 2
    rows = takewhile(lambda line: line.startswith("|"), lines[start:])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


SAMPLES: dict[str, list[int | ErrorClass]] = {
    "2xx": [200, 201, 202, 204, 299],
    "3xx": [300, 301, 302, 304, 307, 308, 399],
    "408": [408],
    "429": [429],
    "410": [410],
    "other 4xx": [400, 401, 403, 404, 409, 411, 422, 425, 428, 430, 499],
    "5xx and above": [500, 501, 502, 503, 504, 599, 600, 999],
    "an address that policy forbids, a secret that can't sign, or what HTTP can't carry": [*NEVER_RETRIED],
    "no answer, or no final one": [*NETWORK_ERRORS, 101, 103],
}


def test_the_documented_table_is_what_decides() -> None:
    rows = documented("what came back")
    assert [row[0] for row in rows] == list(SAMPLES)
    for what, retried_when, otherwise in rows:
        words = set(re.findall(r"`(\w+)`", retried_when))
        for sample in SAMPLES[what]:
            known = {"error": sample} if isinstance(sample, ErrorClass) else {"status": sample}
            retried = {word for word in RETRY_ON if decide(**known, retry_on=(word,)).action is Action.RESCHEDULE}
            assert retried == words, what
            unnamed = decide(**known, retry_on=())
            assert unnamed.action is (Action.SUCCEED if otherwise == "succeeded" else Action.FAIL)
            assert unnamed.disable == ("disabled" in otherwise)


def test_the_documented_schedules_are_those_there_are() -> None:
    rows = documented("name")
    assert [row[0].strip("`") for row in rows] == list(SCHEDULES)
    assert [int(row[2]) for row in rows] == [len(waits) + 1 for waits in SCHEDULES.values()]


# Failures in a row


@pytest.mark.parametrize(
    ("after", "trigger", "count"),
    [
        (DeliveryState.SUCCEEDED, Trigger.AUTO, 0),
        (DeliveryState.SUCCEEDED, Trigger.MANUAL, 0),
        (DeliveryState.FAILED, Trigger.AUTO, 5),
        (DeliveryState.FAILED, Trigger.MANUAL, 4),
        (DeliveryState.PENDING, Trigger.AUTO, 4),
        (DeliveryState.CANCELLED, Trigger.AUTO, 4),
    ],
)
def test_what_counts_as_a_failure_in_a_row(after: DeliveryState, trigger: Trigger, count: int) -> None:
    assert streak(4, after, trigger=trigger) == count


def test_why_a_webhook_was_disabled_is_said_in_words() -> None:
    assert explain_streak(1, last_status=500, last_error=None) == "1 delivery failed; the last attempt got 500"
    reason = explain_streak(5, last_status=None, last_error=ErrorClass.DNS_ERROR)
    assert reason == "5 deliveries in a row failed; the last attempt got no answer (dns_error)"
