"""The page of a delivery in a real browser: attempts in time, both ends of one, and what one end does not know."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hookbin.delivery.headers import MASK
from tests.browsing import DESKTOP, PHONE, Watched, assert_accessible, capture, delivered_to, is_live, opened
from tests.raw_receiver import Receiver
from tests.support import Server, eventually


def attempted(server: Server, webhook: Any, *, times: int = 1) -> Any:
    """The newest delivery of a webhook, once it was tried so many times."""
    return eventually(
        lambda: [one for one in server.deliveries(webhook=webhook["id"])[:1] if one["attempt_count"] >= times]
    )[0]


def said(page: Page) -> Any:
    return page.locator("[data-told]")


# Attempts in time


def test_the_attempts_stand_in_time_and_one_of_them_is_looked_at(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "mends-itself", "response": {"sequence": [{"status": 500, "repeat": 2}, {}]}})
    webhook = server.register(f"{server.url}/b/mends-itself", retry_schedule=[0.05, 0.05, 0.05])
    delivery = attempted(server, webhook, times=3)
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    expect(page.locator(".axis-outcome")).to_have_text(["500", "500", "200"])
    expect(page.locator(".axis-wait-text")).to_have_count(2)
    expect(page.locator("#attempt-title")).to_have_text("Attempt 3")
    page.locator(".attempt-line").last.click()
    expect(page.locator("#attempt-title")).to_have_text("Attempt 1")
    assert page.url.endswith("?attempt=1")
    expect(page.locator(".attempt-line[aria-current]")).to_contain_text("#1")
    page.locator('.axis-tick[data-attempt="2"]').click()
    expect(page.locator("#attempt-title")).to_have_text("Attempt 2")
    page.go_back()
    expect(page.locator("#attempt-title")).to_have_text("Attempt 1")
    page.locator(".attempt-line[aria-current]").focus()
    page.keyboard.press("k")
    expect(page.locator("#attempt-title")).to_have_text("Attempt 2")
    page.reload()
    expect(page.locator("#attempt-title")).to_have_text("Attempt 2")


def test_an_attempt_that_is_not_there_is_not_found(server: Server) -> None:
    delivery = delivered_to(server, "one-attempt")
    for asked in ("2", "0", "x", "99999999999"):
        response = server.request("GET", f"/ui/deliveries/{delivery['id']}?attempt={asked}")
        assert response.status_code == 404, asked


def test_a_pending_delivery_is_cancelled_and_retried_from_its_page(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "to-cancel", "response": {"status": 503}})
    webhook = server.register(f"{server.url}/b/to-cancel", retry_schedule=[3600, 60, 5])
    delivery = attempted(server, webhook)
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    expect(page.locator(".axis-outcome")).to_have_text(["503", "next", "retry", "last"])
    expect(page.locator(".axis-wait-text")).to_have_text([re.compile("min|h"), "1 min", "5 s"])
    expect(page.locator('.axis-tick[data-tone="planned"] .axis-at').last).to_have_text(re.compile("^~.*:"))
    assert page.evaluate("document.querySelector('.axis-line').clientWidth") > 1000  # all that the card has
    expect(page.locator('.axis-tick[data-tone="next"] .axis-at')).to_contain_text(re.compile("in [0-9.]+ (min|h)"))
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    server.post(f"/deliveries/{delivery['id']}/cancel", {})  # in another tab
    expect(page.locator("#subject .state")).to_have_text("cancelled")
    expect(page.locator(".about")).to_contain_text("by hand")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.locator(".axis-tick")).to_have_count(1)
    server.patch("/bins/to-cancel", {"response": {"status": 200}})
    page.get_by_role("button", name="Retry now").click()
    expect(page.locator("#subject .state")).to_have_text("succeeded")
    expect(page.locator(".attempt-line").first).to_contain_text("by hand")
    expect(page.locator(".axis-tick rect")).to_have_count(1)


def test_what_is_cancelled_with_its_webhook_says_so(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "goes-with-it", "response": {"status": 503}})
    webhook = server.register(f"{server.url}/b/goes-with-it", retry_schedule=[3600])
    delivery = attempted(server, webhook)
    server.patch(f"/webhooks/{webhook['id']}", {"disabled": True})
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    expect(page.locator(".about")).to_contain_text("with its webhook, which was disabled")


def test_fifty_one_attempts_are_drawn_quickly_and_lightly(server: Server, browser: Browser) -> None:
    server.post("/bins", {"name": "never", "response": {"status": 503}})
    webhook = server.register(f"{server.url}/b/never", retry_schedule=[0.01] * 50)
    delivery = attempted(server, webhook, times=51)
    path = f"/ui/deliveries/{delivery['id']}"
    began = time.monotonic()
    server.call("GET", path)
    assert time.monotonic() - began < 10
    with browser.new_context(viewport=PHONE) as context:
        page = context.new_page()
        weights: list[int] = []
        page.on("requestfinished", lambda request: weights.append(request.sizes()["responseBodySize"]))
        opened(server, page, path)
        assert sum(weights) < 150 * 1024
        expect(page.locator(".attempt-line")).to_have_count(51)
        expect(page.locator(".axis-tick")).to_have_count(51)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_delivery_leads_to_its_event_its_bin_and_its_webhook(server: Server, page: Page) -> None:
    delivery = delivered_to(server, "leads-on")
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    page.get_by_role("link", name=delivery["event_id"]).click()
    page.wait_for_url(f"**/ui/events/{delivery['event_id']}")
    page.locator("[data-row]").click()
    page.locator(".about").get_by_role("link", name="leads-on").click()
    page.wait_for_url("**/ui/bins/leads-on")


def test_what_is_forwarded_leads_back_to_its_bin_and_to_the_request_that_it_sends_on(
    server: Server, page: Page
) -> None:
    with Receiver(503).serving() as url:
        server.post("/bins", {"name": "source", "forward": [{"destination": url, "retry_schedule": [3600]}]})
        capture(server, "source/below?a=1", b"sent on")
        (delivery,) = eventually(lambda: [one for one in server.deliveries(state="pending") if one["attempt_count"]])[
            :1
        ]
    (request,) = server.captured("source")
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    expect(page.locator("#attempt")).to_contain_text("/hook/below?a=1")
    expect(page.locator(".about")).to_contain_text("Forwarded by the bin")
    expect(page.locator(".crumbs").get_by_role("link", name="source")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#subject .state")).to_have_text("cancelled")
    page.get_by_role("link", name=request["id"]).click()
    page.wait_for_url(f"**/ui/requests/{request['id']}")


def test_what_was_sent_once_by_hand_has_both_ends_too(server: Server, page: Page) -> None:
    capture(server, "to-replay", b"once more")
    (request,) = server.captured("to-replay")
    replay = server.post(f"/requests/{request['id']}/replay", {"destination": f"{server.url}/b/replayed-to"}).json()
    page.goto(f"{server.url}/ui/deliveries/{replay['events'][0]['deliveries'][0]['id']}")
    expect(page.locator(".findings")).to_contain_text("The body arrived byte for byte: 9 B")
    page.get_by_role("link", name="in the bin").click()
    expect(page.locator("#detail-title")).to_contain_text("/b/replayed-to")


# Both ends


def test_from_a_delivery_to_what_was_captured_and_back(server: Server, page: Page) -> None:
    delivery = delivered_to(server, "to-and-fro")
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    findings = page.locator(".findings")
    expect(findings).to_contain_text("headers arrived as they were sent, in their order.")
    expect(findings).to_contain_text("The body arrived byte for byte")
    expect(findings).to_contain_text("The signature is right, read as standard")
    page.get_by_role("link", name="in the bin").click()
    is_live(page)
    page.locator(".sides").get_by_role("link", name="From").click()
    expect(page.locator("#detail")).to_contain_text("The sender saw")
    page.get_by_role("link", name="this server: see both ends").click()
    page.wait_for_url(f"**/ui/deliveries/{delivery['id']}?attempt=1")


def test_a_credential_is_masked_at_both_ends_until_the_received_one_is_asked_for(server: Server, page: Page) -> None:
    webhook = server.register(f"{server.url}/b/with-credential", headers=[["Authorization", "Bearer hunter2"]])
    opened(server, page, f"/ui/deliveries/{attempted(server, webhook)['id']}")
    line = page.locator(".compare-table tr").filter(has_text="Authorization")
    expect(line.locator(".was-sent")).to_have_text(MASK)
    expect(line.get_by_text("Bearer hunter2")).to_be_hidden()
    line.locator("summary").click()
    expect(line.locator(".was-received").get_by_text("Bearer hunter2")).to_be_visible()


def test_a_body_that_was_cut_differs_from_where_it_was_cut(
    start_server: Callable[..., Server], browser: Browser
) -> None:
    server = start_server("--max-body", "100")
    delivery = delivered_to(server, "cuts")
    with browser.new_context(viewport=DESKTOP) as context:
        page = context.new_page()
        opened(server, page, f"/ui/deliveries/{delivery['id']}")
        expect(page.locator(".findings")).to_contain_text("The bodies differ from byte 100 on")
        expect(page.locator(".findings")).to_contain_text("nothing more arrived")
        expect(page.locator(".findings")).to_contain_text("The signature was not checked")
        expect(page.locator(".compare-bodies .body")).to_have_count(2)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        ({"delay_ms": 1_500}, "the webhook’s timeout was over while the bin waited 1500 ms to answer 200"),
        ({"fault": "reset"}, "the connection broke off, as the bin’s fault 'reset' has it"),
        ({"fault": "garbage"}, "what came back was no HTTP, as the bin’s fault 'garbage' has it"),
    ],
    ids=["timeout", "reset", "garbage"],
)
def test_an_answer_that_was_lost_is_said_at_both_ends(
    server: Server, page: Page, response: dict[str, Any], words: str
) -> None:
    name = f"loses-{next(iter(response.values()))}"
    server.post("/bins", {"name": name, "response": response})
    webhook = server.register(f"{server.url}/b/{name}", timeout=0.4, retry_schedule=[])
    delivery = attempted(server, webhook)
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    expect(said(page)).to_contain_text("The bin captured the request, but its answer was lost")
    expect(said(page)).to_contain_text(words)
    (request,) = server.captured(name)
    page.goto(f"{server.url}/ui/requests/{request['id']}")
    expect(said(page)).to_contain_text(words)
    page.goto(f"{server.url}/ui/bins/{name}?request={request['id']}&tab=from")
    expect(said(page)).to_contain_text(words)


def test_an_attempt_that_is_captured_and_not_yet_answered_is_under_way(server: Server, page: Page) -> None:
    server.post("/bins", {"name": "takes-its-time", "response": {"delay_ms": 2_000}})
    webhook = server.register(f"{server.url}/b/takes-its-time", timeout=10)
    (request,) = eventually(lambda: server.captured("takes-its-time"))
    (delivery,) = server.deliveries(webhook=webhook["id"])
    page.goto(f"{server.url}/ui/requests/{request['id']}")
    expect(said(page)).to_contain_text("Attempt 1 is under way")
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    expect(page.locator(".unrecorded")).to_contain_text("Attempt 1 is under way: the bin has captured it")
    expect(page.locator("#attempt-title")).to_have_text("Attempt 1")
    expect(page.locator(".unrecorded")).to_have_count(0)


def test_what_was_captured_before_a_crash_and_never_recorded_is_said_and_then_repeated(
    start_server: Callable[..., Server], browser: Browser
) -> None:
    server = start_server()
    server.post("/bins", {"name": "crashes", "response": {"delay_ms": 25_000}})
    webhook = server.register(f"{server.url}/b/crashes", timeout=90, retry_schedule=[])
    (request,) = eventually(lambda: server.captured("crashes"))
    (delivery,) = server.deliveries(webhook=webhook["id"])
    server.kill()
    server.start()
    eventually(lambda: len(server.captured("crashes")) == 2)
    server.patch("/bins/crashes", {"response": {"status": 200}})
    server.patch(f"/webhooks/{webhook['id']}", {"disabled": True})
    server.kill()  # so that two are captured, none is recorded, and no third one is due
    server.start()
    with browser.new_context(viewport=DESKTOP) as context:
        page = context.new_page()
        opened(server, page, f"/ui/deliveries/{delivery['id']}")
        unrecorded = page.locator(".unrecorded")
        expect(unrecorded).to_contain_text("Attempt 1 was captured 2 times, but its outcome was never")
        expect(unrecorded).to_contain_text("Nothing more is planned for this delivery.")
        unrecorded.get_by_role("link").first.click()
        expect(said(page)).to_contain_text("its outcome was never recorded: the server ended in between")
        expect(page.locator("main")).to_contain_text("The same attempt, captured also")
        server.patch(f"/webhooks/{webhook['id']}", {"disabled": False})
        server.post(f"/deliveries/{delivery['id']}/retry")
        expect(said(page)).to_contain_text("captured this attempt 3 times")
        opened(server, page, f"/ui/deliveries/{delivery['id']}")
        expect(said(page).first).to_contain_text("A receiver knows the repeat by webhook-id.")
        expect(page.locator(".both-ends")).to_have_count(3)
        expect(page.locator(".unrecorded")).to_have_count(0)
        page.goto(f"{server.url}/ui/requests/{request['id']}")
        expect(page.locator("main")).to_contain_text("The sender saw")


def test_a_bin_that_holds_nothing_of_an_attempt_is_said(server: Server, page: Page) -> None:
    delivery = delivered_to(server, "forgets")
    (request,) = server.captured("forgets")
    server.request("DELETE", f"/requests/{request['id']}")
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    expect(said(page)).to_have_text(
        "The bin forgets answered it, but holds it no longer: it was deleted or trimmed since."
    )
    server.request("DELETE", "/bins/forgets")
    page.reload()
    expect(said(page)).to_contain_text("it is deleted, with what it had captured")


def test_a_delivery_that_could_not_be_signed_says_that_nothing_was_sent(start_server: Callable[..., Server]) -> None:
    server = start_server()
    webhook = server.register(f"{server.url}/b/unsigned", retry_schedule=[], ping=False)
    server.stop()
    with closing(sqlite3.connect(server.database)) as connection, connection:
        connection.execute("UPDATE webhooks SET secret = 'whsk_that is no key'")
    server.start()
    server.post("/events", {"type": "a", "data": 1})
    delivery = attempted(server, webhook)
    page = server.request("GET", f"/ui/deliveries/{delivery['id']}")
    assert page.status_code == 200
    assert "It could not be signed (signing_error), so it was not retried." in page.text
    assert "which holds no request of it: it never arrived there." in page.text


def test_an_attempt_at_somebody_else_shows_what_was_sent_and_answered(server: Server, page: Page) -> None:
    with Receiver(200, headers={"x-answer": "yes"}, body=b'{"ok": true}').serving() as url:
        webhook = server.register(url)
        delivery = attempted(server, webhook)
    opened(server, page, f"/ui/deliveries/{delivery['id']}")
    expect(said(page)).to_have_count(0)
    expect(page.get_by_label("What was sent")).to_contain_text("webhook-signature")
    expect(page.locator(".said").last).to_contain_text("x-answer")
    expect(page.locator(".said").last).to_contain_text('"ok"')


def test_a_captured_request_of_somebody_else_says_who_sent_it(server: Server, page: Page) -> None:
    capture(server, "stranger", headers={"hookbin-attempt-id": "att_1_1"})
    (request,) = server.captured("stranger")
    page.goto(f"{server.url}/ui/requests/{request['id']}")
    expect(page.locator("main")).to_contain_text("127.0.0.1")
    expect(said(page)).to_have_count(0)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_a_delivery(server: Server, browser: Browser, viewport: Any) -> None:
    server.post("/bins", {"name": "axe", "response": {"fault": "reset"}})
    pending = attempted(server, server.register(f"{server.url}/b/axe", retry_schedule=[0.01, 3600]), times=2)
    with browser.new_context(viewport=viewport) as context:
        watched = Watched(context.new_page())
        opened(server, watched.page, f"/ui/deliveries/{pending['id']}")
        assert_accessible(watched.page, "main")
        assert watched.complaints == []
