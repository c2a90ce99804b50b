"""The answer that a captured request got, made again: from the response that the bin had then."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from hookbin.answers.given import given_answer
from hookbin.conditions.incoming import captured
from hookbin.models.answers import (
    AnswerRule,
    BinHandshake,
    BinResponse,
    Chance,
    Fault,
    Provider,
    SequenceStep,
    Step,
    When,
)
from hookbin.models.requests import Malformed
from hookbin.store.past_responses import MAX_PAST
from tests.builders import Stores, a_bin, a_request
from tests.support import Server

RESPONSE = BinResponse(
    status=202,
    body="base",
    delay_ms=3,
    rules=(AnswerRule(status=404, body="rule", when=When(path="/x")),),
    chance=Chance(status=503, body="chance", probability=0.5),
    sequence=(SequenceStep(body="first"), SequenceStep(status=500, fault=Fault.DRIP, body="second")),
    handshake=BinHandshake(provider=Provider.SLACK),
    cors=True,
)
CHALLENGE = b'{"type":"url_verification","challenge":"abc"}'

ANSWERS: list[tuple[dict[str, Any], str | None]] = [
    ({"answer_status": 202, "answer_delay_ms": 3}, "base"),
    ({"answer_status": 404, "answer_rule": "rules[0]"}, "rule"),
    ({"answer_status": 503, "answer_rule": "chance"}, "chance"),
    ({"answer_status": 200, "answer_rule": "sequence[0]"}, "first"),
    ({"answer_status": 500, "answer_rule": "sequence[1]", "answer_fault": "drip"}, "second"),
    ({"answer_status": 200, "answer_rule": "handshake:slack", "body": CHALLENGE}, "abc"),
    ({"answer_status": 413, "truncated": True}, "the body is larger than this bin keeps; what fits was kept\n"),
    # what such a response did not give
    ({"answer_status": 200, "answer_rule": "sequence[2]"}, None),
    ({"answer_status": 201, "answer_delay_ms": 3}, None),
    ({"answer_status": 202, "answer_delay_ms": 0}, None),
    ({"answer_status": 200, "answer_rule": "handshake:slack"}, None),
    ({"answer_status": 200, "answer_rule": "of another time"}, None),
    ({"answer_status": 408, "incomplete": True}, None),
    ({"answer_status": 400, "malformed": Malformed(reason="no HTTP", offset=0)}, None),
]


@pytest.mark.parametrize(("changes", "body"), ANSWERS)
def test_an_answer_is_made_again_from_what_chose_it(changes: dict[str, Any], body: str | None) -> None:
    request = a_request(a_bin(), **changes)
    answer = given_answer(RESPONSE, request, captured(request))
    assert (None if answer is None else answer.body.decode()) == body
    if answer is not None:
        assert (b"access-control-allow-origin", b"*") in answer.headers


def test_what_a_template_wrote_is_not_known_but_why_it_failed_is() -> None:
    response = BinResponse(body="{{ request.method }}", template=True)
    request = a_request(a_bin(), answer_status=200)
    answer = given_answer(response, request, captured(request))
    assert answer is not None
    assert answer.template == Step(body="{{ request.method }}", template=True) or answer.template is response
    failed = replace(request, answer_status=500, answer_error="the template failed: 'x' is undefined")
    answer = given_answer(response, failed, captured(failed))
    assert answer is not None
    assert answer.body == b"the template of this bin's answer failed: 'x' is undefined\n"


@pytest.mark.anyio
async def test_a_response_is_kept_for_those_it_answered_and_only_so_many_are(stores: Stores) -> None:
    bin = await stores.bins.create(name="joe", response=BinResponse(body="0"), max_requests=100, max_age=None)
    kept = []
    for number in range(1, MAX_PAST + 3):
        stores.clock.advance(1)
        request = a_request(bin, received_at=stores.clock.now())
        await stores.requests.add(request, bin)
        kept.append(request)
        changed = replace(bin, response=BinResponse(body=str(number)))
        bin = await stores.bins.edit(bin, lambda _, changed=changed: changed)  # type: ignore[misc]
        bin = await stores.bins.edit(bin, lambda now: replace(now, max_requests=99))  # no other response
    meanwhile = a_request(bin, received_at=stores.clock.now(), seq=10**6)
    found = [await stores.bins.response_to(bin, each) for each in [*kept, replace(meanwhile, received_at=10**17)]]
    assert [each and each.body for each in found] == [None, None, *map(str, range(2, MAX_PAST + 3))]
    assert await stores.bins.response_to(bin, meanwhile) is None, "it came while the response was changed"
    await stores.bins.delete(bin)
    assert await stores.database.read("SELECT * FROM past_responses") == []


def test_the_page_shows_the_answer_whole_after_the_bin_answers_otherwise(server: Server) -> None:
    first = {"status": 418, "body": '{"short": "<b>"}', "headers": [["content-type", "application/json"], ["X-A", "1"]]}
    server.post("/bins", {"name": "given", "response": {"sequence": [{"status": 503}, first]}})
    for _ in range(2):
        server.call("GET", "/b/given")
    server.patch("/bins/given", {"response": {"body": "{{ request.method }}", "template": True}})
    server.call("GET", "/b/given")

    def text_of(request: Any) -> str:
        page = httpx.get(f"{server.url}/ui/bins/given?request={request['id']}&tab=answer", trust_env=False).text
        section = page[page.index("answer-title") : page.index("</section>", page.index("answer-title"))]
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", section)).split())

    _, second, newest = server.captured("given")
    assert "step 2 of the sequence" in text_of(second)
    assert "X-A 1 content-length 16 content-security-policy sandbox" in text_of(second)
    assert '{ "short" : "<b>" }' in text_of(second)
    assert "made from this template; what that wrote is not kept. Body {{ request.method }}" in text_of(newest)
