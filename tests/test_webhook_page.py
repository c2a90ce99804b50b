"""The page of a webhook: how it is, and what can be done with it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browsing import opened
from tests.support import Server, eventually


def registered(server: Server, page: Page, name: str, **options: Any) -> dict[str, Any]:
    webhook: dict[str, Any] = server.register(f"{server.url}/b/{name}", name=name, ping=False, **options)
    opened(server, page, f"/ui/webhooks/{webhook['id']}")
    return webhook


def choose(page: Page, item: str) -> None:
    page.locator("#more > summary").click()
    page.locator("#more").get_by_role("button", name=item).click()


def test_settings_are_changed_and_shown(server: Server, page: Page) -> None:
    webhook = registered(server, page, "edited")
    choose(page, "Change settings")
    page.locator("#w-events").fill("user.*, order.paid")
    page.locator("#w-schedule").fill("1, 2.5")
    page.locator("#w-rate").fill("5")
    page.locator("#w-ordered").check()
    page.locator("#w-headers").fill("X-Team: blue")
    page.locator("#edit").get_by_role("button", name="Save").click()
    settings = page.locator("#settings")
    for text in ("user.*, order.paid", "2: after 1 s, 2.5 s", "at most 5/s", "1, in order", "X-Team: blue"):
        expect(settings).to_contain_text(text)
    saved = server.get(f"/webhooks/{webhook['id']}")
    assert saved["retry_schedule"] == [1, 2.5]
    choose(page, "Change settings")
    page.locator("#w-schedule").fill("")
    page.locator("#w-rate").fill("")
    page.locator("#edit").get_by_role("button", name="Save").click()
    expect(settings).to_contain_text("8: after 1 s")
    assert server.get(f"/webhooks/{webhook['id']}")["rate_limit"] is None


def test_the_secret_is_shown_when_asked_for_and_rotated(server: Server, page: Page) -> None:
    webhook = registered(server, page, "secretive")
    assert webhook["secret"] not in page.content()
    choose(page, "Show the secret")
    expect(page.locator("#secret-text")).to_have_text(webhook["secret"])
    page.locator("#secret").get_by_role("button", name="Close").click()
    expect(page.locator("#secret-text")).to_have_text("")
    choose(page, "Rotate the secret")
    page.locator("dialog.asks").get_by_role("button", name="Rotate").click()
    expect(page.locator("#secret-text")).to_have_text(re.compile("^whsec_"))
    assert page.locator("#secret-text").inner_text() != webhook["secret"]


def test_it_is_disabled_enabled_and_deleted(server: Server, page: Page) -> None:
    webhook = registered(server, page, "switched")
    server.patch(f"/webhooks/{webhook['id']}", {"paused": True})
    for _ in range(2):
        server.post("/events", {"type": "switched", "data": {}})
    expect(page.locator("#subject .state")).to_have_text("paused")
    choose(page, "Disable")
    expect(page.locator("dialog.asks")).to_contain_text("2 deliveries that wait are cancelled.")
    page.locator("dialog.asks").get_by_role("button", name="Disable").click()
    expect(page.locator("#notes")).to_contain_text("Disabled")
    expect(page.locator("#subject .state")).to_have_text("disabled")
    choose(page, "Enable")
    page.locator("#resume").click()
    expect(page.locator("#subject .state")).to_have_text("enabled")
    assert {row["state"] for row in server.deliveries(webhook=webhook["id"])} == {"cancelled"}


def test_it_is_paused_and_resumed_with_what_it_is_to_get_kept(server: Server, page: Page) -> None:
    webhook = registered(server, page, "paused", events=["kept"])
    page.locator("#pause").click()
    expect(page.locator("#subject .state")).to_have_text("paused")
    page.locator("#test").click()
    expect(page.locator(".toast")).to_contain_text("waits until its webhook is resumed")
    expect(page.locator("#deliveries tbody > tr")).to_contain_text("when resumed")
    page.locator(".toast a").click()
    expect(page.locator(".verdict-text")).to_contain_text("its webhook is paused")
    expect(page.locator(".verdict-next")).to_have_count(0)
    page.locator(".crumbs a", has_text="paused").click()
    page.locator("#resume").click()
    expect(page.locator("#deliveries tbody .state")).to_have_text("succeeded")
    expect(page.locator("#subject .state")).to_have_text("enabled")
    assert server.get(f"/webhooks/{webhook['id']}")["paused"] is False


def test_it_is_deleted_and_comes_back(server: Server, page: Page) -> None:
    webhook = registered(server, page, "doomed")
    choose(page, "Delete")
    page.locator("#delete").get_by_role("button", name="Delete").click()
    page.wait_for_url(re.compile("/ui/webhooks$"))
    assert server.request("GET", f"/webhooks/{webhook['id']}").status_code == 404
    page.locator(".toast").get_by_role("button", name="Undo").click()
    page.locator(".toast").get_by_role("link", name="Open it").click()
    expect(page.locator("#subject .state")).to_have_text("enabled")


def test_a_sample_is_sent_and_its_delivery_can_be_followed(server: Server, page: Page) -> None:
    registered(server, page, "sampled")
    page.locator("#samples > summary").click()
    page.locator("#samples").get_by_role("button", name="github.push").click()
    page.get_by_role("link", name="Follow the delivery").click()
    expect(page.get_by_role("heading", name="github.push")).to_be_visible()
    assert "github.push" in str(eventually(lambda: server.captured("sampled"))[0]["headers"])


def test_what_it_missed_is_counted_and_brought_back(server: Server, page: Page) -> None:
    webhook = registered(server, page, "missing", events=["missed.*"])
    server.patch(f"/webhooks/{webhook['id']}", {"disabled": True})
    expect(page.locator("#subject .state")).to_have_text("disabled")
    server.post("/events", {"type": "missed.one", "data": {}})
    choose(page, "Enable")
    expect(page.locator("#subject .state")).to_have_text("enabled")
    choose(page, "Bring back what it missed")
    page.locator("#r-since").fill("2020-01-01T00:00")
    page.locator("#recover").get_by_role("button", name="Go").click()
    expect(page.locator("[data-outcome]")).to_contain_text("1 deliveries would come back")
    choose(page, "Bring back what it missed")
    page.locator("#r-since").fill("2020-01-01T00:00")
    page.locator("#r-dry").uncheck()
    page.locator("#recover").get_by_role("button", name="Go").click()
    expect(page.locator("#deliveries tbody > tr")).to_have_count(1)
    eventually(lambda: server.deliveries(webhook=webhook["id"])[0]["state"] == "succeeded")


def test_deliveries_are_narrowed_by_state_and_stand_still_under_the_pointer(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "narrowed", "response": {"status": 404}})
    webhook = registered(server, page, "narrowed", events=["narrow.*"])
    server.post("/events", {"type": "narrow.one", "data": {}})
    eventually(lambda: [row["state"] for row in server.deliveries(webhook=webhook["id"])] == ["failed"])
    page.locator("#deliveries").get_by_role("link", name="failed").click()
    rows = page.locator("#deliveries tbody > tr")
    expect(rows).to_have_count(1)
    rows.hover()
    server.post("/events", {"type": "narrow.two", "data": {}})
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    expect(rows).to_contain_text(["narrow.one"])
    page.mouse.move(0, 0)
    expect(rows).to_contain_text(["narrow.two", "narrow.one"])
    page.locator("#deliveries").get_by_role("link", name="succeeded").click()
    expect(page.locator("#deliveries")).to_contain_text("None is succeeded.")


def test_one_that_is_deleted_elsewhere_says_so_and_stays_readable(server: Server, page: Page) -> None:
    webhook = registered(server, page, "vanishing")
    server.request("DELETE", f"/webhooks/{webhook['id']}")
    expect(page.locator("[data-outcome]")).to_contain_text("This webhook was deleted.")
    expect(page.get_by_role("heading", name="vanishing", exact=True)).to_be_visible()
