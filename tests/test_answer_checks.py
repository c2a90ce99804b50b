"""What can not be answered is refused when it is saved, each mistake at its place."""

from __future__ import annotations

import pytest

from hookbin.answers.checks import MAX_SIZE, MAX_TEMPLATE, check_headers, check_response
from hookbin.answers.presets import PRESETS
from hookbin.errors import FieldsInvalid
from hookbin.models.answers import AnswerRule, BinHandshake, BinResponse, Chance, Fault, Provider, SequenceStep, When


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r", "a\n", "é", "(a)", "a" * 257])
def test_a_header_name_is_a_token(name: str) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        check_headers((("ok", "1"), (name, "1")), loc="response.headers")
    assert [loc for loc, _ in caught.value.errors] == ["response.headers[1]"]


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\0", "\x7f", "☃", " a", "a ", "a" * 8193])
def test_a_header_value_is_one_line_of_latin_1(value: str) -> None:
    with pytest.raises(FieldsInvalid):
        check_headers((("x", value),), loc="headers")


@pytest.mark.parametrize(
    "name",
    ["Content-Length", "TRANSFER-ENCODING", "connection", "Keep-Alive", "upgrade", "te", "trailer", "proxy-connection"],
)
def test_what_belongs_to_the_connection_is_not_the_owner_s_to_set(name: str) -> None:
    with pytest.raises(FieldsInvalid):
        check_headers(((name, "1"),), loc="headers")


def test_the_sandbox_can_not_be_taken_off() -> None:
    with pytest.raises(FieldsInvalid):
        check_headers((("Content-Security-Policy", "script-src *"),), loc="headers")


def test_each_header_that_is_wrong_is_named() -> None:
    with pytest.raises(FieldsInvalid) as caught:
        check_headers((("a b", "1"), ("ok", "1"), ("x", "\n")), loc="headers")
    assert [loc for loc, _ in caught.value.errors] == ["headers[0]", "headers[2]"]


BAD = (("a b", "1"),)


def places(response: BinResponse) -> list[str]:
    with pytest.raises(FieldsInvalid) as caught:
        check_response(response)
    return [loc for loc, _ in caught.value.errors]


def test_each_step_s_headers_are_looked_at() -> None:
    response = BinResponse(
        headers=BAD,
        rules=(AnswerRule(when=When()), AnswerRule(when=When(), headers=(("ok", "1"), *BAD))),
        chance=Chance(probability=1, headers=BAD),
        sequence=(SequenceStep(headers=BAD),),
    )

    assert places(response) == [
        "response.headers[0]",
        "response.rules[1].headers[1]",
        "response.chance.headers[0]",
        "response.sequence[0].headers[0]",
    ]


@pytest.mark.parametrize(
    ("response", "loc"),
    [
        (BinResponse(rules=(AnswerRule(when=When(path="x")),)), "response.rules[0].when.path"),
        (BinResponse(body="\ud800"), "response.body"),
        (BinResponse(fault=Fault.DRIP, status=204), "response.fault"),
        (BinResponse(fault=Fault.TRUNCATE, status=304), "response.fault"),
        (BinResponse(template=True, body="x" * (MAX_TEMPLATE + 1)), "response.body"),
        (BinResponse(body="x" * (MAX_SIZE + 1)), "response"),
        (BinResponse(sequence=(SequenceStep(body="x" * (MAX_SIZE // 2)),) * 3), "response"),
        (BinResponse(handshake=BinHandshake(provider=Provider.META)), "response.handshake.secret"),
        (BinResponse(handshake=BinHandshake(provider=Provider.ZOOM, secret="")), "response.handshake.secret"),
        (BinResponse(handshake=BinHandshake(provider=Provider.SLACK, secret="s")), "response.handshake.secret"),
    ],
)
def test_what_can_not_be_used_is_named(response: BinResponse, loc: str) -> None:
    assert places(response) == [loc]


def test_every_preset_can_be_saved() -> None:
    for preset in PRESETS:
        assert check_response(preset.response) is preset.response
