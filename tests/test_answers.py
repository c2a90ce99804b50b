"""What senders get from a bin, and what is kept of why: rules, turns, handshakes, presets, over the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hookbin.answers.presets import PRESETS
from tests.support import Server
from tests.wire import check_problem

FLAKY = {"sequence": [{"status": 500, "repeat": 2}, {"status": 200}]}


def make(server: Server, name: str, response: Any) -> str:
    made = server.post("/bins", {"name": name, "response": response})
    assert made.status_code == 201, made.text
    return f"/b/{name}"


def rules_of(server: Server, name: str) -> list[str | None]:
    return [captured["answer"]["rule"] for captured in server.captured(name)]


def test_a_response_reads_back_as_it_was_set(server: Server) -> None:
    rule = {"when": {"method": "PUT", "json": {"a[0]": None}}, "status": 201}
    make(server, "whole", {"rules": [rule], "chance": {"probability": 0.5, "fault": "reset"}, **FLAKY, "cors": True})

    shown = server.get("/bins/whole")["response"]

    assert server.patch("/bins/whole", {"response": shown}).json()["response"] == shown
    assert shown["rules"][0]["when"]["json"] == {"a[0]": None}
    assert shown["sequence"][0]["repeat"] == 2


def test_the_rule_that_chose_is_kept(server: Server) -> None:
    path = make(
        server,
        "chosen",
        {
            "cors": True,
            "handshake": {"provider": "dropbox"},
            "rules": [{"when": {"method": "PUT"}}, {"when": {"path": "/lucky/**"}, "status": 201}],
            "sequence": [{}],
        },
    )
    preflight = {"origin": "https://example.com", "access-control-request-method": "PUT"}

    server.request("OPTIONS", path, headers=preflight)
    server.call("GET", f"{path}?challenge=x")
    server.post(f"{path}/lucky/one")
    answer = server.post(path)

    assert rules_of(server, "chosen") == ["cors", "handshake:dropbox", "rules[1]", "sequence[0]"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-security-policy"] == "sandbox"


def test_nothing_that_a_sender_sends_changes_the_answer(server: Server) -> None:
    path = make(server, "steady", {"status": 201})

    assert server.post(f"{path}?status=404&delay=500&fault=reset", headers={"x-status": "404"}).status_code == 201


def test_a_hundred_requests_at_once_get_each_turn_once(server: Server) -> None:
    """The first two by commit need not be the first two that are answered, but 500 comes twice, never more."""
    path = make(server, "crowded", FLAKY)
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client, ThreadPoolExecutor(100) as threads:
        answers = list(threads.map(lambda _: client.post(path).status_code, range(100)))

    assert Counter(answers) == {500: 2, 200: 98}
    assert Counter(rules_of(server, "crowded")) == {"sequence[0]": 2, "sequence[1]": 98}
    assert server.get("/bins/crowded")["sequence_position"] == 100


def test_a_sequence_goes_on_after_a_crash(start_server: Callable[..., Server]) -> None:
    first = start_server()
    assert first.post(make(first, "flaky", FLAKY)).status_code == 500
    first.kill()

    second = start_server()
    bin = second.get("/bins/flaky")
    assert (bin["sequence_position"], bin["sequence_next"]) == (1, 0)
    assert [second.post("/b/flaky").status_code for _ in range(2)] == [500, 200]


def test_the_bin_says_whose_turn_is_next(server: Server) -> None:
    path = make(server, "turns", FLAKY)
    seen = [(server.get("/bins/turns")["sequence_next"], server.post(path).status_code) for _ in range(4)]

    assert seen == [(0, 500), (0, 500), (1, 200), (1, 200)]
    assert server.get("/bins/turns")["sequence_position"] == 4


def test_a_reset_begins_the_sequence_again(server: Server) -> None:
    path = make(server, "again", FLAKY)
    assert [server.post(path).status_code for _ in range(3)] == [500, 500, 200]

    reset = server.post("/bins/again/sequence/reset")

    assert (reset.status_code, reset.json()["sequence_position"]) == (200, 0)
    assert [server.post(path).status_code for _ in range(3)] == [500, 500, 200]
    check_problem(server.post("/bins/nobody/sequence/reset"), 404, "bin_not_found")


def test_a_chance_is_met_about_as_often_as_it_says(server: Server) -> None:
    """200 at one half: the odds of fewer than 50 or more than 150 are below one in a billion."""
    path = make(server, "chancy", {"chance": {"probability": 0.5, "status": 503}})
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
        answers = Counter(client.get(path).status_code for _ in range(200))

    assert answers.keys() == {200, 503}
    assert 50 < answers[503] < 150


def test_a_secret_is_never_shown_and_stays_when_it_is_left_out(server: Server) -> None:
    path = make(server, "secretive", {"handshake": {"provider": "twitter", "secret": "hush"}})
    before = server.call("GET", f"{path}?crc_token=x").json()
    shown = server.get("/bins/secretive")["response"]

    assert shown["handshake"] == {"provider": "twitter"}
    assert server.patch("/bins/secretive", {"response": {**shown, "status": 202}}).status_code == 200
    assert server.call("GET", f"{path}?crc_token=x").json() == before
    other = server.patch("/bins/secretive", {"response": {"handshake": {"provider": "zoom"}}})
    check_problem(other, 422, "invalid_fields", loc="response.handshake.secret")


@pytest.mark.parametrize(
    ("response", "loc"),
    [
        ({"rules": [{"when": {}}, {"when": {}, "headers": [["a b", "1"]]}]}, "response.rules[1].headers[0]"),
        ({"rules": [{"when": {"json": {"a[": 1}}}]}, "response.rules[0].when.json.a["),
        ({"rules": [{"status": 200}]}, "response.rules[0].when"),
        ({"template": True, "body": "{{"}, "response.body"),
        ({"sequence": [{"template": True, "body": "{% x %}"}]}, "response.sequence[0].body"),
        ({"then": "stop"}, "response.then"),
        ({"chance": {}}, "response.chance.probability"),
        ({"chance": {"probability": 1.1}}, "response.chance.probability"),
        ({"sequence": [{}, {}, {"repeat": 0}]}, "response.sequence[2].repeat"),
        ({"sequence": [{}] * 101}, "response.sequence"),
        ({"rules": [{"when": {}}] * 101}, "response.rules"),
        ({"rules": [{"when": {"path": "/" + "x" * 256}}]}, "response.rules[0].when.path"),
        ({"rules": [{"when": {}}, {"when": {"json": {"a": []}}}]}, "response.rules[1].when.json"),
        ({"rules": [{"when": {"header": {"a": "", "b": "x" * 257}}}]}, "response.rules[0].when.header"),
        ({"rules": [{"when": {"query": {"x" * 257: ""}}}]}, "response.rules[0].when.query"),
        ({"body": "x" * 262_145}, "response.body"),
        ({"sequence": [{"sequence": []}]}, "response.sequence[0].sequence"),
    ],
)
def test_what_can_not_be_answered_is_refused_at_its_place(server: Server, response: Any, loc: str) -> None:
    refused = server.post("/bins", {"name": "refused", "response": response})

    check_problem(refused, 422, "invalid_fields", loc=loc)
    assert server.request("GET", "/bins/refused").status_code == 404


# Presets


def test_every_preset_is_listed_with_what_it_stands_for(server: Server) -> None:
    listed = server.get("/presets")["data"]

    assert [preset["name"] for preset in listed] == [preset.name for preset in PRESETS]
    assert all(preset["title"] and preset["description"].endswith((".", "?")) for preset in listed)
    for preset in listed:
        made = server.post("/bins", {"name": f"preset-{preset['name']}", "preset": preset["name"]})
        assert (made.status_code, made.json()["response"]) == (201, preset["response"])


def test_a_preset_can_take_the_place_of_a_response(server: Server) -> None:
    path = make(server, "becoming", {"status": 201})

    assert server.patch("/bins/becoming", {"preset": "gone"}).json()["response"]["status"] == 410
    assert server.post(path).status_code == 410


def test_the_echo_preset_gives_back_what_was_sent(server: Server) -> None:
    server.post("/bins", {"name": "parrot", "preset": "echo"})

    said = server.request("POST", "/b/parrot/a?b=1", content="é\"'<", headers={"x-a": "1"}).json()

    assert (said["method"], said["path"], said["query"], said["body"]) == ("POST", "/a", {"b": "1"}, "é\"'<")
    assert said["headers"]["x-a"] == "1"


@pytest.mark.parametrize("fields", [{"preset": "flaky", "response": {}}, {"preset": "flaky", "response": None}])
def test_a_preset_and_a_response_are_too_much(server: Server, fields: Any) -> None:
    make(server, f"both-{len(server.get('/bins')['data'])}", {})

    name = server.get("/bins")["data"][0]["name"]
    check_problem(server.patch(f"/bins/{name}", fields), 422, "invalid_fields", loc="preset")


def test_a_preset_that_is_none_is_refused_with_those_that_are(server: Server) -> None:
    problem = check_problem(server.post("/bins", {"preset": "flakey"}), 422, "invalid_fields", loc="preset")

    assert "flaky" in problem["detail"]
