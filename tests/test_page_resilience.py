"""How the pages behave: a stream that is lost, panes that can't be loaded, notices, keys, paper, movement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browsing import DESKTOP, PHONE, Watched, assert_accessible, capture, is_live, opened
from tests.support import Server, eventually

HIDE = """
Object.defineProperty(document, "hidden", { get: () => window.isHidden ?? false, configurable: true });
window.hide = (hidden) => { window.isHidden = hidden; document.dispatchEvent(new Event("visibilitychange")); };
"""
RECORD_NOTICES = """
window.notices = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { window.asked = true; return (this.permission = "granted"); }
  constructor(title, options) { super(); window.notices.push([title, options.body]); }
};
"""


LIVE = ("overview", "bin", "request", "webhook", "delivery", "event", "send", "webhooks", "bins")
"""The pages that follow the stream."""


@pytest.fixture
def alone(browser: Browser) -> Iterator[Page]:
    """A page that may complain of what a test takes away from it."""
    with browser.new_context(viewport=DESKTOP) as context:
        yield context.new_page()


# Connection


def test_each_pane_says_that_the_server_is_away_and_is_current_again_when_it_is_back(
    start_server: Callable[..., Server], alone: Page
) -> None:
    server = start_server()
    capture(server, "away/before")
    opened(server, alone, "/ui/bins/away")
    server.kill()
    panes = alone.locator("[data-pane] > [data-stale]")
    expect(panes).to_have_count(3)
    expect(panes.first).to_contain_text(re.compile(r"(Reconnecting|can’t be reached).+What is shown is from \d"))
    assert_accessible(alone, "main")
    server.start()
    capture(server, "away/after")
    alone.evaluate("document.querySelector('[data-stale] button')?.click()")  # unless it was back by itself before
    is_live(alone)
    expect(panes).to_have_count(0)
    expect(alone.locator("[data-requests] > li")).to_have_count(2)


def test_every_page_that_lives_has_panes_that_can_say_so(server: Server, pages: dict[str, str]) -> None:
    for name in LIVE:
        html = server.request("GET", pages[name]).text
        assert " data-pane" in html, name


# What can't be loaded


def test_a_detail_that_cannot_be_loaded_says_so_and_is_tried_again(server: Server, alone: Page) -> None:
    for name in ("a", "b"):
        capture(server, f"breaks/{name}")
    opened(server, alone, "/ui/bins/breaks")
    alone.evaluate("window.stayed = true")
    fails = re.compile("request=req_")
    alone.route(fails, lambda route: route.fulfill(status=503))
    alone.locator("a.request", has_text="/b/breaks/a").click()
    box = alone.locator("#detail .box")
    expect(box).to_contain_text("This could not be loaded")
    expect(box).to_contain_text("The server answered 503.")
    assert_accessible(alone, "#detail")
    alone.unroute(fails)
    alone.route(fails, lambda route: route.abort())
    box.get_by_role("button", name="Try again").click()
    expect(box).to_contain_text("The server can’t be reached.")
    alone.unroute(fails)
    alone.route(fails, lambda route: route.fulfill(status=404))
    box.get_by_role("button", name="Try again").click()
    expect(box).to_contain_text("It is no longer there: it was deleted, or trimmed.")
    alone.unroute(fails)
    box.get_by_role("button", name="Try again").click()
    expect(alone.locator("#detail-title")).to_contain_text("/b/breaks/a")
    assert alone.evaluate("window.stayed")


def test_a_detail_that_takes_long_says_that_it_loads(server: Server, page: Page) -> None:
    for name in ("a", "b"):
        capture(server, f"waits/{name}")
    opened(server, page, "/ui/bins/waits")
    held: list[Route] = []
    page.route(re.compile("request=req_"), lambda route: held.append(route))
    page.locator("a.request", has_text="/b/waits/a").click()
    expect(page.locator("#detail > [data-loading]")).to_have_text("Loading")
    assert_accessible(page, "#detail")
    expect(page.locator("#detail-title")).to_contain_text("/b/waits/b")
    held[0].continue_()
    expect(page.locator("#detail-title")).to_contain_text("/b/waits/a")
    expect(page.locator("[data-loading]")).to_have_count(0)


# Notices


def test_what_comes_while_the_tab_is_hidden_is_counted_in_its_title(server: Server, page: Page) -> None:
    page.add_init_script(HIDE)
    capture(server, "counted/0")
    opened(server, page, "/ui/bins/counted")
    capture(server, "counted/seen")
    expect(page.locator("[data-requests] > li")).to_have_count(2)
    page.evaluate("hide(true)")
    for number in range(3):
        capture(server, f"counted/{number}")
    capture(server, "not-this-bin")
    expect(page).to_have_title(re.compile(r"^\(3\) counted"))
    page.evaluate("hide(false)")
    expect(page).to_have_title(re.compile("^counted"))


def test_the_count_can_be_turned_off_and_that_is_remembered(server: Server, page: Page) -> None:
    page.add_init_script(HIDE)
    capture(server, "uncounted/0")
    opened(server, page, "/ui/bins/uncounted")
    page.get_by_label("Notices").click()
    page.get_by_label("is counted in its title").uncheck()
    page.reload()
    is_live(page)
    page.get_by_label("Notices").click()
    expect(page.get_by_label("is counted in its title")).not_to_be_checked()
    page.keyboard.press("Escape")
    expect(page.locator(".menu-panel")).to_be_hidden()
    page.evaluate("hide(true)")
    capture(server, "uncounted/1")
    expect(page.locator("[data-requests] > li")).to_have_count(2)
    expect(page).to_have_title(re.compile("^uncounted"))


def test_the_desktop_is_told_only_after_the_reader_asked_for_it(server: Server, page: Page) -> None:
    page.add_init_script(HIDE + RECORD_NOTICES)
    capture(server, "told/0")
    opened(server, page, "/ui/bins/told")
    page.evaluate("hide(true)")
    capture(server, "told/1")
    expect(page).to_have_title(re.compile(r"^\(1\) told"))
    assert page.evaluate("[window.asked, notices.length]") == [None, 0]
    page.evaluate("hide(false)")
    page.get_by_label("Notices").click()
    page.get_by_label("is told on the desktop").click()
    expect(page.get_by_label("is told on the desktop")).to_be_checked()
    assert page.evaluate("window.asked")
    page.evaluate("hide(true)")
    capture(server, "told/<b>2</b>")
    eventually(lambda: page.evaluate("notices.length") == 1)
    title, body = page.evaluate("notices[0]")
    assert title.startswith("1 new · told")
    assert body == "POST /b/told/%3Cb%3E2%3C/b%3E"


def test_where_the_browser_forbids_notices_the_menu_says_so(server: Server, page: Page) -> None:
    page.add_init_script("window.Notification = class { static permission = 'denied' };")
    opened(server, page, "/ui/")
    page.get_by_label("Notices").click()
    expect(page.get_by_label("is told on the desktop")).to_be_disabled()
    expect(page.locator(".menu-panel")).to_contain_text("The browser forbids it")


# Keys

DOES = {
    "j": "document.activeElement.matches('[data-row]')",
    "g": "document.activeElement.matches('[data-row]')",
    "/": "document.activeElement.matches('[data-key=\"/\"]')",
    "n": "document.querySelector('#note[open]') !== null",
    "x": "document.querySelector('[data-pick]:checked') !== null",
    "s": "document.querySelector('#settings[open], #edit[open]') !== null",
    "?": "document.querySelector('[data-keys][open]') !== null",
    "Ctrl K": "document.querySelector('.palette[open] [role=option]') !== null",
}
"""What is true once a key of the list was pressed; other keys press the button that names them."""


@pytest.mark.parametrize("name", LIVE)
def test_the_list_of_keys_names_those_that_work_on_the_page(
    server: Server, page: Page, pages: dict[str, str], name: str
) -> None:
    opened(server, page, pages[name])
    page.evaluate(
        """document.addEventListener("click", (event) => {
             const key = event.target.closest("[data-key]")?.dataset.key;
             if (!key || !"rtcpd".includes(key)) return;
             event.preventDefault();
             event.stopImmediatePropagation();
             (window.pressed ??= []).push(key);
           }, true)"""
    )
    page.keyboard.press("?")
    listed = page.locator("[data-keys] dl > div:visible kbd").all_inner_texts()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    has = page.evaluate("[...document.querySelectorAll('[data-key]:not(:disabled)')].map((one) => one.dataset.key)")
    assert {*has} - {*listed} == set()
    for key in listed:
        if key in ("Enter", "Escape", "k"):
            continue
        done = DOES.get(key, f"(window.pressed ?? []).includes('{key}')")
        page.keyboard.press(key.replace("Ctrl ", "Control+"))
        if key in ("j", "g") and not page.evaluate(done):
            page.keyboard.press(key)  # a list that was loaded anew at that moment took the focus along
        eventually(partial(page.evaluate, done))
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        page.evaluate("document.activeElement.blur()")


def test_single_keys_can_be_turned_off_and_that_is_remembered(server: Server, page: Page) -> None:
    opened(server, page, "/ui/")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single keys").uncheck()
    page.reload()
    is_live(page)
    page.keyboard.press("?")
    expect(page.locator("[data-keys]")).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single keys").check()
    page.reload()
    is_live(page)
    page.keyboard.press("?")
    expect(page.locator("[data-keys]")).to_be_visible()


# Seeing


@pytest.mark.parametrize("name", ["bin", "delivery", "send"])
def test_everything_that_can_be_focused_shows_it(server: Server, page: Page, pages: dict[str, str], name: str) -> None:
    opened(server, page, pages[name])
    seen = 0
    for _ in range(25):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            """(() => {
                 const one = document.activeElement;
                 if (one === document.body) return null;
                 const { outlineStyle, outlineWidth } = getComputedStyle(one);
                 return outlineStyle !== "none" && parseFloat(outlineWidth) > 0 ? "" : one.outerHTML.slice(0, 120);
               })()"""
        )
        if outline is None:
            break
        assert outline == ""
        seen += 1
    assert seen > 5


def test_nothing_moves_for_who_wants_that(server: Server, browser: Browser, pages: dict[str, str]) -> None:
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        for name in LIVE:
            opened(server, page, pages[name])
            assert page.evaluate("document.getAnimations().length") == 0, name


def test_a_request_is_printed_whole_and_without_what_can_be_pressed(server: Server, browser: Browser) -> None:
    body = b"\n".join(b"line %d" % number for number in range(400))
    capture(server, "printed?q=1", body, headers={"content-type": "text/plain", "x-printed": "yes"})
    (request,) = server.captured("printed")
    with browser.new_context(viewport=PHONE, color_scheme="dark") as context:
        page = context.new_page()
        watched = Watched(page)
        opened(server, page, f"/ui/requests/{request['id']}")
        page.emulate_media(media="print")
        for name in ("From", "Body", "Query", "Headers", "Answer", "Signature"):
            expect(page.locator("main").get_by_role("heading", name=name, level=3)).to_be_visible()
        for hidden in (".top", ".buttons", ".menu", ".tabs", "dialog", ".copy"):
            assert page.locator(f"{hidden}:visible").count() == 0, hidden
        shown: Any = page.evaluate(
            """(() => { const body = document.querySelector("pre.body:not(.short)");
                 return [body.scrollHeight - body.clientHeight, getComputedStyle(document.body).color]; })()"""
        )
        assert shown[0] <= 2
        assert shown[1] == "rgb(25, 27, 31)"
        assert page.pdf().count(b"/Type /Page\n") + page.pdf().count(b"/Type /Page ") > 3
        assert watched.complaints == []


def test_times_are_relative_and_exact_on_hover(server: Server, page: Page) -> None:
    capture(server, "timed")
    (request,) = server.captured("timed")
    opened(server, page, f"/ui/requests/{request['id']}")
    ago = page.locator('.detail-line time[data-time="ago"]')
    expect(ago).to_have_text(re.compile("just now|ago"))
    expect(ago).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ UTC$"))
