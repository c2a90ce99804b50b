"""Trying a response on a captured request: the same as the real answer, with reasons, and without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import Server
from tests.wire import Wire, check_problem, exchange_all, parsed

PREFLIGHT = "OPTIONS", "Origin: https://example.com\r\nAccess-Control-Request-Method: PUT\r\n", b""
JSON = "POST", "Content-Type: application/json\r\nX-Odd: \xe9\r\n", b'{"type": "invoice.paid", "n": 7}'
CHALLENGE = "POST", "", b'{"type": "url_verification", "challenge": "c7"}'
PAID = {"when": {"json": {"type": "invoice.*"}}, "status": 202, "body": "paid\n", "delay_ms": 3}
TEMPLATE = {
    "template": True,
    "headers": [["x-odd", "{{ request.headers['x-odd'] }}"]],
    "body": "{{ request.json.n }}\n",
}
ANSWERS: dict[str, tuple[Any, tuple[str, str, bytes]]] = {
    "itself": ({"status": 418, "headers": [["x-a", "1"], ["x-a", "2"]]}, JSON),
    "rule": ({"rules": [{"when": {"method": "PUT"}}, PAID]}, JSON),
    "sequence": ({"sequence": [{"status": 500, "body": "not yet\n"}], "then": "cycle"}, JSON),
    "template": (TEMPLATE, JSON),
    "template that fails": ({"template": True, "body": "{{ request.json.no.such }}"}, JSON),
    "handshake": ({"handshake": {"provider": "slack"}}, CHALLENGE),
    "handshake refused": (
        {"handshake": {"provider": "meta", "secret": "hush"}},
        ("GET /?hub.mode=subscribe&hub.challenge=1", "", b""),
    ),
    "preflight": ({"cors": True}, PREFLIGHT),
    "cors": ({"cors": True, "status": 204}, JSON),
    "head": ({"body": "not sent"}, ("HEAD", "", b"")),
    "certain": ({"chance": {"probability": 1, "status": 503}}, JSON),
    "drip": ({"fault": "drip", "body": "slow"}, JSON),
    "truncate": ({"fault": "truncate", "body": "0123456789"}, JSON),
}


def send(server: Server, bin: str, request: tuple[str, str, bytes]) -> bytes:
    """All that came back; the request line's end may follow its method."""
    method, _, path = request[0].partition(" ")
    head = f"{method} /b/{bin}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{request[1]}"
    return exchange_all(server, f"{head}Content-Length: {len(request[2])}\r\n\r\n".encode("latin-1") + request[2])


def captured(server: Server, bin: str, request: tuple[str, str, bytes] = JSON, *, response: Any = None) -> str:
    """The id of a request that a new bin has captured."""
    assert server.post("/bins", {"name": bin, "response": response or {}}).status_code == 201
    send(server, bin, request)
    return str(server.captured(bin)[-1]["id"])


def tried(server: Server, bin: str, request: str, **fields: Any) -> Any:
    response = server.post(f"/bins/{bin}/try", {"request": request, **fields})
    assert response.status_code == 200, response.text
    return response.json()


def shown(wire: Wire) -> tuple[int, list[list[str]], bytes]:
    own = [[name, value] for name, value in wire.headers if name.lower() not in ("date", "connection")]
    return wire.status, own, wire.body


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_told_is_what_is_answered(server: Server, name: str) -> None:
    response, request = ANSWERS[name]
    bin, draft = f"real-{name.replace(' ', '-')}", f"draft-{name.replace(' ', '-')}"
    before = captured(server, draft, request)
    server.post("/bins", {"name": bin, "response": response})
    real = parsed(send(server, bin, request))
    said = server.captured(bin)[-1]["answer"]

    told = tried(server, draft, before, response=response)

    assert {key: told[key] for key in said} == said
    headers = [[name, value.encode().decode("latin-1")] for name, value in told["headers"]]
    assert (told["status"], headers, told["body"]["text"].encode()) == shown(real)
    assert [card["answers"] for card in told["asked"]] == [False] * (len(told["asked"]) - 1) + [True]
    assert told["asked"][-1]["card"] == (said["rule"] or "response").partition(":")[0]


def test_a_fault_that_sends_no_answer_is_told_in_words(server: Server) -> None:
    request = captured(server, "faulty")

    reset = tried(server, "faulty", request, preset="reset")
    garbage = tried(server, "faulty", request, preset="garbage")

    assert (reset["status"], reset["headers"], reset["body"]["size"]) == (None, [], 0)
    assert reset["fault_meaning"] == "the connection is reset (TCP RST), without an answer"
    server.patch("/bins/faulty", {"preset": "garbage"})
    assert garbage["body"]["size"] == len(send(server, "faulty", JSON))


def test_nothing_is_taken_and_nothing_thrown(server: Server) -> None:
    flaky = {"sequence": [{"status": 500}, {"status": 200}], "chance": {"probability": 0.3, "status": 503}}
    request = captured(server, "untaken", response={"sequence": flaky["sequence"]})
    server.patch("/bins/untaken", {"response": flaky})

    for _ in range(3):
        assert tried(server, "untaken", request)["rule"] == "sequence[0]"
    assert tried(server, "untaken", request, chance=True)["rule"] == "chance"
    assert server.get("/bins/untaken")["sequence_position"] == 0
    server.patch("/bins/untaken", {"response": {"sequence": flaky["sequence"]}})
    send(server, "untaken", JSON)
    assert tried(server, "untaken", request)["rule"] == "sequence[1]"  # its own goes on; another begins
    assert tried(server, "untaken", request, response=flaky)["rule"] == "sequence[0]"
    assert len(server.captured("untaken")) == 2


def test_each_that_was_asked_says_why_it_does_not_answer(server: Server) -> None:
    request = captured(server, "reasons")
    response = {
        "cors": True,
        "handshake": {"provider": "slack"},
        "rules": [{"when": {"method": "PUT", "header": {"x-odd": "*"}, "json": {"n": 8, "m": "*"}}}],
        "chance": {"probability": 0.3},
        "sequence": [{}, {"status": 500}],
    }

    asked = tried(server, "reasons", request, response=response)["asked"]

    assert [(card["card"], card["why"]) for card in asked] == [
        ("cors", "it is no preflight: an OPTIONS with Origin and Access-Control-Request-Method"),
        ("handshake", "it is not the check of slack: url_verification"),
        ("rules[0]", 'method PUT: POST; json n==8: 7; json m=="*": it is not there'),
        ("chance", "it comes up for 30 % of the requests, and is taken not to"),
        ("sequence[0]", "step 1 of 2 is next"),
    ]


@pytest.mark.parametrize(
    ("response", "loc", "message"),
    [
        ({"rules": [{"when": {}, "status": "x"}]}, "response.rules[0].status", "must be a whole number, not text"),
        ({"sequence": [{}, {"delay_ms": -1}]}, "response.sequence[1].delay_ms", "must be at least 0"),
        ({"rules": [{"when": {"path": "x"}}]}, "response.rules[0].when.path", "a path begins with /"),
        ({"template": True, "body": "{{"}, "response.body", "the template can't be used"),
    ],
)
def test_a_wrong_draft_is_told_at_its_field(server: Server, response: Any, loc: str, message: str) -> None:
    send(server, "wrong", JSON)
    refused = server.post("/bins/wrong/try", {"request": "unknown", "response": response})

    problem = check_problem(refused, 422, "invalid_fields", loc=loc)

    assert problem["errors"][0]["msg"].startswith(message)


def test_what_is_no_whole_request_is_not_tried(server: Server) -> None:
    captured(server, "malformed")
    exchange_all(server, b"POST /b/malformed HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n")
    malformed = server.captured("malformed")[-1]["id"]

    check_problem(server.post("/bins/malformed/try", {"request": malformed}), 409, "request_malformed")
    check_problem(server.post("/bins/malformed/try", {"request": "req_x"}), 422, "invalid_fields", loc="request")
    check_problem(server.post("/bins/nobody/try", {"request": malformed}), 404, "bin_not_found")
