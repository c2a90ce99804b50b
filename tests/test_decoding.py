"""Bodies and queries as types: what can be read, and what is said of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hookbin.bodies import strict_json
from hookbin.bodies.strict_json import LEVELS
from hookbin.errors import BrokenJson, FieldsInvalid
from hookbin.shapes.bins import NewBin
from hookbin.shapes.events import NewEvent
from hookbin.shapes.webhooks import NewWebhook
from hookbin.web.rest.paging import PageQuery
from hookbin.web.rest.routing import decode_json, decode_pairs

DEEP = 100_000
WEBHOOK = {"name": "test", "destination": "http://localhost:1/hook"}


def deep(before: bytes, each: bytes = b"[", end: bytes = b"]", after: bytes = b"}") -> bytes:
    return before + each * DEEP + end * DEEP + after


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"{'type': 'a'}",
        b'{"type": "a", "data": 1,}',
        b'{"type": "a", "data": 1} 2',
        b'{"name": undefined}',
        b"name=joe",
        b'\xef\xbb\xbf{"type": "a", "data": 1}',
        '{"type": "a", "data": 1}'.encode("utf-16"),
        b'{"type": "\xff", "data": 1}',
        deep(b'{"type": "a", "data": '),
        deep(b'{"type": "a", "data": ', b'{"a":', b"}"),
        deep(b"", after=b""),
    ],
)
def test_what_is_no_json_is_broken(content: bytes) -> None:
    with pytest.raises((BrokenJson, FieldsInvalid)):
        decode_json(content, NewEvent)


@pytest.mark.parametrize(
    "data",
    [
        *(b"NaN", b"Infinity", b"-Infinity", b"-", b"01", b"1.", b"tru", b"'x'", b"[1,]", b""),
        *(b'"\\x"', b'"\x01"', b'"a\nb"', b'"\xff"'),
    ],
)
def test_data_is_looked_into_although_it_is_sent_as_it_is(data: bytes) -> None:
    with pytest.raises(BrokenJson):
        decode_json(b'{"type": "a", "data": %b}' % data, NewEvent)


@pytest.mark.parametrize(
    "data",
    [
        *(b"1e400", b"-" + b"9" * 5_000 + b".5E+99999", b"-0", b"[ 1 ,\n2 ]", b'"\\ud83d\\ude00\x7f"'),
        *(b'"\\ud800"', b'"\\uDC00\\ud800x"', b'{"a": "\\udfff", "a": 1e999, "a": {"data": "\\ud800"}}'),
        *(b'{"a":1,"a":2}', b"[" * LEVELS + b"]" * LEVELS, b'{"a":' * LEVELS + b'"\\ud800"' + b"}" * LEVELS),
    ],
)
@pytest.mark.parametrize("form", [b'{"type":"a","data":%b}', b' {"data" :\t%b\n, "type": "\\u0061" } \r\n'])
def test_data_is_what_the_grammar_allows_and_stays_byte_for_byte(form: bytes, data: bytes) -> None:
    event = decode_json(form % data, NewEvent)
    assert (event.type, bytes(event.data)) == ("a", data)
    strict_json.check(data)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"type": "a",\n "data": [1 2]}', "line 2, column 13: `,` or `]` should stand here"),
        (b'{"type": "a", "data": NaN}', "line 1, column 23: `NaN` is not JSON"),
        (b'{"type": "a", "data": 1,}', "line 1, column 25: a comma before `}`; JSON has no trailing commas"),
        (b'{"type": "a", "data": 1} x', "line 1, column 26: nothing may follow the value"),
        (
            '{"type": "ä",\n\n"data": "ü'.encode() + b"\xff",
            "line 3, column 11: this byte is no UTF-8, which JSON must be",
        ),
        (b'{"type": "a", "data": ' + b"[" * 100_000, "line 1, column 522: it is nested deeper than 500 levels"),
        (b'{"data": [' + b"1," * 200_000 + b"?]", "line 1, column 400011: this is no JSON"),
        (b'{"type": "\\ud800", "data": 1}', "half a surrogate pair"),
    ],
)
def test_what_is_no_json_is_told_in_words_with_its_place(content: bytes, said: str) -> None:
    with pytest.raises(BrokenJson) as caught:
        decode_json(content, NewEvent)

    assert said in caught.value.detail


@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"1", b"true"])
def test_a_body_that_is_no_object_is_told_so(content: bytes) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        decode_json(content, NewEvent)

    assert caught.value.errors[0][0] == "body"


@pytest.mark.parametrize(("type", "fields", "loc", "message"), [
    (NewEvent, {"type": 1, "data": 1}, "type", "must be text, not a whole number"),
    (NewEvent, {"data": 1}, "type", "is needed"),
    (NewEvent, {"type": "a"}, "data", "is needed"),
    (NewEvent, {"type": "a", "data": 1, "colour": "red"}, "colour", "is not a field here; known are type, data, "),
    (NewWebhook, {**WEBHOOK, "headers": {}}, "headers", "must be a list, not an object"),
    (NewWebhook, {**WEBHOOK, "timeout": None}, "timeout", "must be a number, not null"),
    (NewWebhook, {**WEBHOOK, "timeout": 0}, "timeout", "must be more than 0"),
    (NewWebhook, {**WEBHOOK, "events": []}, "events", "must have at least 1 item"),
    (NewBin, {"response": {"delay_ms": 30_001}}, "response.delay_ms", "must be at most 30000"),
    (NewBin, {"response": "ok"}, "response", "must be an object, not text"),
    (NewBin, {"response": {"headers": {"a": "b"}}}, "response.headers", "must be a list, not an object"),
    (NewBin, {"response": {"body": None}}, "response.body", "must be text, not null"),
    (NewBin, {"response": {"rules": [{"when": {}}, {"when": {}, "fault": "x"}]}}, "response.rules[1].fault",
     "'x' is not one of reset, hang, drip, "),
    (NewBin, {"response": {"handshake": {"provider": "x"}}}, "response.handshake.provider", "'x' is not one of slack"),
    (NewBin, {"response": {"rules": [{"when": {"paht": "/"}}]}}, "response.rules[0].when.paht",
     "is not a field here; known are method, path, header, query, json"),
    (NewBin, {"forward": [{"destination": "http://localhost:1", "signature": "x"}]}, "forward[0].signature",
     "'x' is not one of fresh, original"),
], ids=str)  # fmt: skip
def test_a_wrong_field_is_named_and_told_what_would_be_right(type: Any, fields: Any, loc: str, message: str) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        decode_json(json.dumps(fields).encode(), type)

    ((found, said),) = caught.value.errors
    assert found == loc
    assert said.startswith(message)


@pytest.mark.parametrize(("type", "loc", "values"), [
    (NewBin, "response.status", (199, 600, "200")),
    (NewBin, "response.delay_ms", (-1, 30_001)),
    (NewBin, "response.body", ("x" * 262_145,)),
    (NewBin, "response.headers", ([["x-a", "1"]] * 51,)),
    (NewBin, "max_requests", (0, 1_000_001, True)),
    (NewBin, "max_age", (0, 10**20)),
    (NewWebhook, "name", (5, None)),
    (NewWebhook, "destination", (5, None)),
    (NewWebhook, "events", ([], ["*"] * 51, "*")),
    (NewWebhook, "timeout", (0, 120.5, "15")),
    (NewWebhook, "max_in_flight", (0, 65, 1.5)),
    (NewWebhook, "heartbeat", (0.5, 86_401)),
    (NewWebhook, "headers", ([["x"]], {"x": "1"}, [["x", "1"]] * 51)),
    (NewWebhook, "rate_limit", (0, 1001)),
    (NewWebhook, "disable_after", (0, 1.5)),
    (NewWebhook, "ordered", (None,)),
    (NewWebhook, "disabled", ("yes",)),
    (NewWebhook, "ping", (1,)),
    (NewWebhook, "signature_style", ("none",)),
    (NewWebhook, "handshake", ("slack",)),
])  # fmt: skip
def test_a_value_beyond_its_limits_is_named(type: Any, loc: str, values: tuple[Any, ...]) -> None:
    for value in values:
        first, _, second = loc.partition(".")
        fields: dict[str, Any] = {first: {second: value} if second else value}
        with pytest.raises(FieldsInvalid) as caught:
            decode_json(json.dumps((WEBHOOK if type is NewWebhook else {}) | fields).encode(), type)
        assert caught.value.errors[0][0].startswith(loc), value


LIMITS = ("0", "251", "-1", "ten", "", "1.5", "\0", "9" * 26)


@pytest.mark.parametrize("pairs", [*([("limit", text)] for text in LIMITS), [("limit", "1"), ("limit", "1")]], ids=str)
def test_a_query_has_numbers_within_their_limits_once(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        decode_pairs(pairs, PageQuery)

    assert caught.value.errors[0][0] == "limit"


def test_what_a_query_does_not_know_is_named() -> None:
    with pytest.raises(FieldsInvalid) as caught:
        decode_pairs([("\0", "1")], PageQuery)

    assert caught.value.errors[0][0] == "\0"
