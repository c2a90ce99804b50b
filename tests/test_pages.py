"""The pages in a real browser, on a real server."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browsing import DESKTOP, PHONE, assert_accessible, capture, delivered_to, ended_delivery, is_live, opened
from tests.support import Server, eventually

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
    page.get_by_role("button", name="Run it from here").click()
    line = page.locator(".exchange", has=page.locator(".sent")).first
    expect(line.locator(".sent")).to_contain_text("webhook.ping")
    expect(line.locator(".received")).to_contain_text("/b/joe")
    expect(page.locator("[data-webhooks]")).to_contain_text("joe")
    expect(page.locator("[data-bins]")).to_contain_text("joe")
    expect(page.locator(".story")).to_have_count(0)


def test_what_was_sent_and_what_was_received_stand_on_one_line(server: Server, page: Page) -> None:
    delivered_to(server, "one-line")
    page.goto(f"{server.url}/ui/")
    line = page.locator(".exchange", has_text="/b/one-line")
    expect(line).to_have_count(1)
    expect(line.locator(".sent")).to_contain_text("webhook.ping")
    expect(line.locator(".received .signature")).to_have_text("signed")


def test_the_overview_grows_without_a_reload(server: Server, page: Page) -> None:
    opened(server, page, "/ui/")
    capture(server, "grows/here", b"hello")
    first = page.locator(".exchange").first
    expect(first.locator(".received")).to_contain_text("/b/grows/here")
    expect(page.locator(".card", has_text="/b/grows").locator(".count b")).to_have_text("1")


def test_two_tabs_share_one_stream(server: Server, context: BrowserContext) -> None:
    def streams() -> str:
        metrics = httpx.get(f"{server.url}/metrics", trust_env=False).text
        return str(re.findall(r"(?m)^hookbin_stream_subscribers (\S+)$", metrics)[0])

    eventually(lambda: streams() == "0.0")
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(f"{server.url}/ui/")
        is_live(tab)
    assert streams() == "1.0"
    capture(server, "shared/stream", b"x")
    for tab in tabs:
        expect(tab.locator(".exchange").first).to_contain_text("/b/shared/stream")


def test_a_test_event_without_a_webhook_offers_to_register_one(start_server: Callable[..., Server], page: Page) -> None:
    server = start_server()
    capture(server, "something", b"so that this is no first visit")
    page.goto(f"{server.url}/ui/")
    page.get_by_role("button", name="Send a test event").click()
    outcome = page.locator("[data-outcome]")
    expect(outcome).to_contain_text("no webhook wants it")
    outcome.get_by_role("button", name="Register joe").click()
    expect(outcome).to_contain_text("joe is registered")


def test_the_page_comes_back_to_a_server_that_was_away(
    start_server: Callable[..., Server], context: BrowserContext
) -> None:
    server = start_server()
    capture(server, "away/before", b"x")
    page = context.new_page()
    opened(server, page, "/ui/")
    server.kill()
    expect(page.locator("[data-connection]")).not_to_have_attribute("data-connection", "live")
    server.start()
    capture(server, "away/after", b"x")
    expect(page.locator(".exchange").first).to_contain_text("/b/away/after", timeout=20_000)
    is_live(page)


# Bin


def test_a_bin_page_shows_a_request_without_a_reload(server: Server, page: Page) -> None:
    capture(server, "live-bin/first", b"1")
    opened(server, page, "/ui/bins/live-bin")
    page.evaluate("window.notReloaded = true")
    capture(server, "live-bin/second?x=1", b"2")
    expect(page.locator("[data-requests] > li")).to_have_count(2)
    expect(page.locator("[data-requests] > li").first).to_contain_text("/b/live-bin/second?x=1")
    expect(page.locator("[data-count]")).to_have_text("2")
    assert page.evaluate("window.notReloaded")


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
    expect(page.locator("[data-requests] > li")).to_have_count(3)
    expect(page.locator("a.request[aria-current]")).to_have_count(1)
    expect(page.locator("a.request[aria-current]")).to_contain_text("/b/steady/chosen")
    expect(page.locator("#detail-title")).to_contain_text("/b/steady/chosen")


def test_new_rows_wait_behind_a_button_while_the_list_is_scrolled(server: Server, page: Page) -> None:
    for number in range(40):
        capture(server, f"scrolled/{number}")
    opened(server, page, "/ui/bins/scrolled")
    page.locator("[data-requests] > li").last.scroll_into_view_if_needed()
    capture(server, "scrolled/new-1")
    capture(server, "scrolled/new-2")
    pill = page.get_by_role("button", name="2 new ↑")
    expect(pill).to_be_visible()
    expect(page.locator("[data-requests] > li")).to_have_count(30)
    pill.click()
    expect(page.locator("[data-requests] > li").first).to_contain_text("/b/scrolled/new-2")


def test_older_requests_are_a_link_away(server: Server, page: Page) -> None:
    for number in range(33):
        capture(server, f"many/{number}")
    page.goto(f"{server.url}/ui/bins/many")
    expect(page.locator("[data-requests] > li")).to_have_count(30)
    page.get_by_role("link", name="Older requests").click()
    expect(page.locator("[data-requests] > li")).to_have_count(3)
    expect(page.locator("[data-requests] > li").last).to_contain_text("/b/many/0")


def test_the_url_holds_the_selection_and_back_returns_to_the_one_before(server: Server, page: Page) -> None:
    for name in ("a", "b", "c"):
        capture(server, f"history/{name}")
    page.goto(f"{server.url}/ui/bins/history")
    page.locator("a.request", has_text="/b/history/a").click()
    expect(page.locator("#detail-title")).to_contain_text("/b/history/a")
    page.locator("a.request", has_text="/b/history/b").click()
    expect(page.locator("#detail-title")).to_contain_text("/b/history/b")
    page.go_back()
    expect(page.locator("#detail-title")).to_contain_text("/b/history/a")
    page.reload()
    expect(page.locator("a.request[aria-current]")).to_contain_text("/b/history/a")


def test_j_and_k_move_through_the_requests(server: Server, page: Page) -> None:
    for name in ("a", "b", "c"):
        capture(server, f"keys/{name}")
    opened(server, page, "/ui/bins/keys")
    expect(page.locator("#detail-title")).to_contain_text("/b/keys/c")
    page.keyboard.press("j")
    expect(page.locator("#detail-title")).to_contain_text("/b/keys/b")
    page.keyboard.press("j")
    expect(page.locator("#detail-title")).to_contain_text("/b/keys/a")
    page.keyboard.press("k")
    expect(page.locator("#detail-title")).to_contain_text("/b/keys/b")
    expect(page.locator("a.request:focus")).to_contain_text("/b/keys/b")
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_json_is_laid_out_with_every_token_as_it_came(server: Server, page: Page) -> None:
    capture(server, "laid-out", b'{"a":1.00,"a":1e2,"big":12345678901234567890,"t":"\\u00e9"}')
    page.goto(f"{server.url}/ui/bins/laid-out")
    expect(page.locator("pre.body")).to_have_text(
        '{\n  "a": 1.00,\n  "a": 1e2,\n  "big": 12345678901234567890,\n  "t": "\\u00e9"\n}', use_inner_text=True
    )


def test_bytes_that_are_no_text_are_shown_in_hex(server: Server, page: Page) -> None:
    capture(server, "hexed", b"\x89PNG\r\n\xff\x00")
    page.goto(f"{server.url}/ui/bins/hexed")
    expect(page.locator("pre.body")).to_contain_text("00000000  89 50 4e 47 0d 0a ff 00")


def test_a_long_body_is_cut_and_leads_to_all_of_it(server: Server, page: Page) -> None:
    capture(server, "long", b"x" * 100_000)
    page.goto(f"{server.url}/ui/bins/long")
    expect(page.locator(".notice").first).to_contain_text("The first 64.0 KiB of 97.7 KiB are shown.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all of it").click()
    assert download.value.path().read_bytes() == b"x" * 100_000


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_a_hostile_request_is_shown_as_text(server: Server, page: Page) -> None:
    opened(server, page, "/ui/")
    capture(
        server,
        "hostile/<script>alert(3)</script>?q=<svg onload=alert(4)>",
        f"{HOSTILE}\u202eexe.gnp\u200b",
        headers={"x-hostile": HOSTILE, "content-type": f"text/html;{HOSTILE}"},
    )
    expect(page.locator(".exchange").first).to_contain_text("text/html;<script>alert(1)</script>")
    page.goto(f"{server.url}/ui/bins/hostile")
    expect(page.locator("pre.body")).to_contain_text(HOSTILE)
    expect(page.locator("pre.body .odd")).to_have_text(["U+202E", "U+200B"])
    is_live(page)
    page.locator(".sides").get_by_role("link", name="Headers").click()
    expect(page.locator(".pairs", has_text="x-hostile")).to_contain_text(HOSTILE)
    capture(server, "hostile/again", "x", headers={"content-type": f"text/{HOSTILE}"})
    expect(page.locator("[data-requests] > li").first).to_contain_text(f"text/{HOSTILE}")
    assert page.locator("main img, main script").count() == 0


def test_a_hostile_webhook_and_event_are_shown_as_text(server: Server, page: Page) -> None:
    webhook = server.register(f"{server.url}/b/hostile-answer", name=HOSTILE, ping=False)
    server.post("/bins", {"name": "hostile-answer", "response": {"status": 404, "body": HOSTILE}})
    server.post("/events", {"type": "hostile", "data": HOSTILE})
    delivery = ended_delivery(server, webhook["id"])
    for path in ("/ui/", f"/ui/webhooks/{webhook['id']}", f"/ui/deliveries/{delivery['id']}"):
        page.goto(server.url + path)
        expect(page.locator("body")).to_contain_text(HOSTILE)
        assert page.locator("main img, main script").count() == 0
    expect(page.locator("pre.body")).to_have_count(2)


def test_a_bin_that_is_not_there_gets_a_page_that_says_so(server: Server, context: BrowserContext) -> None:
    page = context.new_page()
    response = page.goto(f"{server.url}/ui/bins/nobody-made-this")
    assert response is not None
    assert response.status == 404
    expect(page.get_by_role("heading", name="There is no such bin")).to_be_visible()


# Webhook


def test_a_webhook_page_shows_a_delivery_without_a_reload(server: Server, page: Page) -> None:
    webhook = server.register(f"{server.url}/b/live-webhook", name="live webhook", events=["live.*"], ping=False)
    page.goto(f"{server.url}/ui/webhooks/{webhook['id']}")
    expect(page.locator(".deliveries")).to_contain_text("Nothing was sent to it yet")
    is_live(page)
    page.get_by_role("button", name="Send a test event").click()
    row = page.locator(".table tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("user.created")
    expect(row.locator(".state")).to_have_text("succeeded")


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


def test_a_failed_delivery_says_why_and_can_be_retried_from_the_page(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "mends", "response": {"status": 404}})
    delivery = delivered_to(server, "mends")
    httpx.patch(f"{server.url}/bins/mends", json={"response": {"status": 200}}, trust_env=False)
    page.goto(f"{server.url}/ui/deliveries/{delivery['id']}")
    expect(page.locator(".verdict-text")).to_have_text("404 is a 4xx, so it was not retried.")
    is_live(page)
    page.get_by_role("button", name="Retry now").click()
    expect(page.locator(".verdict-text")).to_have_text("Delivered on attempt 2 with 200.")
    expect(page.locator(".attempt-line")).to_have_count(2)
    expect(page.locator(".axis-tick")).to_have_count(2)
    expect(page.get_by_role("button", name="Retry now")).to_have_count(0)


def test_a_pending_delivery_counts_down_to_its_next_attempt(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "never-mends", "response": {"status": 503}})
    webhook = server.register(f"{server.url}/b/never-mends", name="pending", retry_schedule=[3600])
    delivery = eventually(lambda: [one for one in server.deliveries(webhook=webhook["id"]) if one["attempt_count"]])[0]
    page.goto(f"{server.url}/ui/deliveries/{delivery['id']}")
    expect(page.locator(".verdict-next")).to_contain_text(re.compile(r"Next attempt in [0-9.]+ (min|h)"))
    expect(page.locator(".axis-tick").last).to_contain_text("next")


# Every page


@pytest.fixture(scope="module")
def pages(server: Server) -> dict[str, str]:
    """The path of each page, with something on all of them."""
    capture(server, "four-pages/path?query=1", b'{"a": [1, "two", null]}', headers={"content-type": "application/json"})
    delivery = delivered_to(server, "four-pages")
    return {
        "overview": "/ui/",
        "bin": "/ui/bins/four-pages",
        "webhook": f"/ui/webhooks/{delivery['webhook_id']}",
        "delivery": f"/ui/deliveries/{delivery['id']}",
        "request": f"/ui/requests/{server.captured('four-pages')[-1]['id']}",
        "event": f"/ui/events/{delivery['event_id']}",
        "send": "/ui/send",
        "compare": "/ui/requests/{}/diff/{}".format(*(row["id"] for row in server.captured("four-pages")[-2:])),
        "webhooks": "/ui/webhooks",
        "bins": "/ui/bins",
    }


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


@pytest.mark.parametrize("name", READ_WITHOUT_SCRIPT)
def test_a_page_can_be_read_without_javascript(
    server: Server, browser: Browser, pages: dict[str, str], name: str
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(server.url + pages[name])
        for text in READ_WITHOUT_SCRIPT[name]:
            expect(page.locator("main")).to_contain_text(text)
        assert page.locator("[data-needs-js]:visible").count() == 0


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_any_page(server: Server, browser: Browser, pages: dict[str, str], viewport: Any) -> None:
    others = {
        "docs": "/docs",
        "sign-in": "/ui/sign-in",
        "problem": "/ui/bins/not-there",
        "empty": "/ui/bins/axe-empty",
    }
    server.post("/bins", {"name": "axe-empty"})
    with browser.new_context(viewport=viewport) as context:
        page = context.new_page()
        for name, path in (pages | others).items():
            page.goto(server.url + path)
            expect(page.locator("main")).to_be_visible()
            assert_accessible(page, name, dark=viewport is DESKTOP)


@pytest.mark.parametrize("name", [*READ_WITHOUT_SCRIPT, "send", "webhooks", "bins"])
def test_no_page_is_wider_than_a_phone(server: Server, browser: Browser, pages: dict[str, str], name: str) -> None:
    with browser.new_context(viewport=PHONE) as context:
        page = context.new_page()
        page.goto(server.url + pages[name])
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


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
