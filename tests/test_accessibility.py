"""What axe finds where test_pages does not look: the sides of a request, and whatever opens."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browsing import DESKTOP, assert_accessible, capture, delivered_to, opened
from tests.support import Server


def test_axe_finds_nothing_on_the_sides_of_a_request_and_in_what_opens(server: Server, browser: Browser) -> None:
    capture(server, "axed/path?a=1", b'{"a": 1}', headers={"content-type": "application/json", "x-axed": "yes"})
    with browser.new_context(viewport=DESKTOP) as context:
        page = context.new_page()
        for tab in ("headers", "query", "answer", "signature", "from"):
            opened(server, page, f"/ui/bins/axed?tab={tab}")
            assert_accessible(page, "html" if tab == "headers" else "#detail")
        for opener in ("settings", "note"):
            page.locator(f"[data-opens='{opener}'], .subject [data-action='{opener}']").click()
            expect(page.locator(f"dialog#{opener}")).to_be_visible()
            assert_accessible(page, f"dialog#{opener}")
            if opener == "settings":
                page.get_by_role("link", name="Signature, forwarding, storage").click()
                page.get_by_label("Requests kept").fill("0")
                page.get_by_role("button", name="Save").click()
                expect(page.locator("#b-max-requests-error")).to_be_visible()
                assert_accessible(page, "dialog#settings")
                page.get_by_label("Requests kept").select_text()
                page.mouse.down()
                page.mouse.move(5, 5)
                page.mouse.up()
                expect(page.locator("dialog#settings")).to_be_visible()  # a selection ended outside
                page.keyboard.press("Escape")
                assert_accessible(page, "dialog.asks")
                page.get_by_role("button", name="Discard").click()
            page.keyboard.press("Escape")
            expect(page.locator(f"dialog#{opener}")).to_be_hidden()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        assert_accessible(page, "[data-keys]")
        page.keyboard.press("Escape")
        for menu in ("copy-as", "bin-menu"):
            page.locator(f"#{menu} summary").click()
            assert_accessible(page, f"#{menu}")
            page.locator(f"#{menu} summary").click()
        page.locator("[data-pick]").first.click()
        expect(page.locator("[data-bulk]")).to_be_visible()
        assert_accessible(page, "main")


def test_axe_finds_nothing_in_what_opens_at_a_webhook(server: Server, browser: Browser) -> None:
    webhook = delivered_to(server, "axed-webhook")["webhook_id"]
    with browser.new_context(viewport=DESKTOP) as context:
        page = context.new_page()
        opened(server, page, f"/ui/webhooks/{webhook}")
        for dialog in ("edit", "recover", "delete"):
            menu = f"details:has([data-opens='{dialog}'])"
            page.locator(f"{menu} > summary").click()
            assert_accessible(page, menu)
            page.locator(f"[data-opens='{dialog}']").click()
            expect(page.locator(f"dialog#{dialog}")).to_be_visible()
            assert_accessible(page, f"dialog#{dialog}")
            page.keyboard.press("Escape")
            expect(page.locator(f"dialog#{dialog}")).to_be_hidden()
        page.get_by_role("button", name="Send a test event").click()
        expect(page.locator(".toast[data-tone='good']")).to_be_visible()
        assert_accessible(page, ".toast")
        page.route("**/test", lambda route: route.abort())
        page.get_by_role("button", name="Send a test event").click()
        expect(page.locator(".toast[data-tone='bad']")).to_be_visible()
        assert_accessible(page, ".toast[data-tone='bad']")
