"""The quick start as a newcomer lives it: one curl, and the page that was open shows both ends."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, expect

from tests.support import Receiver, Server, eventually, free_port

QUICK = [0.2, 0.2, 0.2]


def curl(*arguments: str) -> Any:
    """What the real curl prints, as JSON."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--fail", *arguments], capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def register(server: Server, name: str, destination: str, **options: Any) -> Any:
    return curl(
        "--request",
        "POST",
        "--url",
        f"{server.url}/webhooks",
        "--header",
        "content-type: application/json",
        "--data",
        json.dumps({"name": name, "destination": destination, **options}),
    )


def holds(server: Server, bin: str, count: int) -> bool:
    return (bin, count) in [(row["name"], row["request_count"]) for row in server.get("/bins")["data"]]


def attempts(server: Server, webhook: Any) -> list[Any]:
    """The attempts at the only delivery of a webhook, once it has ended."""

    def ended() -> Any:
        (row,) = server.deliveries(webhook=webhook["id"]) or [None]
        return row if row and row["state"] != "pending" else None

    delivery = server.get(f"/deliveries/{eventually(ended)['id']}")
    found: list[Any] = delivery["attempts"]
    assert delivery["attempt_count"] == len(found)
    return found


def test_a_page_that_was_open_shows_the_ping_sent_and_received(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    loads: list[str] = []
    errors: list[str] = []
    page.on("load", lambda _: loads.append("load"))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server.url}/ui/")
    timeline = page.get_by_role("list", name=re.compile("sent and received"))
    expect(timeline.get_by_role("listitem")).to_have_count(0)

    webhook = register(server, "joe", f"{server.url}/b/joe")
    assert webhook["destination"] == f"{server.url}/b/joe"
    assert webhook["secret"].startswith("whsec_")

    expect(timeline.get_by_text("webhook.ping").first).to_be_visible()
    expect(timeline.get_by_text("/b/joe").first).to_be_visible()
    expect(timeline.get_by_text("200").first).to_be_visible()
    assert loads == ["load"], "without a reload"
    assert errors == []
    page.close()

    (attempt,) = attempts(server, webhook)
    (captured,) = server.captured("joe")
    assert attempt["status"] == 200
    assert captured["attempt_id"] == attempt["id"]
    assert captured["signature"]["state"] == "ok"
    assert json.loads(captured["body"]["text"])["type"] == "webhook.ping"
    assert captured["body"] == attempt["request"]["body"]
    sent = [[name.lower(), value] for name, value in attempt["request"]["headers"]]
    assert [[name.lower(), value] for name, value in captured["headers"]] == sent


def test_the_command_that_the_server_prints_works_as_it_stands(start_server: Callable[..., Server]) -> None:
    server = start_server()
    (printed,) = eventually(lambda: re.findall(r"curl --request POST.*?--data '[^']*'", server.log(), re.DOTALL))
    done = subprocess.run(["bash", "-c", printed + " --silent --fail"], capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "joe"
    eventually(lambda: holds(server, "joe", 1))


def test_an_event_from_curl_arrives_signed_and_byte_for_byte(server: Server) -> None:
    register(server, "carl", f"{server.url}/b/carl", events=["user.*"], ping=False)
    body = '{"type": "user.created", "data": {"id":  1.0, "name": "Zoë"}}'
    curl("--url", f"{server.url}/events", "--header", "content-type: application/json", "--data-binary", body)
    eventually(lambda: holds(server, "carl", 1))
    (captured,) = server.captured("carl")
    assert captured["body"]["text"].endswith(',"data":{"id":  1.0, "name": "Zoë"}}')
    assert captured["signature"]["state"] == "ok"


def test_three_destinations_show_the_rule_of_retries(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{server.url}/ui/")
    timeline = page.get_by_role("list", name=re.compile("sent and received"))
    recovering, missing = Receiver(500, 500, 200), Receiver(404)
    with recovering.serving() as flaky_url, missing.serving() as missing_url:
        flaky = register(server, "flaky", flaky_url, retry_schedule=QUICK)
        gone = register(server, "missing", missing_url, retry_schedule=QUICK)
        dead = register(server, "dead", f"http://127.0.0.1:{free_port()}/", retry_schedule=QUICK)

        tried = attempts(server, flaky)
        assert [(each["number"], each["status"]) for each in tried] == [(1, 500), (2, 500), (3, 200)]
        assert len({dict(each["request"]["headers"])["webhook-id"] for each in tried}) == 1
        assert server.deliveries(webhook=flaky["id"])[0]["state"] == "succeeded"

        (only,) = attempts(server, gone)
        assert (only["status"], only["error"]) == (404, None)
        assert server.deliveries(webhook=gone["id"])[0]["state"] == "failed"

        tried = attempts(server, dead)
        assert [(each["status"], each["error"]) for each in tried] == [(None, "connection_refused")] * 4
        assert {each["response"] for each in tried} == {None}
        assert server.deliveries(webhook=dead["id"])[0]["state"] == "failed"
    assert len(recovering.requests) == 3
    assert len(missing.requests) == 1
    for name in ("flaky", "missing", "dead"):
        expect(timeline.get_by_text(name).first).to_be_visible()
    page.close()
