"""What the tests of the pages share: a browser's page that is watched, and what there is to see on it."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Dialog, Page, expect

from tests.support import Server, eventually
from tests.wire import exchange

DESKTOP: Any = {"width": 1440, "height": 900}
PHONE: Any = {"width": 390, "height": 844}
SCHEMES: Any = (("light", {}), ("dark", {"runOnly": ["color-contrast"]}))
VIOLATIONS = (
    "async ([part, options]) => { const { violations } = await axe.run(part, options); return { violations }; }"
)
"""What axe finds wrong, without what it finds right: to bring that out of the page takes longer than to look."""


class Watched:
    """A page together with everything a browser complained about while it was shown."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self._complain(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")


def capture(server: Server, path: str, content: str | bytes = b"", **options: Any) -> None:
    response = server.request("POST", f"/b/{path}", content=content, **options)
    assert response.status_code == 200, response.text


def opened(server: Server, page: Page, path: str) -> None:
    """The page is there, and follows the stream."""
    page.goto(server.url + path)
    is_live(page)


def assert_accessible(page: Page, part: str = "html", *, dark: bool = True) -> None:
    """Axe finds nothing on the page as it stands, or in a part of it when the rest was looked at before.

    In the dark only contrast can be otherwise, so only that is asked.
    """
    page.evaluate(AXE_SCRIPT)
    for scheme, rules in SCHEMES if dark else SCHEMES[:1]:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = AxeResults(page.evaluate(VIOLATIONS, [part, {"resultTypes": ["violations"], **rules}]))
        assert found.violations_count == 0, f"{part} of {page.url}, {scheme}: {found.generate_report()}"


def is_live(page: Page) -> None:
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")


def ended_delivery(server: Server, webhook: str) -> dict[str, Any]:
    """The newest delivery of a webhook, once it has ended."""

    def found() -> list[dict[str, Any]]:
        return [newest for newest in server.deliveries(webhook=webhook)[:1] if newest["state"] != "pending"]

    return eventually(found)[0]


def delivered_to(server: Server, bin: str, **options: Any) -> dict[str, Any]:
    """The ended delivery of a ping to one of the server's own bins."""
    return ended_delivery(server, server.register(f"{server.url}/b/{bin}", name=bin, **options)["id"])


def every_page(server: Server) -> dict[str, str]:
    """The path of each page, with something on all of them."""
    capture(server, "four-pages/path?query=1", b'{"a": [1, "two", null]}', headers={"content-type": "application/json"})
    delivery = delivered_to(server, "four-pages")
    exchange(server, b"\x16\x03" + b"x" * 200 + b"\r\n\r\n")  # a problem without a blank to break its line at
    ids = [row["id"] for row in server.captured("four-pages")[-2:]]
    return {
        "overview": "/ui/",
        "bin": "/ui/bins/four-pages",
        "webhook": f"/ui/webhooks/{delivery['webhook_id']}",
        "delivery": f"/ui/deliveries/{delivery['id']}",
        "request": f"/ui/requests/{ids[-1]}",
        "event": f"/ui/events/{delivery['event_id']}",
        "send": "/ui/send",
        "new": "/ui/new",
        "server": "/ui/server",
        "replay": f"/ui/requests/{ids[-1]}/replay",
        "thread": f"/ui/threads/{ids[-1]}",
        "compare": f"/ui/requests/{ids[0]}/diff/{ids[1]}",
        "webhooks": "/ui/webhooks",
        "bins": "/ui/bins",
        "events": "/ui/events?meta=true",
        "deliveries": "/ui/deliveries?state=succeeded",
        "find": "/ui/find?q=four",
        "filter": "/ui/bins/four-pages?fields=1&header=content-type",
        "problems": "/ui/?show=problems",
    }
