"""What a bin answers, made as cards: from a captured request, moved, tried, as JSON, and told where it is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.browsing import PHONE, Watched, assert_accessible, capture, opened
from tests.support import Server

PUSH = {"content-type": "application/json", "x-github-event": "push"}
HUGE = 12345678901234567890


def cards(page: Page, list: str) -> Any:
    return page.locator(f".composer-item[data-list={list}]")


def answer_is_told(page: Page, words: str) -> None:
    expect(page.locator("[data-trial-said]")).to_have_text(words)


def save(page: Page) -> None:
    page.locator("#settings").get_by_role("button", name="Save").click()


def test_a_rule_is_made_of_a_captured_request_tried_and_moved(server: Server, page: Page) -> None:
    capture(server, "ruled/hooks/7", b'{"action": "opened", "id": 7}', headers=PUSH)
    opened(server, page, "/ui/bins/ruled")
    page.get_by_role("link", name="Make a rule from this request").click()
    rule = cards(page, "rules").first
    expect(rule.locator("> details > summary")).to_contain_text(
        "POST · /hooks/7 · header x-github-event: push · json action: opened"
    )
    status = rule.get_by_label("Status")
    expect(status).to_be_focused()
    status.fill("202")
    answer_is_told(page, "Rule 1 answers with 202.")
    expect(rule.locator("[data-answering]")).to_be_visible()
    rule.get_by_label("Body and headers are a template").check()
    rule.get_by_label("Body", exact=True).fill("id ")
    rule.get_by_text("Insert a value of the request").click()
    rule.get_by_role("button", name="request.json.id").click()
    expect(page.locator("[data-trial-answer]")).to_contain_text("content-length: 4")
    expect(page.locator("[data-trial-answer]")).to_contain_text("id 7")

    page.get_by_role("button", name="Add a rule").click()
    page.get_by_text("Add a condition").last.click()
    cards(page, "rules").last.get_by_role("button", name="json id 7").click()
    answer_is_told(page, "Rule 1 answers with 202.")
    cards(page, "rules").last.get_by_role("button", name="Move up").press("Enter")
    answer_is_told(page, "Rule 1 answers with 200.")
    expect(cards(page, "rules").first.get_by_role("button", name="Move up")).to_be_focused()
    save(page)
    expect(page.locator("#settings")).to_be_hidden()
    expect(page.locator("#answers")).to_contain_text("2 rules")

    rules = server.get("/bins/ruled")["response"]["rules"]
    assert [rule["when"]["json"] for rule in rules] == [{"id": 7}, {"action": "opened"}]
    sent = httpx.post(
        f"{server.url}/b/ruled/hooks/7", content=b'{"action": "opened", "id": 8}', headers=PUSH, trust_env=False
    )
    assert (sent.status_code, sent.text) == (202, "id 8")


def test_nothing_is_lost_between_cards_and_json(server: Server, page: Page) -> None:
    capture(server, "turned/0")
    whole = {
        "cors": True,
        "handshake": {"provider": "zoom", "secret": "hush"},
        "rules": [
            {"when": {"method": "PUT", "query": {"a.b": "*"}, "json": {"n": 7, "s": "7", "null": None}}},
            {"when": {"json": {"huge": HUGE}}, "fault": "reset", "delay_ms": 3, "template": True},
        ],
        "chance": {"probability": 0.07, "headers": [["x-a", "1"], ["x-a", "2"]]},
        "sequence": [{"repeat": 2}, {"status": 204, "body": ""}],
        "then": "cycle",
        "headers": [],
    }
    server.patch("/bins/turned", {"response": whole})
    before = server.get("/bins/turned")["response"]
    opened(server, page, "/ui/bins/turned")
    page.keyboard.press("s")
    cards(page, "sequence").last.locator("> details > summary").click()
    cards(page, "sequence").last.get_by_label("Delay").fill("5")
    page.locator("#settings").get_by_text("JSON", exact=True).click()
    view = page.get_by_label("Answer, as JSON")
    expect(view).to_have_value(re.compile(f'"huge": {HUGE}'))
    shown = json.loads(view.input_value())
    before["sequence"][1]["delay_ms"] = 5
    assert shown == before
    view.fill(json.dumps({**shown, "chance": {**shown["chance"], "status": 503}})[:-1])
    page.locator("#settings").get_by_text("Cards", exact=True).click()
    expect(page.locator("#b-response-error")).to_contain_text("a comma or }")
    view.press("Control+End")
    page.keyboard.type("}")
    page.locator("#settings").get_by_text("Cards", exact=True).click()
    expect(cards(page, "chance").locator("> details > summary")).to_contain_text("503")
    page.get_by_label("Start from").select_option("teapot")
    expect(cards(page, "response").locator("> details > summary")).to_contain_text("418")
    page.get_by_role("button", name="Put back what was there").click()
    expect(cards(page, "rules")).to_have_count(2)
    save(page)
    expect(page.locator("#settings")).to_be_hidden()
    before["chance"]["status"] = 503
    assert server.get("/bins/turned")["response"] == before


def test_what_is_wrong_is_told_at_its_field_and_nothing_changed_is_lost(server: Server, watched: Watched) -> None:
    page = watched.page
    capture(server, "wrong-card/0")
    page.set_viewport_size(PHONE)
    opened(server, page, "/ui/bins/wrong-card")
    page.keyboard.press("s")
    page.get_by_label("Start from").select_option("flaky")
    second = cards(page, "sequence").last
    second.locator("> details > summary").click()
    second.get_by_label("Headers, one a line").fill("no colon")
    save(page)
    expect(second.get_by_text("no colon is not a header; write Name: value")).to_be_visible()
    second.get_by_label("Headers, one a line").fill("x-a: 1")
    second.get_by_label("Status").fill("99")
    second.locator("> details > summary").click()
    page.get_by_role("link", name="Signature, forwarding, storage").click()
    expect(page.get_by_label("Requests kept")).to_be_visible()
    save(page)
    expect(second.get_by_text("must be at least 200")).to_be_visible()
    expect(second.get_by_label("Status")).to_be_focused()
    assert page.evaluate("document.querySelector('.settings-body').scrollWidth") <= PHONE["width"]
    assert_accessible(page, "dialog#settings")
    page.keyboard.press("Escape")
    page.locator("dialog.asks").get_by_role("button", name="Go on").click()
    expect(second.get_by_label("Status")).to_have_value("99")
    second.get_by_label("Status").fill("201")
    save(page)
    expect(page.locator("#settings")).to_be_hidden()
    assert server.get("/bins/wrong-card")["response"]["sequence"][1]["status"] == 201
    assert [complaint for complaint in watched.complaints if "422" not in complaint] == []
    watched.complaints.clear()


def test_without_javascript_the_settings_can_be_read(server: Server, browser: Any) -> None:
    server.post("/bins", {"name": "plain-html", "response": {"status": 418}})
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{server.url}/ui/bins/plain-html")
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_label("Answer, as JSON")).to_have_value(re.compile('"status": 418'))
        expect(page.get_by_label("Requests kept")).to_have_value("10000")
