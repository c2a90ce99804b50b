"""`/webhooks`: register, list, read, change, delete, and what that does to deliveries."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from tests.support import Server, eventually, free_port
from tests.wire import check_problem

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def nowhere() -> str:
    """A destination on loopback where nothing listens."""
    return f"http://127.0.0.1:{free_port()}/hook"


def receivers(event: Any) -> list[str]:
    """The webhooks that an event has deliveries for."""
    return [row["webhook_id"] for row in event["deliveries"]]


def types(server: Server, bin: str) -> list[str]:
    return [json.loads(captured["body"]["text"])["type"] for captured in server.captured(bin)]


def test_a_new_webhook_has_every_default(server: Server) -> None:
    webhook = server.register(nowhere(), ping=False)

    assert re.fullmatch(r"wh_[0-9a-z]{26}", webhook["id"])
    assert webhook["events"] == ["*"]
    assert webhook["retry_schedule"] == [1, 5, 30, 120, 600, 3_600, 21_600, 86_400]
    assert webhook["retry_on"] == ["5xx", "network"]
    assert (webhook["timeout"], webhook["max_in_flight"], webhook["heartbeat"]) == (15, 8, None)
    assert (webhook["headers"], webhook["signature_style"]) == ([], "standard")
    assert (webhook["rate_limit"], webhook["ordered"], webhook["disable_after"]) == (None, False, None)
    assert (webhook["disabled"], webhook["disabled_reason"]) == (False, None)
    assert len(base64.b64decode(webhook["secret"].removeprefix("whsec_"))) == 32


def test_the_secret_is_shown_once_and_then_only_when_asked_for(server: Server) -> None:
    webhook = server.register(nowhere(), ping=False)
    path = f"/webhooks/{webhook['id']}"

    assert "secret" not in server.get(path)
    assert "secret" not in server.get(f"{path}?secret=false")
    assert all("secret" not in row for row in server.get("/webhooks")["data"])
    assert "secret" not in server.patch(path, {"timeout": 3}).json()
    assert server.get(f"{path}?secret=true")["secret"] == webhook["secret"]


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"name": ""}, "name"),
        ({"events": ["ok", ""]}, "events[1]"),
        ({"secret": "hunter2"}, "secret"),
        ({"retry_schedule": "sometimes"}, "retry_schedule"),
        ({"retry_on": []}, "retry_on"),
        ({"retry_on": ["2xx"]}, "retry_on"),
        ({"timeout": 120.5}, "timeout"),
        ({"headers": [["x-ok", "1"], ["Host", "x"]]}, "headers[1]"),
        ({"headers": [["x-key", "********"]]}, "headers[0]"),
        ({"signature_style": "github", "secret": "short"}, "secret"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_field_that_is_wrong_is_named(server: Server, fields: dict[str, Any], loc: str) -> None:
    before = server.get("/webhooks?limit=250")

    response = server.post("/webhooks", {"name": "test", "destination": nowhere(), **fields})

    problem = check_problem(response, 422, "invalid_fields")
    assert problem["errors"][0]["loc"].startswith(loc), problem
    assert server.get("/webhooks?limit=250") == before


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"secret": SECRET}, "secret"),
        ({"name": None}, "name"),
        ({"destination": "ftp://x"}, "destination"),
        ({"events": []}, "events"),
        ({"max_in_flight": 0}, "max_in_flight"),
    ],
)
def test_a_patch_that_is_wrong_changes_nothing(server: Server, fields: dict[str, Any], loc: str) -> None:
    webhook = server.register(nowhere(), ping=False)

    path = f"/webhooks/{webhook['id']}"

    check_problem(server.patch(path, {"timeout": 1, **fields}), 422, "invalid_fields", loc=loc)

    assert server.get(f"{path}?secret=true") == webhook


def test_a_changed_destination_holds_for_what_is_still_to_be_sent(server: Server) -> None:
    webhook = server.register(nowhere(), ping=False, retry_schedule=[0.1] * 50, events=["moved"])
    server.publish("moved")
    eventually(lambda: server.deliveries(webhook=webhook["id"])[0]["attempt_count"])

    server.patch(f"/webhooks/{webhook['id']}", {"destination": f"{server.url}/b/moved"})

    eventually(lambda: types(server, "moved") == ["moved"])


def test_a_paused_webhook_keeps_what_it_is_to_get_until_it_is_resumed(server: Server) -> None:
    webhook = server.register(f"{server.url}/b/resting", paused=True, ordered=True)
    server.post("/events", {"type": "while.paused", "data": {}})
    server.post(f"/webhooks/{webhook['id']}/test", {})
    *_, ping = server.deliveries(webhook=webhook["id"])
    server.post(f"/deliveries/{ping['id']}/retry")
    waiting = server.get(f"/deliveries/{ping['id']}")
    assert waiting["explanation"] == (
        "Its first attempt, asked for by hand, waits: its webhook is paused, and nothing is sent until it is resumed."
    )
    assert {row["state"] for row in server.deliveries(webhook=webhook["id"])} == {"pending"}

    assert server.patch(f"/webhooks/{webhook['id']}", {"paused": False}).json()["paused"] is False

    eventually(lambda: types(server, "resting") == ["webhook.ping", "while.paused", "user.created"])


def test_a_deleted_webhook_leaves_its_deliveries_in_the_log(server: Server) -> None:
    webhook = server.register(nowhere(), retry_schedule=[3600])
    eventually(lambda: server.deliveries(webhook=webhook["id"])[0]["attempt_count"] == 1)

    response = server.request("DELETE", f"/webhooks/{webhook['id']}")

    assert (response.status_code, response.content) == (204, b"")
    (delivery,) = server.deliveries(webhook=webhook["id"])
    assert delivery["state"] == "cancelled"
    assert len(server.get(f"/deliveries/{delivery['id']}")["attempts"]) == 1
    for method in ("GET", "PATCH", "DELETE"):
        again = server.request(method, f"/webhooks/{webhook['id']}", json={} if method == "PATCH" else None)
        check_problem(again, 404, "webhook_not_found")


ALL_OPTIONS: dict[str, Any] = {
    "headers": [["X-A", "1"], ["x-a", "2"], ["Accept", "text/x"]],
    "signature_style": "stripe",
    "rate_limit": 2.5,
    "ordered": True,
    "paused": True,
    "disable_after": 3,
    "max_in_flight": 2,
    "timeout": 4.5,
    "heartbeat": 3600.0,
    "retry_on": ["5xx"],
    "retry_schedule": [1.5],
    "events": ["a.*"],
}


def test_every_option_is_kept_and_null_puts_its_default_back(server: Server) -> None:
    bare = server.register(nowhere(), ping=False)
    webhook = server.register(nowhere(), ping=False, **ALL_OPTIONS)
    path = f"/webhooks/{webhook['id']}"
    assert {name: webhook[name] for name in ALL_OPTIONS} == ALL_OPTIONS

    restored = server.patch(path, dict.fromkeys(ALL_OPTIONS)).json()

    assert {name: restored[name] for name in ALL_OPTIONS} == {name: bare[name] for name in ALL_OPTIONS}
    assert server.patch(path, {"name": "renamed"}).json() == {**restored, "name": "renamed"}
    changed = server.patch(path, ALL_OPTIONS).json()
    assert {name: changed[name] for name in ALL_OPTIONS} == ALL_OPTIONS


def test_what_waits_for_its_rate_says_until_about_when(server: Server) -> None:
    server.post("/bins", {"name": "paced"})
    webhook = server.register(f"{server.url}/b/paced", rate_limit=0.01, ping=False, name="paced")
    for number in range(3):
        server.post("/events", {"type": "a.b", "data": number, "webhook": webhook["id"]})
    eventually(lambda: len(server.deliveries(webhook=webhook["id"], state="pending")) == 2)

    newest, first = server.deliveries(webhook=webhook["id"], state="pending")
    for delivery, others in ((first, 0), (newest, 1)):
        told = server.get(f"/deliveries/{delivery['id']}")["explanation"]
        assert f"its webhook takes 0.01 attempts a second, and {others} come first: until about 20" in told
