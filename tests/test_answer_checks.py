"""What can not be answered is refused when it is saved, each mistake at its place."""

from __future__ import annotations

import pytest

from hookbin.answers.checks import MAX_SIZE, MAX_TEMPLATE, check_response
from hookbin.answers.presets import PRESETS
from hookbin.errors import FieldsInvalid
from hookbin.models.answers import AnswerRule, BinHandshake, BinResponse, Chance, Fault, Provider, SequenceStep, When


@pytest.mark.parametrize(
    "header",
    [("a b", "1"), ("", "1"), ("x", "a\r\nb"), ("x", "\0"), ("x", "☃"), ("Content-Length", "1"), ("TE", "1"),
     ("transfer-encoding", "chunked"), ("CONNECTION", "close"), ("Content-Security-Policy", "script-src *")],
    ids=repr,
)  # fmt: skip
def test_a_header_that_would_break_an_answer_or_is_not_the_owner_s_is_refused(header: tuple[str, str]) -> None:
    response = BinResponse(headers=(("proxy-authenticate", "Basic"), ("x", "é"), header))
    assert places(response) == ["response.headers[2]"]


def test_each_header_that_is_wrong_is_named() -> None:
    response = BinResponse(headers=(("a b", "1"), ("ok", "1"), ("x", "\n")))
    assert places(response) == ["response.headers[0]", "response.headers[2]"]


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
        (BinResponse(headers=(("ok", "{"), ("x", "a {{ request.path }}"))), "response.headers[1]"),
        (BinResponse(chance=Chance(probability=1, headers=(("x", "{% if x %}"),))), "response.chance.headers[0]"),
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
