"""The quick start as a newcomer lives it: one webhook is registered, and the page that was open shows both ends."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Browser, expect

from tests.browsing import ended_delivery
from tests.raw_receiver import Receiver
from tests.support import Server, free_port

QUICK = [0.2, 0.2, 0.2]


def attempts(server: Server, webhook: Any) -> list[Any]:
    """The attempts at the only delivery of a webhook, once it has ended."""
    delivery = server.get(f"/deliveries/{ended_delivery(server, webhook['id'])['id']}")
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

    webhook = server.register(f"{server.url}/b/joe", name="joe")

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
    ping = json.loads(captured["body"]["text"])
    assert ping["type"] == "webhook.ping"
    assert ping["data"] == {"webhook_id": webhook["id"], "name": "joe", "destination": f"{server.url}/b/joe"}
    assert captured["body"] == attempt["request"]["body"]
    sent = [[name.lower(), value] for name, value in attempt["request"]["headers"]]
    assert [[name.lower(), value] for name, value in captured["headers"]] == sent


def test_three_destinations_show_the_rule_of_retries(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{server.url}/ui/")
    timeline = page.get_by_role("list", name=re.compile("sent and received"))
    recovering, missing = Receiver(500, 500, 200), Receiver(404)
    with recovering.serving() as flaky_url, missing.serving() as missing_url:
        flaky = server.register(flaky_url, name="flaky", retry_schedule=QUICK)
        gone = server.register(missing_url, name="missing", retry_schedule=QUICK)
        dead = server.register(f"http://127.0.0.1:{free_port()}/", name="dead", retry_schedule=QUICK)

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
        assert all(each["error_detail"] for each in tried)
        assert server.deliveries(webhook=dead["id"])[0]["state"] == "failed"
    assert len(recovering.requests) == 3
    assert len(missing.requests) == 1
    for name in ("flaky", "missing", "dead"):
        expect(timeline.get_by_text(name).first).to_be_visible()
    page.close()
