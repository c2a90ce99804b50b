"""The send console, and the page of an event."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browsing import Watched, is_live, opened
from tests.support import Server, eventually, free_port


def body_of(server: Server, bin: str) -> bytes:
    (request,) = eventually(lambda: server.captured(bin))
    return server.request("GET", f"/requests/{request['id']}/body").content


def test_an_event_is_published_as_it_was_typed_and_its_way_is_shown(server: Server, page: Page) -> None:
    server.register(f"{server.url}/b/typed", name="typed", events=["typed.*"], ping=False)
    nowhere = f"http://127.0.0.1:{free_port()}/"
    server.register(nowhere, name="nobody", events=["typed.*"], ping=False, retry_schedule="none")
    opened(server, page, "/ui/send")
    page.get_by_label("Type", exact=True).fill("typed.one")
    page.get_by_label("Data").fill('{"n": 1.0, "big": 12345678901234567890123}')
    page.get_by_role("button", name="Publish").click()

    rows = page.locator("#fan-out tbody > tr")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="typed").locator(".state").first).to_have_text("succeeded")
    expect(rows.filter(has_text="nobody").locator(".state")).to_have_text("failed")
    assert body_of(server, "typed").endswith(b'"data":{"n": 1.0, "big": 12345678901234567890123}}')
    page.locator("#published a").click()
    expect(page.get_by_role("heading", name="typed.one")).to_be_visible()
    expect(page.locator(".body")).to_contain_text("12345678901234567890123")


def test_json_that_is_broken_is_said_with_its_place_and_not_sent(server: Server, page: Page) -> None:
    opened(server, page, "/ui/send")
    page.get_by_label("Data").fill('{"a": 1,\n "b": }')
    expect(page.locator("#data-error")).to_have_text("line 2, column 7: a value is expected here")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_label("Data")).to_be_focused()
    expect(page.get_by_text("Nothing published yet")).to_be_visible()
    page.get_by_label("Data").fill('{"a":[1,2]}')
    page.get_by_role("button", name="Lay the JSON out").click()
    expect(page.get_by_label("Data")).to_have_value('{\n  "a": [\n    1,\n    2\n  ]\n}')


def test_a_type_that_is_not_taken_is_said_beside_its_field(server: Server, watched: Watched) -> None:
    page = watched.page
    opened(server, page, "/ui/send")
    page.get_by_label("Type", exact=True).fill("no blanks")
    page.keyboard.press("Enter")
    expect(page.locator("#type-error")).to_contain_text("use 1 to 128 letters")
    assert all("422" in complaint for complaint in watched.complaints)
    watched.complaints.clear()


def test_one_webhook_alone_can_be_chosen(server: Server, page: Page) -> None:
    chosen = server.register(f"{server.url}/b/chosen", name="chosen", events=["other"], ping=False)
    server.register(f"{server.url}/b/passed-over", name="passed over", events=["chosen.*"], ping=False)
    opened(server, page, f"/ui/send?webhook={chosen['id']}")
    page.get_by_label("Type", exact=True).fill("chosen.one")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#fan-out tbody > tr")).to_have_count(1)
    expect(page.locator("#fan-out .state")).to_have_text("succeeded")
    assert len(server.captured("chosen")) == 1
    assert server.captured("passed-over") == []


def test_a_sample_fills_the_form(server: Server, page: Page) -> None:
    opened(server, page, "/ui/send")
    page.get_by_label("Start from a sample").select_option("stripe.invoice.paid")
    expect(page.get_by_label("Type", exact=True)).to_have_value("stripe.invoice.paid")
    expect(page.get_by_label("Data")).to_have_value(re.compile("invoice"))
    assert json.loads(page.get_by_label("Data").input_value())["type"] == "invoice.paid"


def test_a_file_goes_out_byte_for_byte(server: Server, page: Page, tmp_path: Path) -> None:
    server.register(f"{server.url}/b/filed", events=["filed.*"], ping=False)
    content = bytes(range(256))
    (tmp_path / "all.bin").write_bytes(content)
    opened(server, page, "/ui/send")
    page.get_by_label("Type", exact=True).fill("filed.one")
    page.get_by_text("a file", exact=True).click()
    page.locator("#file").set_input_files(tmp_path / "all.bin")
    page.get_by_label("Content type").fill("application/x-all")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#fan-out .state")).to_have_text("succeeded")
    assert body_of(server, "filed") == content


def test_an_event_for_later_says_when_it_is_due(server: Server, page: Page) -> None:
    server.register(f"{server.url}/b/due", events=["due.*"], ping=False)
    opened(server, page, "/ui/send")
    page.get_by_label("Type", exact=True).fill("due.later")
    page.get_by_label("Not before").evaluate(
        "input => input.value = new Date(Date.now() + 86400000 - new Date().getTimezoneOffset() * 60000)"
        ".toISOString().slice(0, 19)"
    )
    page.get_by_label("Data").press("Control+Enter")
    expect(page.locator("#fan-out .state")).to_have_text("pending")
    expect(page.locator("#fan-out [data-time=countdown]")).to_contain_text("h")
    page.locator("#published a").click()
    expect(page.locator("main")).to_contain_text("Due")


def test_an_event_is_sent_once_more_from_its_page(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "once-more", "response": {"status": 404}})
    server.register(f"{server.url}/b/once-more", events=["again.*"], ping=False)
    event = server.post("/events", {"type": "again.one", "data": {}}).json()
    eventually(lambda: server.deliveries(event=event["id"])[0]["state"] == "failed")
    server.patch("/bins/once-more", {"response": {"status": 200}})
    page.goto(f"{server.url}/ui/events/{event['id']}")
    is_live(page)
    page.get_by_role("button", name="Send it once more").click()
    expect(page.locator("#fan-out .state")).to_have_text("succeeded")
    expect(page.locator("#fan-out .number").last).to_have_text("2")


def test_an_event_that_is_not_there_gets_a_page_that_says_so(server: Server, watched: Watched) -> None:
    response = watched.page.goto(f"{server.url}/ui/events/evt_nothing")
    assert response is not None
    assert response.status == 404
    expect(watched.page.get_by_role("heading", name=re.compile("no such event", re.I))).to_be_visible()
    watched.complaints.clear()
