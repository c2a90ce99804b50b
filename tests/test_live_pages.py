"""The life of the pages: one stream a browser, nothing lost or doubled, and never too much at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hookbin.web.pages.overview import SHOWN
from tests.browsing import DESKTOP, capture, is_live
from tests.support import Server, eventually
from tests.wire import pipelined

BURST = 5_000
DRAWS_A_SECOND = 10
WITHOUT_SHARED_WORKERS = "delete globalThis.SharedWorker"
COUNT_DRAWS = """
addEventListener("DOMContentLoaded", () => {
  window.drawn = [];
  const list = document.querySelector("[data-requests], [data-timeline]");
  new MutationObserver(() => window.drawn.push(performance.now())).observe(list, { childList: true });
});
"""


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    is_live(page)
    return page


def burst(server: Server, bin: str, count: int, *, connections: int = 4) -> None:
    """`count` numbered captures as fast as the server takes them, each acknowledged."""
    paths = [f"/b/{bin}/{number}" for number in range(count)]
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda first: pipelined(server, paths[first::connections]), range(connections)))


def all_paths(server: Server, page: Page) -> list[str]:
    """What a bin's page lists, and then every older page, in order."""
    paths: list[str] = page.locator("[data-requests] > li:not([data-apart]) .path").all_inner_texts()
    older = page.locator("#older:not([hidden]) a")
    url = older.evaluate("link => link.href") if older.count() else None
    with httpx.Client(trust_env=False, verify=False) as client:
        while url:
            html = client.get(url).text
            paths += re.findall(r"<li data-seq.*?<bdi>([^<]+)</bdi>", html, re.DOTALL)
            found = re.search(r'<p class="pad" id="older"><a href="([^"]*)"', html)
            url = urljoin(url, found[1].replace("&amp;", "&")) if found else None
    return paths


def most_draws_in_a_second(page: Page) -> int:
    times: list[float] = page.evaluate("window.drawn")
    return max(sum(1 for other in times if start <= other < start + 1000) for start in times)


def test_seven_tabs_of_different_pages_share_one_stream(server: Server, context: BrowserContext) -> None:
    capture(server, "shared/before")
    eventually(lambda: server.metric("stream_subscribers") == 0)
    paths = ["/ui/", "/ui/bins/shared", "/ui/bins", "/ui/webhooks", "/ui/send", "/ui/", "/ui/bins/shared"]
    tabs = [opened(context, server.url + path) for path in paths]
    assert server.metric("stream_subscribers") == 1
    capture(server, "shared/after")
    for tab in (tabs[0], tabs[5]):
        expect(tab.locator(".exchange").first).to_contain_text("/b/shared/after")
    for tab in (tabs[1], tabs[6]):
        expect(tab.locator("[data-requests] > li").first).to_contain_text("/b/shared/after")
    for tab in tabs:
        tab.close()
    eventually(lambda: server.metric("stream_subscribers") == 0)


def test_without_shared_workers_each_tab_has_a_stream_while_it_can_be_seen(server: Server, browser: Browser) -> None:
    eventually(lambda: server.metric("stream_subscribers") == 0)
    with browser.new_context() as context:
        context.add_init_script(WITHOUT_SHARED_WORKERS)
        tabs = [opened(context, f"{server.url}/ui/") for _ in range(2)]
        assert server.metric("stream_subscribers") == 2
        hide = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        turn = f"{hide} document.dispatchEvent(new Event('visibilitychange')); }}"
        tabs[0].evaluate(turn, True)
        eventually(lambda: server.metric("stream_subscribers") == 1)
        capture(server, "unseen/meanwhile")
        expect(tabs[1].locator(".exchange").first).to_contain_text("/b/unseen/meanwhile")
        expect(tabs[0].locator(".exchange", has_text="/b/unseen/meanwhile")).to_have_count(0)
        tabs[0].evaluate(turn, False)
        expect(tabs[0].locator(".exchange", has_text="/b/unseen/meanwhile")).to_have_count(1)
        assert server.metric("stream_subscribers") == 2


@pytest.mark.parametrize("script", ["", WITHOUT_SHARED_WORKERS], ids=["shared", "alone"])
def test_after_a_crash_of_the_server_nothing_is_missing_and_nothing_is_twice(
    start_server: Callable[..., Server], browser: Browser, script: str
) -> None:
    server = start_server()
    capture(server, "crash/0")
    with browser.new_context(viewport=DESKTOP) as context:
        context.add_init_script(script)
        overview, bin = opened(context, f"{server.url}/ui/"), opened(context, f"{server.url}/ui/bins/crash")
        for number in range(1, 6):
            capture(server, f"crash/{number}")
        server.kill()
        for page in (overview, bin):
            expect(page.locator("[data-connection]")).to_have_attribute("data-connection", re.compile("reconn|offline"))
            expect(page.locator("[data-connection-label]")).to_have_text(re.compile("Reconnecting|Offline"))
        server.start()
        for number in range(6, 11):
            capture(server, f"crash/{number}")
        expected = [f"/b/crash/{number}" for number in reversed(range(11))]
        for page, rows in ((overview, "[data-timeline] .path"), (bin, "[data-requests] .path")):
            expect(page.locator(rows).first).to_have_text("/b/crash/10", timeout=20_000)
            is_live(page)
            assert page.locator(rows).all_inner_texts() == expected
        expect(bin.locator("[data-count]")).to_have_text("11")
        expect(overview.locator("[data-bins] .count b")).to_have_text("11")


def test_a_burst_is_counted_exactly_and_listed_once_while_pages_draw_ten_times_a_second(
    start_server: Callable[..., Server], browser: Browser
) -> None:
    server = start_server()
    capture(server, "burst/first")
    with browser.new_context(viewport=DESKTOP) as context:
        context.add_init_script(COUNT_DRAWS)
        overview, bin = opened(context, f"{server.url}/ui/"), opened(context, f"{server.url}/ui/bins/burst")
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(burst, server, "burst", BURST)
            expect(bin.locator("[data-count]")).not_to_have_text("1")
            late = [opened(context, bin.url), opened(context, overview.url)]  # loaded while more is coming
            sending.result()
        for page in (bin, late[0]):
            expect(page.locator("[data-count]")).to_have_text(str(BURST + 1))
            expect(page.locator("#bins .count")).to_have_text(str(BURST + 1))
        for page in (overview, late[1]):
            expect(page.locator("[data-bins] .count b")).to_have_text(str(BURST + 1))
            seen = page.locator("[data-timeline] .path").all_inner_texts()
            assert SHOWN <= len(seen) == len(set(seen)) <= 150
            expect(page.locator("[data-cut]")).to_be_visible()
        for page in (bin, late[0]):
            assert page.locator("[data-requests] > li:not([data-apart])").count() <= 200
            times = Counter(all_paths(server, page))
            assert times == Counter(["/b/burst/first", *(f"/b/burst/{number}" for number in range(BURST))])
        for page in (overview, bin):
            assert most_draws_in_a_second(page) <= DRAWS_A_SECOND + 1


def test_a_full_bin_s_page_counts_what_the_bin_holds_and_not_what_was_trimmed(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "full", "max_requests": 100})
    page.goto(f"{server.url}/ui/bins/full")
    is_live(page)
    burst(server, "full", 400)
    expect(page.locator("[data-requests] .path").first).to_be_visible()
    eventually(lambda: page.locator("[data-count]").inner_text() == str(server.get("/bins/full")["request_count"]))
    assert server.get("/bins/full")["request_count"] < 400


def test_what_comes_while_the_list_is_scrolled_waits_in_a_bounded_number(server: Server, page: Page) -> None:
    burst(server, "held", 60)
    page.goto(f"{server.url}/ui/bins/held")
    is_live(page)
    page.locator("a.request").first.click()
    chosen = page.locator("[data-requests] [aria-current]").inner_text()
    page.locator("[data-requests] > li").last.scroll_into_view_if_needed()
    burst(server, "held", 300)
    pill = page.get_by_role("button", name="200+ new ↑")
    expect(pill).to_be_visible()
    expect(page.locator("[data-count]")).to_have_text("360")
    assert page.locator("[data-requests] > li").count() == 24
    pill.click()
    assert page.locator("[data-requests] > li").count() == 201
    assert page.locator("[data-apart] [aria-current]").inner_text() == chosen
    times = Counter(all_paths(server, page))
    assert times == Counter([f"/b/held/{number}" for count in (60, 300) for number in range(count)])
