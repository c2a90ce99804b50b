"""Finding anything: the lists of events and deliveries, filters of requests, and the palette."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import assert_accessible, capture, is_live, opened
from tests.support import Server, eventually, free_port


@pytest.fixture(scope="module")
def sent(server: Server) -> dict[str, Any]:
    """Two webhooks that fail in different ways and one that does not, with an event each got."""
    server.post("/bins", {"name": "gone", "response": {"status": 404}})
    options: dict[str, Any] = {"ping": False, "events": ["find.*"]}
    hooks = {
        "fine": server.register(f"{server.url}/b/fine", name="fine", **options),
        "gone": server.register(f"{server.url}/b/gone", name="gone", **options),
        "down": server.register(f"http://127.0.0.1:{free_port()}/", name="down", retry_schedule="none", **options),
    }
    event = server.publish("find.first", {"id": 1})
    eventually(lambda: all(row["state"] != "pending" for row in server.deliveries(event=event["id"])))
    return {"event": event["id"], **{name: hook["id"] for name, hook in hooks.items()}}


@pytest.mark.parametrize(
    ("query", "webhooks"),
    [
        ("", {"fine", "gone", "down"}),
        ("state=failed", {"gone", "down"}),
        ("outcome=4xx", {"gone"}),
        ("outcome=connection_refused", {"down"}),
        ("outcome=none", {"down"}),
        ("outcome=200,404", {"fine", "gone"}),
        ("type=find.*&state=succeeded", {"fine"}),
        ("type=other", set()),
        ("since=-1h&until=-0s", {"fine", "gone", "down"}),
        ("until=-1h", set()),
        ("since=1969-12-31T23:59:59Z", {"fine", "gone", "down"}),
        ("until=1969-12-31T23:59:59Z", set()),
    ],
)
def test_deliveries_are_found_by_each_side_of_them(
    server: Server, sent: dict[str, Any], query: str, webhooks: set[str]
) -> None:
    found = server.get(f"/deliveries?event={sent['event']}&{query}")["data"]
    assert {row["webhook_name"] for row in found} == webhooks
    page = server.call("GET", f"/ui/deliveries?event={sent['event']}&{query}").text
    assert page.count("<tr data-id=") == len(webhooks)


def test_the_row_says_why(server: Server, sent: dict[str, Any]) -> None:
    rows = {row["webhook_name"]: row for row in server.deliveries(event=sent["event"])}
    assert [(rows[name]["status"], rows[name]["error"]) for name in ("fine", "gone", "down")] == [
        (200, None),
        (404, None),
        (None, "connection_refused"),
    ]
    for path in ("/ui/deliveries?state=failed", f"/ui/events/{sent['event']}", f"/ui/webhooks/{sent['down']}"):
        assert ">connection refused</span>" in server.call("GET", path).text, path
    assert ">404</span>" in server.call("GET", "/ui/deliveries?webhook=gone").text


def test_a_filter_that_makes_no_sense_is_said_and_shows_everything(server: Server, sent: dict[str, Any]) -> None:
    answer = server.call("GET", "/deliveries?outcome=odd")
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "outcome")
    for path in ("/ui/deliveries?outcome=odd", "/ui/events?since=yesterday"):
        page = server.call("GET", path).text
        assert 'role="alert"' in page
        assert "find.first" in page


def test_events_are_found_and_meta_events_only_when_asked_for(server: Server, sent: dict[str, Any]) -> None:
    def types(query: str) -> set[str]:
        page = server.call("GET", f"/ui/events?{query}").text
        return set(re.findall(r'href="/ui/events/evt_\w+">([^<]+)</a>', page))

    assert "delivery.exhausted" not in types("")
    assert {"delivery.exhausted", "find.first"} <= types("meta=true")
    assert types("type=delivery.*") == {"delivery.exhausted"}
    assert types("state=failed&webhook=gone") == {"find.first"}
    assert types("state=cancelled") == set()
    ids = [row["id"] for row in server.get("/events?type=find.*")["data"]]
    assert ids == [sent["event"]]
    assert "published" in server.call("GET", "/ui/").text
    assert "delivery.exhausted" not in re.findall(r'class="type cut">([^<]+)', server.call("GET", "/ui/").text)
    assert f'href="/ui/events/{sent["event"]}"' in server.call("GET", "/ui/").text


@pytest.mark.parametrize("kind", ["event", "delivery", "attempt", "request", "webhook", "bin"])
def test_an_id_leads_to_what_has_it(server: Server, sent: dict[str, Any], kind: str) -> None:
    delivery = server.deliveries(webhook=sent["fine"])[0]["id"]
    (request,) = server.captured("fine")
    bin = server.get("/bins/fine")["id"]
    id, href = {
        "event": (sent["event"], f"/ui/events/{sent['event']}"),
        "delivery": (delivery, f"/ui/deliveries/{delivery}"),
        "attempt": (request["attempt_id"], f"/ui/deliveries/{delivery}?attempt=1"),
        "request": (request["id"], f"/ui/requests/{request['id']}"),
        "webhook": (sent["fine"], f"/ui/webhooks/{sent['fine']}"),
        "bin": (bin, "/ui/bins/fine"),
    }[kind]
    found = server.call("GET", f"/ui/find?q={id}").text.partition('id="found"')[2]
    assert re.findall(r'<a href="([^"]+)"', found)[0] == href


def test_several_deliveries_are_retried_and_the_list_follows(server: Server, page: Page, sent: dict[str, Any]) -> None:
    opened(server, page, "/ui/deliveries?type=find.*&webhook=gone")
    rows = page.locator("tbody > tr")
    expect(rows).to_have_count(1)
    page.get_by_label("Pick all").click()
    expect(page.locator("[data-bulk-count]")).to_have_text("1 picked")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    server.publish("find.second", {})  # waits while something is picked
    expect(page.locator("[data-show-newer]")).to_have_text("1 new ↑")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Retry 1").click()
    assert_accessible(page, "dialog.asks", dark=False)
    page.locator("dialog.asks").get_by_role("button", name="Retry 1").click()
    expect(page.locator(".toast")).to_contain_text("1 on their way again.")
    expect(rows).to_have_count(2)
    expect(rows.last.locator(".number")).to_have_text("2")
    page.get_by_label("Answer or error").fill("404")
    page.get_by_label("Answer or error").press("Enter")
    page.wait_for_url(re.compile(r"\?webhook=gone&type=find\.\*&outcome=404$"))
    page.locator("tbody a").first.click()
    expect(page.locator("#destination")).to_contain_text("/b/gone")


def test_filters_of_requests_are_added_as_chips_and_what_is_shown_is_deleted(server: Server, page: Page) -> None:
    for number in range(3):
        capture(server, f"chipped/{number}?n={number}", f'{{"n": {number}}}', headers={"x-kind": "ab"[number % 2]})
    rows = page.locator("[data-requests] > li")
    opened(server, page, "/ui/bins/chipped")
    page.get_by_role("link", name="+ Filter").click()
    page.locator("#by-header").fill("x-kind:a")
    page.locator("#by-json").fill("n")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.wait_for_url(re.compile(r"\?header=x-kind%3Aa&json=n$"))
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="Remove: json n").click()
    page.wait_for_url(re.compile(r"\?header=x-kind%3Aa$"))
    is_live(page)
    page.locator("#bin-menu summary").click()
    expect(page.get_by_role("link", name="Export as CSV")).to_have_attribute(
        "href", re.compile(r"export\?header=x-kind%3Aa&format=csv$")
    )
    page.get_by_role("button", name="Delete these").click()
    expect(page.locator("dialog.asks h2")).to_have_text("Delete 2 requests?")
    page.locator("dialog.asks").get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)


def test_the_palette_goes_to_what_is_typed_and_presses_what_is_here(
    server: Server, page: Page, sent: dict[str, Any]
) -> None:
    opened(server, page, "/ui/bins/fine")
    page.keyboard.press("Control+k")
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    assert_accessible(page, ".palette")
    page.keyboard.type("settings")
    expect(options.first).to_contain_text("Settings")
    page.keyboard.press("Enter")
    expect(page.locator("dialog#settings")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Find", exact=True).click()
    expect(page.get_by_role("combobox", name="A name")).to_be_focused()
    page.keyboard.type("fine")
    expect(options).to_contain_text(["fine", "fine", "Events of type", "Deliveries of type"])
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("combobox", name="A name")).to_have_attribute("aria-activedescendant", "palette-1")
    page.keyboard.press("Enter")
    expect(page.locator("#destination")).to_contain_text("/b/fine")
