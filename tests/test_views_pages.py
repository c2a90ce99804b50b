"""Views of a body in a real browser: chosen by link, and showing hostile bodies as nothing but text."""

from __future__ import annotations

import json

from playwright.sync_api import Browser, Page, expect

from tests.browsing import PHONE, assert_accessible, capture, delivered_to, opened
from tests.support import Server
from tests.test_views_api import PNG, form_data

JSON = {"content-type": "application/json"}


def test_a_view_is_chosen_by_a_link_without_a_reload(server: Server, page: Page) -> None:
    capture(server, "tabs/first", b'{"a":1}', headers=JSON)
    capture(server, "tabs/second", b"later")
    opened(server, page, "/ui/bins/tabs")
    page.locator("a.request", has_text="/b/tabs/first").click()
    expect(page.locator(".body")).to_have_text('{\n  "a": 1\n}', use_inner_text=True)
    page.evaluate("window.notReloaded = true")
    page.locator(".views").get_by_role("link", name="Hex").click()
    expect(page.locator("pre.body")).to_contain_text("00000000  7b 22 61 22")
    expect(page.locator(".views [aria-current]")).to_be_focused()
    expect(page.locator("a.request[aria-current]")).to_contain_text("/b/tabs/first")
    assert page.evaluate("window.notReloaded")
    page.reload()
    expect(page.locator("pre.body")).to_contain_text("00000000  7b 22 61 22")
    expect(page.locator("a.request[aria-current]")).to_contain_text("/b/tabs/first")


def test_long_json_is_folded_and_read_on_without_javascript(server: Server, browser: Browser) -> None:
    capture(server, "folds", json.dumps({"a": {"inner": 1}, "b": ["x" * 100] * 800}), headers=JSON)
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{server.url}/ui/bins/folds")
        page.locator("summary", has_text='"a"').click()
        expect(page.get_by_text('"inner": 1')).to_be_hidden()
        page.get_by_role("link", name="Read on").click()
        expect(page.locator(".detail-section .notice")).to_contain_text("Characters 65,537 to")
        page.get_by_role("link", name="Before").click()
        expect(page.get_by_text('"inner": 1')).to_be_visible()


def test_values_of_json_are_found_chosen_walked_through_and_made_a_filter(server: Server, page: Page) -> None:
    found = {"who": {"names": ["Jo", "Ada"], "since": 1700000000}, "odd key": "Ada"}
    capture(server, "tree/one", json.dumps(found), headers=JSON)
    capture(server, "tree/two", b'{"who":{"names":["Jo"]}}', headers=JSON)
    opened(server, page, "/ui/bins/tree")
    page.locator("a.request", has_text="/b/tree/one").click()
    expect(page.locator("#detail-title")).to_contain_text("/b/tree/one")
    page.locator(".json summary", has_text="names").click()
    page.locator("input[data-find]").fill("Ada")
    expect(page.locator(".views output")).to_have_text("1 of 2")
    expect(page.locator(".json .s2", has_text="Jo")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".views output")).to_have_text("2 of 2")
    place = page.locator(".json-tools code")
    page.locator(".json .nt", has_text="odd key").click()
    expect(place).to_have_text('["odd key"]')
    page.locator(".json").focus()
    page.keyboard.press("ArrowUp")
    expect(place).to_have_text("who.since")
    page.keyboard.press("ArrowUp")
    expect(place).to_have_text("who.names[1]")
    assert_accessible(page, "#detail")
    page.get_by_role("link", name="Only requests where this is so").click()
    expect(page.locator("[data-requests] > li")).to_have_count(1)
    assert page.url.endswith("/ui/bins/tree?json=who.names%5B1%5D%3D%3D%22Ada%22")


def test_broken_json_shows_where_it_breaks(server: Server, page: Page) -> None:
    capture(server, "broken", b'{\n  "a": [1, 2,]\n}', headers=JSON)
    page.goto(f"{server.url}/ui/bins/broken")
    expect(page.locator(".broken")).to_contain_text("Line 2, column 14 (byte 15): a comma before ]")
    expect(page.locator(".broken mark")).to_have_text("]")


def test_an_image_is_drawn_and_a_part_is_downloaded(server: Server, page: Page) -> None:
    capture(server, "drawn", PNG)
    page.goto(f"{server.url}/ui/bins/drawn")
    image = page.locator(".picture img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    body = form_data(('Content-Disposition: form-data; name="f"; filename="../../Ünï<b>.html"', b"<script>"))
    capture(server, "part", body, headers={"content-type": "multipart/form-data; boundary=x"})
    page.goto(f"{server.url}/ui/bins/part")
    expect(page.locator(".body-parts")).to_contain_text("../../Ünï<b>.html")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download part 1").click()
    assert download.value.suggested_filename == "Ünï_b_.html"
    assert download.value.path().read_bytes() == b"<script>"


def test_a_delivery_shows_its_bodies_in_the_wanted_view(server: Server, page: Page) -> None:
    delivery = delivered_to(server, "seen-both")
    page.goto(f"{server.url}/ui/deliveries/{delivery['id']}")
    expect(page.locator(".body").first).to_contain_text('"type": "webhook.ping"')
    page.locator(".views").first.get_by_role("link", name="Hex").click()
    expect(page.locator("pre.body").first).to_contain_text("00000000  7b 22")


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "json": (f'{{"{EVIL}": "{EVIL}"}}'.replace("src=x", "src=x").encode(), "application/json"),
    "broken-json": (f'{{"a": {EVIL}'.encode(), "application/json"),
    "lines": (f'["{EVIL}"]\n["{EVIL}"]\n'.encode(), "application/x-ndjson"),
    "form": (f'{EVIL}={EVIL}&payload={{"{EVIL}":1}}'.encode(), "application/x-www-form-urlencoded"),
    "multipart": (
        form_data(
            (
                f'Content-Disposition: form-data; name="{EVIL}"; filename="a\\"\'{EVIL}/..\\x"\r\nX-A: {EVIL}',
                EVIL.encode(),
            )
        ),
        "multipart/form-data; boundary=x",
    ),
    "xml": (f'<a b="{EVIL.replace("<", "&lt;")}">{EVIL}</a>]]>'.encode(), "application/xml"),
    "svg": (f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(3)">{EVIL}</svg>'.encode(), "image/svg+xml"),
    "html": (f"<!doctype html><base href=//x><body onload=alert(3)>{EVIL}".encode(), "text/html"),
    "text": (EVIL.encode("utf-16"), "text/plain"),
    "protobuf": (b"\x0a" + bytes([len(EVIL.encode())]) + EVIL.encode(), "application/x-protobuf"),
    "jwt": (b"eyIlPHNjcmlwdD4iOjF9.eyI8aW1nIHNyYz14IG9uZXJyb3I9YWxlcnQoMSk-IjoxfQ.x", "text/plain"),
    "charset": (EVIL.encode(), f"text/plain; charset={EVIL.encode().decode('latin-1')}"),
}


def test_a_hostile_body_is_text_in_every_view(server: Server, page: Page) -> None:
    for name, (body, content_type) in HOSTILE.items():
        capture(server, f"evil-{name}", body, headers={"content-type": content_type.encode("latin-1")})
        id = server.get(f"/bins/evil-{name}/requests")["data"][0]["id"]
        views = server.get(f"/requests/{id}/views")["data"]
        for view in [each for each in views if each["name"] not in ("text", "hex") or each is views[0]]:
            page.goto(f"{server.url}/ui/bins/evil-{name}?request={id}&view={view['name']}")
            expect(page.locator("#detail .views [aria-current]")).to_have_text(view["title"])
            assert page.locator("main :is(img, script, svg, base, iframe)").count() == 0, name
            assert "\u202e" not in page.locator("#detail").inner_text(), name


def test_axe_finds_nothing_on_any_view(server: Server, browser: Browser) -> None:
    bodies: dict[str, tuple[bytes, dict[str, str]]] = {
        "broken": (b'{"a": }', JSON),
        "form": (b'a=1&payload={"b":2}', {"content-type": "application/x-www-form-urlencoded"}),
        "parts": (form_data(("X: y", b"1")), {"content-type": "multipart/form-data; boundary=x"}),
        "xml": (b"<a b='c'><!-- d --></a>", {"content-type": "text/xml"}),
        "picture": (PNG, {}),
        "token": (b"eyJhIjoxfQ.eyJhIjoxfQ.x", {}),
    }
    with browser.new_context(viewport=PHONE) as context:
        page = context.new_page()
        for name, (body, headers) in bodies.items():
            capture(server, f"axe-{name}", body, headers=headers)
            page.goto(f"{server.url}/ui/bins/axe-{name}")
            assert_accessible(page, "#detail")
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
