"""The pictures of README: a scene told through the API, and what a browser shows of it, into docs/images."""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.servers import ROOT, free_port, hookbin
from hookbin.delivery.samples import SAMPLES, Sample

IMAGES = ROOT / "docs/images"
CHROMIUM = "/usr/bin/chromium"
WIDE: Any = {"width": 1280, "height": 800}
PHONE: Any = {"width": 390, "height": 844}
SECRET = "hush-hush-hush"
EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("customer.created", {"id": "cus_1042", "name": "Ada Park", "email": "ada@example.com"}),
    ("order.created", {"id": "ord_88120", "customer": "cus_1042", "total": "129.00", "currency": "EUR"}),
    ("order.paid", {"id": "ord_88120", "method": "card", "paid_at": "2026-03-02T10:15:00Z"}),
    ("order.shipped", {"id": "ord_88120", "carrier": "DHL", "parcels": 2}),
    ("customer.updated", {"id": "cus_1042", "changed": ["email"]}),
    ("order.refunded", {"id": "ord_88115", "amount": "18.50", "reason": "damaged"}),
]


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, hookbin(Path(folder) / "hookbin.db", core=None) as url:
        found = Scene(url.replace("127.0.0.1", "localhost")).play()
        with sync_playwright() as playwright:
            path = CHROMIUM if os.path.exists(CHROMIUM) else None
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            shot(browser, found["overview"], "overview-light", scheme="light", viewport=WIDE)
            shot(browser, found["request"], "bin-dark", scheme="dark", viewport=WIDE)
            shot(browser, found["delivery"], "delivery-light", scheme="light", viewport=WIDE)
            shot(browser, found["overview"], "phone-dark", scheme="dark", viewport=PHONE)
            browser.close()


def shot(browser: Browser, url: str, name: str, *, scheme: Any, viewport: Any) -> None:
    scale = 2 if viewport is PHONE else 1.4
    with browser.new_context(
        viewport=viewport, device_scale_factor=scale, color_scheme=scheme, reduced_motion="reduce", locale="en-GB"
    ) as context:
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector("[data-connection=live]")
        settled(page)
        page.screenshot(path=IMAGES / f"{name}.png", caret="hide")
    print(f"{name}.png: {(IMAGES / f'{name}.png').stat().st_size / 1024:.0f} KiB")


def settled(page: Page) -> None:
    page.evaluate("document.fonts.ready.then(() => new Promise((done) => setTimeout(done, 300)))")


class Scene:
    """A shop: an order service that sends, receivers that are steady, flaky and dead, and two providers that post."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, trust_env=False)

    def play(self) -> dict[str, str]:
        """The pages that are worth a look, by name."""
        self._make_bins()
        self._post("/webhooks", {"name": "billing", "destination": f"{self.url}/b/billing"})
        crm = {"name": "crm", "destination": f"{self.url}/b/crm", "events": ["customer.*", "order.*"]}
        self._post("/webhooks", {**crm, "retry_schedule": [0.4, 0.8, 2], "ping": False})
        dead = f"http://localhost:{free_port()}/hooks"
        self._post("/webhooks", {"name": "warehouse", "destination": dead, "retry_schedule": [0.5, 60, 600]})
        for number, (type, data) in enumerate(EVENTS):
            self._post("/events", {"type": type, "data": data})
            self._receive(number)
        self._until_settled()
        self._post("/events", {"type": "invoice.sent", "data": {"id": "inv_2031", "customer": "cus_1042"}})
        self._receive(len(EVENTS))
        self._until_settled()
        request = self._remember_one()
        succeeded = self._get("/deliveries", state="succeeded", limit="100")
        retried = sorted(succeeded, key=lambda row: int(row["attempt_count"]), reverse=True)
        return {
            "overview": f"{self.url}/ui/",
            "request": f"{self.url}/ui/bins/github?request={request}",
            "delivery": f"{self.url}/ui/deliveries/{retried[0]['id']}",
        }

    def _make_bins(self) -> None:
        every_third = {
            "sequence": [{"status": 503, "body": "busy\n", "repeat": 2}, {"status": 200, "body": "ok\n"}],
            "then": "cycle",
        }
        for bin in (
            {"name": "billing", "response": {"status": 202, "body": '{"queued": true}\n'}},
            {"name": "crm", "response": every_third},
            {"name": "stripe", "verify": {"scheme": "stripe", "secret": SECRET}},
            {"name": "github", "verify": {"scheme": "github", "secret": SECRET}},
        ):
            self._post("/bins", bin)

    def _receive(self, number: int) -> None:
        github, stripe = ([one for one in SAMPLES if one.type.startswith(of)] for of in ("github.", "stripe."))
        self._github(github[number % len(github)], secret="stolen" if number == 2 else SECRET)
        self._stripe(stripe[number % len(stripe)])
        if number % 2:
            self._client.get("/b/github/health", params={"from": "uptime"})

    def _github(self, sample: Sample, *, secret: str) -> None:
        signature = hmac.new(secret.encode(), sample.body, hashlib.sha256).hexdigest()
        self._capture("/b/github/webhooks", sample, {"x-hub-signature-256": f"sha256={signature}"})

    def _stripe(self, sample: Sample) -> None:
        at = int(time.time())
        signature = hmac.new(SECRET.encode(), b"%d." % at + sample.body, hashlib.sha256).hexdigest()
        self._capture("/b/stripe/v1/endpoint?livemode=false", sample, {"stripe-signature": f"t={at},v1={signature}"})

    def _capture(self, path: str, sample: Sample, signature: dict[str, str]) -> None:
        headers = {**dict(sample.headers), "content-type": "application/json", **signature}
        self._client.post(path, content=sample.body, headers=headers).raise_for_status()

    def _remember_one(self) -> str:
        rows = self._get("/bins/github/requests", limit="30", method="POST")
        bad = next(row for row in rows if row["signature"]["state"] == "failed")
        good = next(row for row in rows if row["signature"]["state"] == "ok" and row["size"] > 1_000)
        self._client.patch(f"/requests/{bad['id']}", json={"note": "Old secret: rotate it on Monday"})
        self._client.patch(f"/requests/{good['id']}", json={"pinned": True}).raise_for_status()
        return str(good["id"])

    def _until_settled(self) -> None:
        """All but what waits for a receiver that is dead has ended."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            pending = self._get("/deliveries", state="pending", limit="100")
            if all(row["webhook_name"] == "warehouse" and row["attempt_count"] > 1 for row in pending):
                return
            time.sleep(0.1)
        raise RuntimeError("the scene did not come to rest")

    def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = self._client.post(path, json=body)
        if answer.is_error:
            raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text}")

    def _get(self, path: str, **query: str) -> list[Any]:
        found: list[Any] = self._client.get(path, params=query).raise_for_status().json()["data"]
        return found


if __name__ == "__main__":
    main()
