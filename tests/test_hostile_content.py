"""What senders wrote to do harm, on every page that shows it: it is text, and nothing is run, fetched or reordered."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browsing import Watched, ended_delivery, is_live
from tests.support import Server

EVIL = "<script>alert(1)</script><img src=//evil.invalid/x onerror=alert(2)>\"'`{{ 7 * 7 }}"
ODD = "\u202eexe.gnp\u200b\u2066\ufeff"
LINE = 1024 * 1024
PATH = f"/b/hostile/</p><script>alert(3)</script>%E2%80%AE?q=<svg/onload=alert(4)>&%3Cb%3E={quote(EVIL + ODD)}"
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error("violation", violatedDirective, blockedURI));
"""
ALIVE = "main :is(script, img, iframe, object, embed, svg[onload], b[onclick]), [onload], [onerror]"
TABS = ("body", "headers", "query", "answer", "signature", "from")
FORM = (
    f'--b\r\nContent-Disposition: form-data; name="<i>{ODD}"; filename="<img src=x onerror=alert(6)>.png"\r\n'
    f"Content-Type: text/html\r\n\r\n{EVIL}\r\n--b--\r\n"
).encode()


def send(server: Server, head: str, body: bytes = b"") -> bytes:
    """A request as no client would write it; returns the status line of the answer."""
    with socket.create_connection(("localhost", server.port)) as connection:
        text = f"{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(text.encode() + body)
        with connection.makefile("rb") as answer:
            return answer.readline()


def test_of_very_many_headers_a_page_shows_the_first(server: Server) -> None:
    assert b"200" in send(server, "POST /b/crowd HTTP/1.1\r\n" + "\r\n".join("a: b" for _ in range(1_900)))
    (row,) = server.get("/bins/crowd/requests")["data"]

    page = server.request("GET", f"/ui/requests/{row['id']}").text

    assert "The first 500 are shown; the API and the exports have all 1,903." in page
    assert page.count("<bdi>b</bdi>") <= 500
    assert len(server.get(f"/requests/{row['id']}")["headers"]) == 1_903


@pytest.fixture(scope="module")
def hostile(server: Server) -> dict[str, str]:
    """The path of each page that shows something hostile."""
    assert server.post("/bins", {"name": "hostile", "response": {"status": 404, "body": EVIL + ODD}}).status_code == 201
    head = f"POST {PATH} HTTP/1.1\r\nx-'!#$%&*+.^`|~: {EVIL}{ODD}\r\nuser-agent: {EVIL}"
    html = f"{head}\r\ncontent-type: text/html;{EVIL}"
    assert b"404" in send(server, html, f"{EVIL}{ODD}".encode())
    assert b"404" in send(
        server, f"{head}\r\ncontent-type: application/json", json.dumps({EVIL + ODD: [EVIL]}).encode()
    )
    assert b"404" in send(server, f"{head}\r\ncontent-type: multipart/form-data; boundary=b", FORM)
    assert b"404" in send(server, f"{head}\r\nx-long: {'<b>' * 60_000}", b"<i>" * (LINE // 3))
    page, keys, form, long = (request["id"] for request in server.captured("hostile"))
    noted = server.patch(f"/requests/{page}", {"note": EVIL})
    assert noted.status_code == 200, noted.text

    options: dict[str, Any] = {"ping": False, "headers": [["x-mine", EVIL]], "retry_schedule": []}
    webhook = server.register(f"{server.url}/b/hostile/{quote(EVIL)}", name=EVIL, **options)["id"]
    content = {"type": "hostile.type", "data": {EVIL + ODD: EVIL}}
    published = server.post("/events", content, headers={"idempotency-key": EVIL.replace(" ", "")})
    assert published.status_code in (201, 202), published.text
    delivery = ended_delivery(server, webhook)
    pages = {
        "overview": "/ui/",
        "overview filtered": f"/ui/?q={quote(EVIL + ODD)}",
        "webhooks": "/ui/webhooks",
        "bins": "/ui/bins",
        "webhook": f"/ui/webhooks/{webhook}",
        "webhook by state": f"/ui/webhooks/{webhook}?state={quote(EVIL)}",
        "delivery": f"/ui/deliveries/{delivery['id']}",
        "event": f"/ui/events/{delivery['event_id']}",
        "send": "/ui/send",
        "search": f"/ui/bins/hostile?q={quote(EVIL + ODD)}",
        "senseless search": f"/ui/bins/hostile?status={quote(EVIL + ODD)}",
        "no such bin": f"/ui/bins/{quote(EVIL, safe='')}",
        "no such request": f"/ui/bins/hostile?request={quote(EVIL + ODD)}",
        "no such page": f"/ui/{quote(EVIL + ODD, safe='')}",
        "docs": "/docs",
    }
    for name, id in {"long": long, "form": form, "keys": keys, "page": page}.items():
        pages[f"{name} by itself"] = f"/ui/requests/{id}"
        for tab in TABS if name == "page" else TABS[:2]:
            pages[f"{name}, {tab}"] = f"/ui/bins/hostile?request={id}&tab={tab}"
    return pages


@pytest.fixture
def guarded(server: Server, context: BrowserContext) -> Iterator[Page]:
    """A page that ran, fetched and complained about nothing of what it was shown."""
    context.add_init_script(REPORT_VIOLATIONS)
    watched = Watched(context.new_page())
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    yield watched.page
    missing = "error: Failed to load resource: the server responded with a status of 404 (Not Found)"
    assert [complaint for complaint in watched.complaints if complaint != missing] == []
    assert [url for url in asked if not url.startswith(server.url)] == []


def assert_only_text(page: Page, name: str) -> None:
    assert page.locator(ALIVE).count() == 0, name
    shown: str = page.locator("body").inner_text()
    assert not set(ODD) & set(shown) - set("exe.gnp"), name
    assert "\n49" not in shown, name


SHOWN = {
    "overview": ["</p><script>alert(3)</script>", "text/html;<script>", "<script>alert(1)</script><img"],
    "webhook": ["<script>alert(1)</script><img", "hostile.type"],
    "delivery": ["<script>alert(1)</script><img", "U+202E"],
    "event": ["<script>alert(1)</script><img", "U+202E"],
    "page, body": ["<script>alert(1)</script><img", "U+202E", "U+200B", "U+2066", "U+FEFF"],
    "page, headers": ["x-'!#$%&*+.^`|~", "<script>alert(1)</script><img", "U+202E"],
    "page, query": ["<svg/onload=alert(4)>", "<b>", "<script>alert(1)</script><img", "U+202E"],
    "keys, body": ["<script>alert(1)</script><img"],
    "form, body": ["<img src=x onerror=alert(6)>.png", "<i>"],
    "no such bin": ["<script>alert(1)</script>"],
}


def test_what_is_hostile_is_text_on_every_page(server: Server, guarded: Page, hostile: dict[str, str]) -> None:
    for name, path in hostile.items():
        guarded.goto(server.url + path)
        expect(guarded.locator("main")).to_be_visible()
        for text in SHOWN.get(name, ()):
            expect(guarded.locator("main")).to_contain_text(text)
        assert_only_text(guarded, name)


def test_what_comes_while_pages_are_open_is_text_too(
    server: Server, guarded: Page, hostile: dict[str, str], context: BrowserContext
) -> None:
    bin = Watched(context.new_page())
    for page, path in ((guarded, "/ui/"), (bin.page, "/ui/bins/hostile")):
        page.goto(server.url + path)
        is_live(page)
    send(server, f"POST {PATH}&live HTTP/1.1\r\ncontent-type: text/{EVIL}{ODD}", b"x")
    server.register(f"{server.url}/b/hostile/{quote(EVIL)}", name=f"live {EVIL}", ping=False)
    for page, row in ((guarded, "[data-timeline] > li"), (bin.page, "[data-requests] > li")):
        expect(page.locator(row).first).to_contain_text("</p><script>alert(3)</script>")
        expect(page.locator(row).first).to_contain_text("U+202E")
    expect(guarded.locator("[data-webhooks] > li").first).to_contain_text("live <script>alert(1)</script>")
    for page in (guarded, bin.page):
        assert_only_text(page, page.url)
    assert bin.complaints == []
