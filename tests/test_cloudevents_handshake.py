"""CloudEvents' handshake: nothing is registered that its destination has not agreed to."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support import Server, eventually, free_port
from tests.wire import check_problem

YES = ["WebHook-Allowed-Origin", "*"]


def bin_that_answers(server: Server, name: str, *headers: list[str], **response: Any) -> str:
    """Its URL; the headers are those of every answer."""
    made = server.post("/bins", {"name": name, "response": {"headers": list(headers), **response}})
    assert made.status_code == 201, made.text
    return f"{server.url}/b/{name}"


def register(server: Server, destination: str, **options: Any) -> httpx.Response:
    return server.post(
        "/webhooks", {"name": "asked", "destination": destination, "handshake": "cloudevents", **options}
    )


def patch(server: Server, id: str, **fields: Any) -> httpx.Response:
    return server.request("PATCH", f"/webhooks/{id}", json=fields)


def asked(server: Server, bin: str) -> list[dict[str, str]]:
    """The headers of each OPTIONS that came, names in lower case."""
    found = [captured for captured in server.captured(bin) if captured["method"] == "OPTIONS"]
    return [{name.lower(): value for name, value in captured["headers"]} for captured in found]


def test_a_destination_is_asked_in_this_server_s_name_and_each_delivery_repeats_it(server: Server) -> None:
    url = bin_that_answers(server, "agrees", handshake={"provider": "cloudevents"})

    webhook = register(server, url, rate_limit=2, headers=[["Authorization", "Bearer 1"]]).json()

    assert (webhook["handshake"], webhook["rate_limit"]) == ("cloudevents", 2)
    (question,) = asked(server, "agrees")
    assert (question["webhook-request-origin"], question["webhook-request-rate"]) == ("localhost", "120")
    assert question["authorization"] == "Bearer 1"
    ping = eventually(lambda: [row for row in server.captured("agrees") if row["method"] == "POST"])[0]
    assert ["webhook-request-origin", "localhost"] in ping["headers"]
    assert ping["signature"]["state"] == "ok"


@pytest.mark.parametrize(
    ("rate", "limit"), [("120", 2.0), ("*", None), (None, None), ("1", 1 / 60), ("999999999", 1000.0)]
)
def test_the_rate_that_is_allowed_becomes_the_limit_when_there_is_none(
    server: Server, rate: str | None, limit: float | None
) -> None:
    name = f"rate-{'none' if rate is None else 'any' if rate == '*' else rate}"
    url = bin_that_answers(server, name, YES, *([] if rate is None else [["WebHook-Allowed-Rate", rate]]))

    webhook = register(server, url, ping=False).json()

    assert webhook["rate_limit"] == limit
    assert "webhook-request-rate" not in asked(server, name)[0]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([], "no WebHook-Allowed-Origin"),
        ([["WebHook-Allowed-Origin", "other.example"]], "other.example"),
        ([YES, ["WebHook-Allowed-Rate", "many"]], "WebHook-Allowed-Rate"),
        ([YES, ["WebHook-Allowed-Rate", "0"]], "WebHook-Allowed-Rate"),
        ([YES, ["WebHook-Allowed-Rate", "60"]], "rate_limit of 1 or less"),
    ],
)
def test_a_destination_that_does_not_agree_is_not_registered(
    server: Server, headers: list[list[str]], told: str, request: pytest.FixtureRequest
) -> None:
    url = bin_that_answers(server, f"refuses-{abs(hash(request.node.name)) % 10**9}", *headers)
    before = server.get("/webhooks?limit=250")

    response = register(server, url, rate_limit=5)

    problem = check_problem(response, 422, "handshake_refused")
    assert told in problem["detail"]
    assert server.get("/webhooks?limit=250") == before


def test_a_destination_that_is_not_there_is_not_registered(server: Server) -> None:
    problem = check_problem(register(server, f"http://127.0.0.1:{free_port()}/"), 422, "handshake_refused")

    assert "connection_refused" in problem["detail"]


def test_a_new_destination_is_asked_anew_and_other_changes_ask_nobody(server: Server) -> None:
    old = bin_that_answers(server, "moved-from", YES)
    new = bin_that_answers(server, "moved-to", YES)
    webhook = register(server, old, ping=False).json()
    nowhere = f"http://127.0.0.1:{free_port()}/"

    check_problem(patch(server, webhook["id"], destination=nowhere), 422, "handshake_refused")
    assert server.get(f"/webhooks/{webhook['id']}")["destination"] == old
    assert patch(server, webhook["id"], timeout=3, name="renamed").status_code == 200
    assert patch(server, webhook["id"], destination=new).status_code == 200

    assert (len(asked(server, "moved-from")), len(asked(server, "moved-to"))) == (1, 1)
    assert patch(server, webhook["id"], handshake=None, destination=nowhere).json()["handshake"] is None
    check_problem(patch(server, webhook["id"], handshake="cloudevents"), 422, "handshake_refused")


def test_a_new_rate_limit_is_asked_about_and_none_is_the_one_that_is_allowed(server: Server) -> None:
    url = bin_that_answers(server, "paced", YES, ["WebHook-Allowed-Rate", "120"])
    webhook = register(server, url, ping=False, rate_limit=1).json()

    check_problem(patch(server, webhook["id"], rate_limit=5), 422, "handshake_refused")

    assert server.get(f"/webhooks/{webhook['id']}")["rate_limit"] == 1
    assert patch(server, webhook["id"], rate_limit=None).json()["rate_limit"] == 2
