"""The overview's filter and charts, and the lists of bins and webhooks."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browsing import capture, delivered_to, is_live, opened
from tests.support import Server, eventually, free_port


def lines(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator("[data-timeline] > li").all_inner_texts()]


def test_the_filter_narrows_what_is_there_and_what_comes(start_server: Callable[..., Server], page: Page) -> None:
    server = start_server()
    capture(server, "apples/one")
    capture(server, "pears/one")
    page.goto(f"{server.url}/ui/")
    page.get_by_label("Filter by type").fill("apples")
    page.get_by_label("Filter by type").press("Enter")
    is_live(page)
    expect(page.locator("[data-timeline] > li")).to_have_count(1)

    capture(server, "pears/two")
    capture(server, "apples/two")
    expect(page.locator("[data-timeline] > li")).to_have_count(2)
    assert ["pears" in line for line in lines(page)] == [False, False]
    page.reload()
    expect(page.locator("[data-timeline] > li")).to_have_count(2)
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("[data-timeline] > li")).to_have_count(4)


def test_problems_are_shown_alone_and_with_both_their_halves(start_server: Callable[..., Server], page: Page) -> None:
    server = start_server()
    server.post("/bins", {"name": "broken", "response": {"status": 503}})
    delivered_to(server, "fine")
    opened(server, page, "/ui/?show=problems")
    expect(page.get_by_text("Nothing matches so far.")).to_be_visible()

    delivered_to(server, "broken", retry_schedule="none")
    line = page.locator("[data-timeline] > li")
    expect(line).to_have_count(1)
    expect(line.locator(".sent .status")).to_have_text("503")
    expect(line.locator(".received .path")).to_have_text("/b/broken")
    page.reload()
    expect(line).to_have_count(1)


def test_a_half_that_the_filter_left_out_comes_along_when_the_other_matches(
    start_server: Callable[..., Server], page: Page
) -> None:
    server = start_server()
    opened(server, page, "/ui/?q=webhook.ping")
    delivered_to(server, "late")

    line = page.locator("[data-timeline] > li", has=page.locator(".sent"))
    expect(line).to_have_count(1)
    expect(line.locator(".received .path")).to_have_text("/b/late")


def test_a_request_whose_sender_hung_up_is_shown_without_an_answer(server: Server, page: Page) -> None:
    opened(server, page, "/ui/?q=%2Fb%2Fhung-up")
    with socket.create_connection(("localhost", server.port)) as connection:
        connection.sendall(b"POST /b/hung-up HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    status = page.locator("[data-timeline] .status")
    expect(status).to_have_text("no answer")
    page.reload()
    expect(status).to_have_text("no answer")
    page.goto(f"{server.url}/ui/bins/hung-up")
    expect(page.locator(".request .status")).to_have_text("no answer")


def test_a_card_shows_how_much_came_lately_and_how_a_webhook_is(server: Server, page: Page) -> None:
    delivered_to(server, "charted")
    page.goto(f"{server.url}/ui/")
    bin = page.locator("[data-bins] > li", has_text="charted")
    webhook = page.locator("[data-webhooks] > li", has_text="charted")
    expect(bin.get_by_role("img", name="1 requests in ten minutes")).to_be_visible()
    expect(webhook.get_by_role("img", name="1 attempts in ten minutes")).to_be_visible()
    expect(webhook).to_contain_text("100 % ok")
    expect(bin).to_contain_text("1/min")


def test_the_charts_survive_a_restart(start_server: Callable[..., Server], page: Page) -> None:
    server = start_server()
    delivered_to(server, "again")
    assert server.stop() == 0
    server.start()
    page.goto(f"{server.url}/ui/")
    expect(page.locator("[data-webhooks] > li", has_text="again")).to_contain_text("100 % ok")
    expect(page.get_by_role("img", name="1 requests in ten minutes")).to_be_visible()


def test_the_list_of_webhooks_tells_how_each_is_and_keeps_current(server: Server, page: Page) -> None:
    opened(server, page, "/ui/webhooks")
    webhook = server.register(f"http://127.0.0.1:{free_port()}/", name="unwell", retry_schedule=[3600])
    row = page.locator("tr", has_text="unwell")
    expect(row).to_contain_text("0 % of 1")
    expect(row.locator(".state")).to_have_text("failing")
    expect(row.locator(".number").last).to_have_text("1")
    row.get_by_role("link").click()
    eventually(lambda: page.url.endswith(webhook["id"]))


def test_what_waits_for_another_delivery_counts_down_to_no_time(server: Server, page: Page) -> None:
    path = f"http://127.0.0.1:{free_port()}/"
    webhook = server.register(path, name="in order", ordered=True, retry_schedule=[3600], ping=False)["id"]
    for number in range(2):
        server.post("/events", {"type": "order.placed", "data": number, "webhook": webhook})
    eventually(lambda: server.deliveries(webhook=webhook)[-1]["attempt_count"])
    later, first = server.deliveries(webhook=webhook)
    page.goto(f"{server.url}/ui/deliveries/{later['id']}")
    expect(page.locator(".verdict-next")).to_have_count(0)
    expect(page.locator(".axis-at")).to_have_text(["waits", "+1 h"])
    expect(page.locator(".verdict-text")).to_contain_text(
        re.compile("after delivery dlv_.*, due at .*, which comes first")
    )
    page.locator(".verdict-text").get_by_role("link", name=first["id"]).click()
    expect(page.locator(".verdict-next")).to_contain_text("in ")


def test_the_list_of_bins_says_what_they_answer(server: Server, page: Page) -> None:
    answers = {"flaky": "500 × 2 200", "hangs": "hang", "ruled": "201 1 rule"}
    rules = [{"when": {"method": "GET"}, "status": 404}]
    server.post("/bins", {"name": "flaky", "response": {"sequence": [{"status": 500, "repeat": 2}, {"status": 200}]}})
    server.post("/bins", {"name": "hangs", "response": {"fault": "hang"}})
    server.post("/bins", {"name": "ruled", "response": {"status": 201, "rules": rules}})
    page.goto(f"{server.url}/ui/bins")
    for name, answer in answers.items():
        assert " ".join(page.locator("tr", has_text=name).locator("td").nth(4).inner_text().split()) == answer


def test_lists_go_on_a_page_at_a_time_and_are_searched_and_sorted(
    start_server: Callable[..., Server], page: Page
) -> None:
    server = start_server()
    for number in range(52):
        server.post("/bins", {"name": f"bin-{number}"})
        server.register(f"{server.url}/b/bin-{number}", name=f"hook-{number}", ping=False)
    capture(server, "bin-0")
    server.request("POST", f"/webhooks/{server.get('/webhooks?limit=250')['data'][-1]['id']}/test")
    eventually(lambda: server.get("/bins/bin-0")["request_count"] == 2)
    names = page.locator("tbody .lead a")
    for path, name in [("bins", "bin"), ("webhooks", "hook")]:
        page.goto(f"{server.url}/ui/{path}")
        expect(names).to_have_count(50)
        expect(names.first).to_have_text(f"{name}-0")  # used last
        page.get_by_role("link", name="Next").click()
        expect(names).to_have_text([f"{name}-2", f"{name}-1"])
        page.goto(f"{server.url}/ui/{path}?q={name.upper()}-1&sort=name&page=x")
        expect(names).to_have_text([f"{name}-1", *(f"{name}-1{digit}" for digit in range(10))])
        expect(page.locator("#found")).to_have_text("11 of 52")
    page.goto(f"{server.url}/ui/webhooks?sort=worst")
    expect(names.first).to_have_text("hook-0")
    page.goto(f"{server.url}/ui/")
    expect(page.locator("[data-bins] .card-main b").first).to_have_text("bin-0")
    expect(page.locator("[data-webhooks] .card-main b").first).to_have_text("hook-0")
