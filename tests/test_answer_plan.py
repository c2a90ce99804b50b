"""What a bin answers: prepared once, and never able to break the protocol or the page."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin.answers.checks import check_response
from hookbin.answers.plan import SANDBOX, Plan, PreparedAnswer, next_step, prepare, refusal
from hookbin.conditions.incoming import Incoming
from hookbin.errors import FieldsInvalid, HookbinError, Overloaded, ShuttingDown, StorageFailed
from hookbin.models.answers import (
    AnswerRule,
    BinHandshake,
    BinResponse,
    Chance,
    Fault,
    Provider,
    SequenceEnd,
    SequenceStep,
    When,
)


def test_an_answer_has_its_owner_s_headers_its_length_and_the_sandbox() -> None:
    response = BinResponse(status=418, headers=(("X-A", "1"), ("x-a", "é")), body="é", delay_ms=250)

    prepared = prepare(response)

    assert prepared.status == 418
    assert prepared.headers == [(b"X-A", b"1"), (b"x-a", "é".encode("latin-1")), (b"content-length", b"2"), SANDBOX]
    assert prepared.body == "é".encode()
    assert prepared.delay_ms == 250


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, None), (205, b"0")])
def test_an_answer_that_has_no_body_by_its_status_has_none(status: int, length: bytes | None) -> None:
    prepared = prepare(BinResponse(status=status, body="not sent"))

    assert prepared.body == b""
    assert dict(prepared.headers).get(b"content-length") == length


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_taken_can_be_sent(name: str, value: str) -> None:
    try:
        response = check_response(BinResponse(headers=((name, value),)))
    except FieldsInvalid:
        return
    line = b"%b: %b\r\n" % prepare(response).headers[0]
    assert line.count(b"\n") == line.count(b"\r") == 1
    assert b"\0" not in line


def asked(
    response: BinResponse, method: str = "POST", *, headers: dict[str, str] | None = None, body: bytes = b"",
    random: float = 0.5, position: int = 0,
) -> PreparedAnswer:  # fmt: skip
    incoming = Incoming(method=method, target="/b/joe", headers=tuple((headers or {}).items()), body=body)
    plan = Plan(response)
    return plan.choose(incoming, random=lambda: random) or plan.at(position)


EVERYTHING = BinResponse(
    body="itself",
    cors=True,
    handshake=BinHandshake(provider=Provider.SLACK),
    rules=(AnswerRule(when=When(method="PUT"), body="first"), AnswerRule(when=When(method="PUT"), body="second")),
    chance=Chance(probability=0.3, body="lucky"),
    sequence=(SequenceStep(body="one"), SequenceStep(body="two")),
)


def test_what_comes_first_answers() -> None:
    preflight = {"origin": "https://example.com", "access-control-request-method": "PUT"}
    check = b'{"type": "url_verification", "challenge": "c"}'

    assert asked(EVERYTHING, "OPTIONS", headers=preflight).rule == "cors"
    assert asked(EVERYTHING, body=check).rule == "handshake:slack"
    assert asked(EVERYTHING, "PUT", random=0.0).rule == "rules[0]"
    assert asked(EVERYTHING, random=0.29).rule == "chance"
    assert asked(EVERYTHING, random=0.3).rule == "sequence[0]"
    assert asked(EVERYTHING, position=1).rule == "sequence[1]"
    assert asked(BinResponse(body="itself", cors=True)).rule is None


STEPS = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@given(STEPS, st.sampled_from(SequenceEnd), st.integers(0, 60))
def test_a_sequence_gives_each_step_as_often_as_it_is_repeated(
    repeats: list[int], then: SequenceEnd, count: int
) -> None:
    """Against the plainest model there is: the steps written out in a row."""
    response = BinResponse(sequence=tuple(SequenceStep(repeat=repeat) for repeat in repeats), then=then)
    row = [index for index, repeat in enumerate(repeats) for _ in range(repeat)]

    def model() -> list[int]:
        if then is SequenceEnd.CYCLE:
            return [row[position % len(row)] for position in range(count)]
        return list(islice(row + [row[-1]] * count, count))

    assert [next_step(response, position) for position in range(count)] == model()
    assert [asked(response, position=position).rule for position in range(count)] == [
        f"sequence[{index}]" for index in model()
    ]


def test_there_is_no_next_step_without_a_sequence() -> None:
    assert next_step(BinResponse(), 3) is None


def test_a_preflight_is_granted_what_it_asks_for() -> None:
    preflight = {
        "origin": "https://example.com",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "x-a, x-b",
    }
    answer = asked(BinResponse(cors=True), "OPTIONS", headers=preflight)

    headers = dict(answer.headers)
    assert (answer.status, answer.body) == (204, b"")
    assert headers[b"access-control-allow-origin"] == b"*"
    assert headers[b"access-control-allow-methods"] == b"PUT"
    assert headers[b"access-control-allow-headers"] == b"x-a, x-b"
    assert SANDBOX in answer.headers


@pytest.mark.parametrize("lacks", ["origin", "access-control-request-method"])
def test_an_options_request_that_is_no_preflight_gets_the_bin_s_answer(lacks: str) -> None:
    headers = {"origin": "https://example.com", "access-control-request-method": "PUT"}
    del headers[lacks]

    assert asked(BinResponse(cors=True, status=418), "OPTIONS", headers=headers).status == 418


@pytest.mark.parametrize("error", [Overloaded("x"), ShuttingDown("x"), StorageFailed("x")])
def test_a_refusal_is_open_to_pages_like_any_answer(error: HookbinError) -> None:
    for cors in (True, False):
        answer = refusal(error, cors=cors)
        assert ((b"access-control-allow-origin", b"*") in answer.headers) is cors
        assert (b"access-control-allow-origin: *" in answer.fields) is cors


def test_every_answer_is_open_to_pages_and_what_the_owner_sets_stands() -> None:
    own = BinResponse(cors=True, headers=(("Access-Control-Allow-Origin", "https://example.com"),))

    assert (b"access-control-allow-origin", b"*") in asked(BinResponse(cors=True)).headers
    assert [value for name, value in asked(own).headers if name.lower() == b"access-control-allow-origin"] == [
        b"https://example.com"
    ]


@pytest.mark.parametrize(
    "response",
    [
        BinResponse(),
        BinResponse(status=404, delay_ms=5),
        BinResponse(fault=Fault.RESET),
        BinResponse(template=True, status=204),
    ],
)
def test_a_bin_with_one_answer_is_plain(response: BinResponse) -> None:
    assert Plan(response).plain


def test_a_fault_without_an_answer_has_no_status() -> None:
    sent = {fault: prepare(BinResponse(fault=fault)).sent_status for fault in Fault}

    assert {fault for fault, status in sent.items() if status is None} == {
        Fault.RESET,
        Fault.HANG,
        Fault.GARBAGE,
        Fault.EMPTY,
    }
