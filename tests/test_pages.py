"""The pages in a real browser, on a real server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import DESKTOP, PHONE, assert_accessible, capture, delivered_to, is_live, opened
from tests.support import Server

# Overview


def test_a_first_visit_teaches_the_story_and_its_button_plays_it(
    start_server: Callable[..., Server], page: Page
) -> None:
    server = start_server()
    page.goto(f"{server.url}/ui/")
    expect(page.get_by_role("heading", name="See both ends of a webhook in three steps")).to_be_visible()
    expect(page.locator("#curl-register")).to_have_text(
        f"curl --request POST --url {server.url}/webhooks --header 'content-type: application/json'"
        f' --data \'{{"name": "joe", "destination": "{server.url}/b/joe"}}\''
    )
    is_live(page)
    url = page.locator("#first-bin").inner_text()
    assert url.startswith(f"{server.url}/b/")
    page.get_by_role("button", name="Open it").click()
    expect(page.locator("#bin-url")).to_have_text(url)
    server.request("DELETE", f"/bins/{server.get('/bins')['data'][0]['id']}")
    opened(server, page, "/ui/")
    page.get_by_role("button", name="Run it from here").click()
    line = page.locator(".exchange", has=page.locator(".sent")).first
    expect(line.locator(".sent")).to_contain_text("webhook.ping")
    expect(line.locator(".received")).to_contain_text("/b/joe")
    expect(line.locator(".received .signature")).to_have_text("signed")
    expect(page.locator("[data-webhooks]")).to_contain_text("joe")
    expect(page.locator("[data-bins]")).to_contain_text("joe")
    expect(page.locator(".story")).to_have_count(0)


def test_a_test_event_without_a_webhook_offers_to_register_one(start_server: Callable[..., Server], page: Page) -> None:
    server = start_server()
    capture(server, "something", b"so that this is no first visit")
    page.goto(f"{server.url}/ui/")
    page.get_by_role("button", name="Send a test event").click()
    outcome = page.locator("[data-outcome]")
    expect(outcome).to_contain_text("no webhook wants it")
    outcome.get_by_role("link", name="Register one").click()
    expect(page.get_by_label("Events")).to_have_value("hookbin.test")
    page.get_by_label("Retries").fill("5, 60")
    expect(page.get_by_role("img", name="#3 last after 1 min")).to_be_visible()
    page.get_by_label("Destination").fill(f"{server.url}/b/mine")
    page.locator("#webhook-name").fill("mine")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="mine")).to_be_visible()
    assert [(row["events"], row["retry_schedule"]) for row in server.get("/webhooks")["data"]] == [
        (["hookbin.test"], [5, 60])
    ]


# Bin


def test_an_empty_bin_waits_for_its_first_request_and_selects_it(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "still-empty"})
    page.goto(f"{server.url}/ui/bins/still-empty")
    expect(page.get_by_role("heading", name="Waiting for the first request")).to_be_visible()
    is_live(page)
    page.get_by_role("button", name="Send a test request").click()
    expect(page.locator("#detail-title")).to_contain_text("/b/still-empty/hello?from=hookbin")


def test_new_rows_do_not_steal_the_selection(server: Server, page: Page) -> None:
    capture(server, "steady/chosen", b"chosen")
    capture(server, "steady/other", b"other")
    opened(server, page, "/ui/bins/steady")
    page.locator("a.request", has_text="/b/steady/chosen").click()
    expect(page.locator("#detail")).to_contain_text("/b/steady/chosen")
    capture(server, "steady/newest", b"newest")
    expect(page.get_by_role("button", name="1 new ↑")).to_be_visible()  # the pointer is in the list
    expect(page.locator("[data-requests] > li")).to_have_count(2)
    page.mouse.move(0, 0)
    expect(page.locator("[data-requests] > li")).to_have_count(3)
    expect(page.locator("a.request[aria-current]")).to_have_count(1)
    expect(page.locator("a.request[aria-current]")).to_contain_text("/b/steady/chosen")
    expect(page.locator("#detail-title")).to_contain_text("/b/steady/chosen")
    page.get_by_role("button", name="Follow newest").click()
    expect(page.locator("#detail-title")).to_contain_text("/b/steady/newest")
    capture(server, "steady/followed", b"followed")
    expect(page.locator("#detail-title")).to_contain_text("/b/steady/followed")
    page.keyboard.press("d")
    for count in ("[data-count]", "#bins [aria-current] .count"):
        expect(page.locator(count)).to_have_text("3")


def test_older_requests_are_a_link_away(server: Server, page: Page) -> None:
    for number in range(33):
        capture(server, f"many/{number}")
    page.goto(f"{server.url}/ui/bins/many")
    expect(page.locator("[data-requests] > li")).to_have_count(24)
    page.get_by_role("link", name="Older requests").click()
    expect(page.locator("[data-requests] > li")).to_have_count(9)
    last = page.locator("[data-requests] > li").last
    expect(last).to_contain_text("/b/many/0")
    last.locator("a").click()
    expect(page.locator("#detail-title")).to_contain_text("/b/many/0")
    page.reload()
    expect(last.locator("[aria-current]")).to_contain_text("/b/many/0")
    expect(page.locator("[data-requests] > li")).to_have_count(9)
    page.goto(f"{server.url}/ui/bins/many?{page.url.rpartition('&')[2]}")  # a link that names the request alone
    expect(page.locator("[data-requests] > li")).to_have_count(25)
    expect(page.locator("[data-apart] [aria-current]")).to_contain_text("/b/many/0")


def test_a_long_body_is_cut_and_leads_to_all_of_it(server: Server, page: Page) -> None:
    capture(server, "long", b"x" * 100_000)
    page.goto(f"{server.url}/ui/bins/long")
    expect(page.locator(".notice").first).to_contain_text("The first 64.0 KiB of 97.7 KiB are shown.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all of it").click()
    assert download.value.path().read_bytes() == b"x" * 100_000


# Delivery


def test_a_delivery_shows_sent_and_received_side_by_side(server: Server, page: Page) -> None:
    delivery = delivered_to(server, "side-by-side")
    page.goto(f"{server.url}/ui/deliveries/{delivery['id']}")
    expect(page.locator(".verdict-text")).to_have_text("Delivered on attempt 1 with 200.")
    line = page.locator(".compare-table tr", has_text="webhook-signature")
    sent, received = line.locator(".was-sent"), line.locator(".was-received")
    expect(sent).to_contain_text("v1,")
    assert sent.inner_text() == received.inner_text()
    left, right = sent.bounding_box(), received.bounding_box()
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    expect(page.locator(".findings")).to_contain_text("The body arrived byte for byte")


# Every page


@pytest.fixture(scope="module")
def heavy(server: Server, pages: dict[str, str]) -> dict[str, str]:
    """Those pages, with more on them than they list."""
    for number in range(60):
        capture(server, f"four-pages/weight/{number}", headers={"content-type": "application/json; charset=utf-8"})
    return pages


READ_WITHOUT_SCRIPT = {
    "overview": ["Timeline", "webhook.ping", "/b/four-pages", "Webhooks", "Bins"],
    "bin": ["/b/four-pages", "webhook.ping", "Headers"],
    "request": ["/b/four-pages", "webhook.ping", "content-length", "standard"],
    "event": ["Where it went", "succeeded", "four-pages", "webhook.ping"],
    "webhook": ["Settings", "succeeded", "webhook.ping"],
    "delivery": ["Delivered on attempt 1 with 200.", "Sent", "Received", "webhook-signature"],
}


def test_a_page_can_be_read_without_javascript(server: Server, browser: Browser, pages: dict[str, str]) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        for name, texts in READ_WITHOUT_SCRIPT.items():
            page.goto(server.url + pages[name])
            for text in texts:
                expect(page.locator("main")).to_contain_text(text)
            assert page.locator("[data-needs-js]:visible").count() == 0, name
        page.goto(f"{server.url}/ui/bins/made-from-404")
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("heading", name="made-from-404")).to_be_visible()
        page.get_by_role("link", name="New", exact=False).first.click()
        page.get_by_role("button", name="Register it", exact=True).click()
        expect(page.locator("#webhook-name-error")).to_contain_text("use 1 to 100 characters")
        expect(page.locator("#webhook-destination-error")).to_contain_text("must start with http")
        page.locator("#webhook-name").fill("Both Ends")
        page.get_by_role("button", name="with a bin of its own").click()
        assert page.url == f"{server.url}/ui/"
        assert [row["destination"] for row in server.get("/webhooks")["data"] if row["name"] == "Both Ends"] == [
            f"{server.url}/b/both-ends"
        ]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_any_page_and_none_is_wider_than_its_window(
    server: Server, browser: Browser, pages: dict[str, str], viewport: Any
) -> None:
    others = {
        "docs": "/docs",
        "sign-in": "/ui/sign-in",
        "problem": "/ui/bins/not-there",
        "empty": "/ui/bins/axe-empty",
        "wrong": "/ui/new?retry_schedule=1,5,x&events=user.*",
    }
    server.post("/bins", {"name": "axe-empty"})
    with browser.new_context(viewport=viewport) as context:
        page = context.new_page()
        for name, path in (pages | others).items():
            page.goto(server.url + path)
            expect(page.locator("main")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], name
            assert_accessible(page, dark=viewport is DESKTOP)


@pytest.mark.parametrize("name", [*READ_WITHOUT_SCRIPT, "send"])
def test_no_page_weighs_more_than_150_kib(server: Server, browser: Browser, heavy: dict[str, str], name: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        weights: list[int] = []
        page.on("requestfinished", lambda request: weights.append(request.sizes()["responseBodySize"]))
        opened(server, page, heavy[name])
        assert sum(weights) < 150 * 1024


def test_the_theme_is_remembered(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/ui/")
    toggle = page.locator("[data-theme-toggle]")
    toggle.click()
    toggle.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(toggle).to_have_accessible_name("Theme: dark")
