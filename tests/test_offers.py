"""What of a captured request is offered: each a condition that it meets, and a variable with its value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin.answers.offers import Offer, offers_of, when_of
from hookbin.conditions.incoming import Incoming
from hookbin.conditions.matching import complaints, matcher
from hookbin.models.answers import When
from hookbin.models.common import Headers
from hookbin.templating.rendering import RenderJob, TemplateRequest, render

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["items", "a*b?", "\\", 'k"', "two words", "'"]
)
VALUES: Any = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def incoming(path: str = "/", *, headers: Headers = (), body: Any = None, method: str = "POST") -> Incoming:
    content = b"" if body is None else json.dumps(body).encode()
    return Incoming(method=method, target=f"/b/joe{path}", headers=headers, body=content)


def rendered(offer: Offer, seen: Incoming) -> Any:
    request = TemplateRequest(
        method=seen.method, path=seen.path, query=seen.query_string, headers=seen.fields, body=seen.body
    )
    result = render(RenderJob(source=f"{{{{ {offer.variable} | tojson }}}}", request=request))
    assert result.text is not None, (offer, result.error)
    return json.loads(result.text)


@given(VALUES, st.dictionaries(st.sampled_from(["x-event", "User-Agent", "a"]), TEXTS, max_size=3))
def test_the_request_meets_each_and_a_template_reads_it(body: Any, headers: dict[str, str]) -> None:
    fields = tuple((name, value.encode().decode("latin-1")) for name, value in headers.items())
    seen = incoming("/a*/%20?q=1&items=%2A", headers=fields, body=body)

    offers = offers_of(seen)

    assert matcher(when_of(seen, offers))(seen)
    for offer in offers:
        when = When(**{offer.kind: {offer.name: offer.value}})  # type: ignore[arg-type]
        assert list(complaints(when)) == []
        assert matcher(when)(seen), offer
        assert offer.shown in (rendered(offer, seen), json.dumps(rendered(offer, seen), ensure_ascii=False))


@pytest.mark.parametrize(
    ("seen", "when"),
    [
        (incoming("/hooks", headers=(("X-GitHub-Event", "push"),)), When(header={"x-github-event": "push"})),
        (incoming("/hooks", body={"type": "invoice.paid", "id": 7}), When(json={"type": "invoice.paid"})),
        (
            incoming("/hooks", headers=(("X-GitHub-Event", "issues"),), body={"action": "opened", "type": "x"}),
            When(header={"x-github-event": "issues"}, json={"action": "opened"}),
        ),
        (incoming("/hooks?state=*", body=[{"event": "open", "email": "a"}]), When()),
        (
            incoming("/hooks", headers=(("X-Twilio-Email-Event-Webhook-Signature", "x"),), body=[{"event": "open"}]),
            When(json={"[0].event": "open"}),
        ),
        (incoming("/hooks", body={"id": 7}), When()),
    ],
)
def test_a_rule_asks_for_what_tells_the_kind_of_event(seen: Incoming, when: When) -> None:
    made = when_of(seen, offers_of(seen))

    assert (made.method, made.path) == ("POST", "/hooks")
    assert (made.header, made.query, made.json) == (when.header, when.query, when.json)


def test_what_is_deep_or_long_is_left_out() -> None:
    body = b'{"deep": %b, "long": "%b", "many": %b}' % (
        b"[" * 900 + b"1" + b"]" * 900,
        b"x" * 300,
        b"%a" % [*range(99)],
    )
    offers = offers_of(Incoming(target="/b/joe", body=body))

    assert [offer.name for offer in offers] == [f"many[{index}]" for index in range(30)]
