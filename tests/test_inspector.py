"""The inspector of a bin: selection, search, notes, picking, settings, and a request by itself."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browsing import Watched, capture, is_live, opened
from tests.support import Server, eventually


def rows(page: Page) -> Any:
    return page.locator("[data-requests] > li")


def test_the_url_holds_the_selection_and_the_tab_and_back_returns_to_those_before(server: Server, page: Page) -> None:
    capture(server, "held/first?a=1")
    capture(server, "held/second?b=2")
    opened(server, page, "/ui/bins/held")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#detail-title")).to_contain_text("/b/held/first")
    page.locator(".sides").get_by_role("link", name="Query").click()
    expect(page.locator("[data-tab=query] .pairs")).to_contain_text("a")
    page.keyboard.press("Escape")
    page.locator("[data-requests] a[aria-current]").focus()
    page.keyboard.press("k")
    expect(page.locator("#detail-title")).to_contain_text("/b/held/second")
    expect(page.locator(".sides [aria-current]")).to_contain_text("Query")
    page.reload()
    expect(page.locator("#detail-title")).to_contain_text("/b/held/second")
    expect(page.locator("[data-tab=query] .pairs")).to_contain_text("b")
    page.go_back()
    expect(page.locator("#detail-title")).to_contain_text("/b/held/first")
    page.locator("[data-requests] a[aria-current]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_focused()


def test_a_search_looks_into_bodies_and_follows_what_comes(server: Server, page: Page) -> None:
    capture(server, "search/1", "a needle in here")
    capture(server, "search/2", "hay")
    opened(server, page, "/ui/bins/search")
    page.keyboard.press("/")
    page.keyboard.type("needle")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    is_live(page)
    capture(server, "search/3", "more hay")
    capture(server, "search/4", "another NEEDLE")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("/b/search/4")
    expect(rows(page).first).to_contain_text("found in the body")
    page.get_by_role("link", name="Clear").click()
    expect(rows(page)).to_have_count(4)


def test_what_was_searched_for_is_marked_however_it_is_spelled(server: Server, page: Page) -> None:
    capture(server, "marked/J%C3%B6rg?n=J%F6rg", r'{"name":"J\u00f6rg","url":"https:\/\/example.com"}')
    marked = "[...CSS.highlights.get('hits')].map(String)"
    opened(server, page, "/ui/bins/marked?q=j%C3%B6rg")
    assert page.evaluate(marked) == ["J%C3%B6rg", "J%C3%B6rg", "Jörg", r"J\u00f6rg"]
    opened(server, page, "/ui/bins/marked?q=%22url%22%3A%22https%3A%2F%2Fex")
    assert page.evaluate(marked) == [r'"url": "https:\/\/ex']
    page.locator(".sides").get_by_role("link", name="Headers").click()
    eventually(lambda: page.evaluate("CSS.highlights.get('hits').size === 0"))


def test_chips_narrow_and_a_filter_that_makes_no_sense_is_said(server: Server, page: Page) -> None:
    capture(server, "chips/post")
    server.request("GET", "/b/chips/get")
    opened(server, page, "/ui/bins/chips")
    page.locator(".search").get_by_role("link", name="GET").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("/b/chips/get")
    page.locator(".search").get_by_role("link", name="5xx").click()
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.goto(f"{server.url}/ui/bins/chips?status=nonsense")
    expect(page.get_by_role("alert")).to_contain_text("is not a status")
    expect(rows(page)).to_have_count(2)


def test_a_pause_holds_new_rows_until_it_ends(server: Server, page: Page) -> None:
    capture(server, "paused/0")
    opened(server, page, "/ui/bins/paused")
    page.get_by_role("button", name="Pause").click()
    capture(server, "paused/1")
    capture(server, "paused/2")
    expect(page.locator("[data-show-newer]")).to_have_text("2 new ↑")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Go on").click()
    expect(rows(page)).to_have_count(3)


def test_a_request_is_pinned_and_noted_and_the_list_says_so(server: Server, page: Page) -> None:
    capture(server, "noted/1")
    opened(server, page, "/ui/bins/noted")
    page.keyboard.press("p")
    expect(rows(page).locator(".mark-pinned")).to_have_text("pinned")
    expect(page.get_by_role("button", name="Unpin")).to_be_visible()
    page.keyboard.press("n")
    page.get_by_label("What is to be remembered").fill("the one that failed <b>here</b>")
    page.get_by_role("button", name="Save").click()
    expect(rows(page).locator(".request-note")).to_have_text("the one that failed <b>here</b>")
    expect(page.locator(".note-text")).to_contain_text("the one that failed <b>here</b>")


def test_what_changes_while_a_dialog_is_open_is_shown_when_it_closes(server: Server, page: Page) -> None:
    capture(server, "elsewhere")
    (request,) = server.captured("elsewhere")
    opened(server, page, "/ui/bins/elsewhere")
    page.keyboard.press("n")
    server.patch(f"/requests/{request['id']}", {"note": "from elsewhere"})
    expect(rows(page).locator(".request-note")).to_have_text("from elsewhere")
    expect(page.locator("dialog#note")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".note-text")).to_contain_text("from elsewhere")


def test_deleting_a_request_goes_on_to_the_next(server: Server, page: Page) -> None:
    for number in range(3):
        capture(server, f"deleted/{number}")
    opened(server, page, "/ui/bins/deleted")
    expect(page.locator("#detail-title")).to_contain_text("/b/deleted/2")
    page.keyboard.press("d")
    expect(rows(page)).to_have_count(2)
    expect(page.locator("#detail-title")).to_contain_text("/b/deleted/1")
    expect(page.locator("[data-count]")).to_have_text("2")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(3)


def test_where_nothing_can_be_written_the_page_says_that_there_is_no_undo(server: Server, watched: Watched) -> None:
    page = watched.page
    capture(server, "full/0")
    opened(server, page, "/ui/bins/full")
    problem = {"status": 507, "title": "full", "detail": "the disk is full", "code": "storage_failed"}
    page.route("**/requests/*?undo=10", lambda route: route.fulfill(status=507, json=problem))
    page.keyboard.press("d")
    expect(page.locator("dialog.asks")).to_contain_text("there is no undo")
    page.locator("dialog.asks").get_by_role("button", name="Delete").click()
    expect(page.locator(".toast")).to_have_text("One request is deleted.")
    assert server.captured("full") == []
    assert [complaint for complaint in watched.complaints if "507" not in complaint] == []
    watched.complaints.clear()


def test_several_are_picked_and_deleted(server: Server, page: Page) -> None:
    for number in range(4):
        capture(server, f"picked/{number}")
    opened(server, page, "/ui/bins/picked")
    page.locator("[data-pick]").nth(0).click()
    page.locator("[data-pick]").nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-bulk-count]")).to_have_text("3 picked")
    page.locator("[data-bulk]").get_by_role("button", name="Delete").click()
    expect(page.locator("dialog.asks h2")).to_have_text("Delete 3 requests?")
    page.locator("dialog.asks").get_by_role("button", name="Delete").click()
    expect(rows(page)).to_have_count(1)
    expect(page.locator("[data-bulk]")).to_be_hidden()


def test_those_that_are_picked_are_exported_as_one_file(server: Server, page: Page) -> None:
    for number in range(3):
        capture(server, f"exported/{number}", f"body {number}")
    opened(server, page, "/ui/bins/exported")
    page.locator("[data-pick]").nth(0).click()
    page.locator("[data-pick]").nth(1).click()
    with page.expect_download() as download:
        page.locator("[data-bulk]").get_by_role("button", name="Export").click()
    har = json.loads(download.value.path().read_text())
    assert [entry["request"]["url"].rpartition("/")[2] for entry in har["log"]["entries"]] == ["1", "2"]


def test_the_last_searches_are_offered_again(server: Server, page: Page) -> None:
    capture(server, "sought/1", "x")
    for text in ("first words", "second words", "first words"):
        opened(server, page, f"/ui/bins/sought?q={text}")
    opened(server, page, "/ui/bins/sought")
    offered = page.locator("#searches option").evaluate_all("options => options.map((option) => option.value)")
    assert offered == ["first words", "second words"]


def test_two_that_are_picked_are_compared(server: Server, page: Page) -> None:
    for number in (1, 2):
        body = f'{{"id": {number}, "same": [1, 2], "only{number}": "<b>"}}'
        headers = {"content-type": "application/json", "x-number": str(number)}
        capture(server, f"compared/{number}?n={number}", body, headers=headers)
    opened(server, page, "/ui/bins/compared")
    page.locator("[data-pick]").nth(0).click()
    page.locator("[data-pick]").nth(1).click()
    page.locator("[data-compare]").click()
    expect(page.get_by_role("heading", name="Two requests compared")).to_be_visible()
    expect(page.get_by_role("table", name="Headers that differ")).to_contain_text("x-number")
    expect(page.get_by_role("table", name="Parameters that differ").get_by_role("row").last).to_contain_text("12")
    changes = page.get_by_role("table", name="What differs in the JSON").locator("tbody > tr")
    expect(changes).to_have_count(3)
    assert sorted(str(row.get_attribute("data-change")) for row in changes.all()) == ["added", "changed", "removed"]


def test_text_is_compared_by_lines_and_bytes_by_place(server: Server, page: Page) -> None:
    for body in (b"one\ntwo\nthree\n", b"one\n2\nthree\n", b"\x00\x01", b"\x00\x02"):
        capture(server, "lines", body)
    ids = [request["id"] for request in server.captured("lines")]
    page.goto(f"{server.url}/ui/requests/{ids[0]}/diff/{ids[1]}")
    table = page.get_by_role("table", name="Lines that differ")
    expect(table.locator("tr[data-change=removed]").last).to_contain_text("two")
    expect(table.locator("tr[data-change=added]").last).to_contain_text("2")
    page.goto(f"{server.url}/ui/requests/{ids[2]}/diff/{ids[3]}")
    expect(page.locator("main")).to_contain_text("the first difference is at byte 1")
    page.goto(f"{server.url}/ui/requests/{ids[0]}/diff/{ids[0]}")
    expect(page.get_by_role("heading", name="The two are identical")).to_be_visible()


def test_all_but_the_pinned_are_deleted(server: Server, page: Page) -> None:
    for number in range(3):
        capture(server, f"emptied/{number}")
    kept = server.captured("emptied")[1]["id"]
    server.patch(f"/requests/{kept}", {"pinned": True})
    opened(server, page, "/ui/bins/emptied")
    page.locator("#bin-menu summary").click()
    page.get_by_role("button", name="Delete all but pinned").click()
    expect(page.locator("dialog.asks")).to_contain_text("The bin holds 3 requests.")
    page.locator("dialog.asks").get_by_role("button", name="Delete all").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("/b/emptied/1")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(3)
    expect(page.locator("[data-count]")).to_have_text("3")
    expect(page.locator("#detail-title")).to_contain_text("/b/emptied/")
    server.patch(f"/requests/{kept}", {"pinned": False})
    expect(page.locator(".badge", has_text="pinned")).to_have_count(0)
    undo = server.request("DELETE", "/bins/emptied/requests?undo=10").json()["undo"]["id"]
    expect(page.locator(".scroller")).to_contain_text("Nothing yet")
    expect(page.locator("#detail")).to_contain_text("Waiting for the first request")
    server.post(f"/undo/{undo}", {})
    expect(rows(page)).to_have_count(3)
    expect(page.locator("#detail")).to_contain_text("/b/emptied/2")


def test_the_answer_is_set_and_its_next_step_is_marked(server: Server, page: Page) -> None:
    capture(server, "set/0")
    opened(server, page, "/ui/bins/set")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Start from").select_option("flaky")
    page.locator("#settings").get_by_role("button", name="Save").click()
    steps = page.locator("#answers .sequence > li")
    expect(steps.first).to_contain_text("500")
    expect(steps.first).to_have_attribute("aria-current", "step")
    for _ in range(2):
        assert server.post("/b/set").status_code == 500
    expect(steps.last).to_have_attribute("aria-current", "step")
    page.get_by_role("button", name="Begin again").click()
    expect(steps.first).to_have_attribute("aria-current", "step")


def test_targets_keep_what_the_form_does_not_show_of_them(server: Server, page: Page) -> None:
    capture(server, "sending-on/0")
    options = {"retry_schedule": [7], "retry_on": ["429"], "timeout": 5, "max_in_flight": 2}
    first, second = f"{server.url}/b/first", f"{server.url}/b/second"
    server.patch("/bins/sending-on", {"forward": [{"destination": first, **options}]})
    opened(server, page, "/ui/bins/sending-on")
    page.keyboard.press("s")
    page.get_by_role("link", name="Signature, forwarding, storage").click()
    page.locator("#b-forward").fill(f"{first}\n{second}")
    page.locator("#settings").get_by_role("button", name="Save").click()
    expect(page.locator("#settings")).to_be_hidden()
    kept, added = server.get("/bins/sending-on")["forward"]
    assert {name: kept[name] for name in options} == options
    assert added["timeout"] == 15


def test_a_bin_is_made_renamed_and_deleted(server: Server, page: Page) -> None:
    capture(server, "maker/0")
    opened(server, page, "/ui/bins/maker")
    page.goto(f"{server.url}/ui/new")
    page.locator("#bin-name").fill("made-here")
    page.get_by_role("button", name="Make the bin").click()
    page.wait_for_url(re.compile("/ui/bins/made-here$"))
    is_live(page)
    page.keyboard.press("s")
    page.get_by_role("link", name="Signature, forwarding, storage").click()
    page.locator("#b-name").fill("renamed-here")
    page.locator("#settings").get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("/ui/bins/renamed-here$"))
    page.keyboard.press("s")
    page.get_by_role("link", name="Signature, forwarding, storage").click()
    page.get_by_role("button", name="Delete the bin").click()
    page.locator("#delete-bin").get_by_role("button", name="Delete").click()
    page.wait_for_url(re.compile("/ui/bins$"))
    assert server.request("GET", "/bins/renamed-here").status_code == 404
    page.locator(".toast").get_by_role("button", name="Undo").click()
    page.locator(".toast").get_by_role("link", name="Open it").click()
    expect(page.get_by_role("heading", name="renamed-here")).to_be_visible()


def test_a_request_deleted_on_its_own_page_leads_to_its_bin(server: Server, page: Page) -> None:
    capture(server, "own/page")
    opened(server, page, f"/ui/requests/{server.captured('own')[0]['id']}")
    page.keyboard.press("d")
    page.wait_for_url(re.compile("/ui/bins/own$"))


def test_a_bin_that_is_renamed_and_deleted_elsewhere_says_so_and_stays_readable(server: Server, page: Page) -> None:
    capture(server, "renamed/1", "still here")
    opened(server, page, "/ui/bins/renamed")
    server.patch("/bins/renamed", {"name": "vanishing", "max_requests": 77, "response": {"status": 418}})
    expect(page.locator("#bin-title")).to_have_text("vanishing")
    expect(page.locator("#foot")).to_contain_text("keeps the newest 77")
    expect(page.locator("#answers")).to_contain_text("418")
    assert page.url.endswith("/ui/bins/vanishing")
    server.request("DELETE", "/bins/vanishing")
    expect(page.locator("[data-outcome]")).to_contain_text("This bin was deleted.")
    expect(page.locator("pre.body")).to_contain_text("still here")
