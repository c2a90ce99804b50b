"""How fast the pages of a bin with 10,000 requests are, as Chromium itself reports it.

The paint is measured in new browser contexts, which have nothing in their cache, and once more in each with what the
first visit left there. The input delay is what the Event Timing API says of `j` and `k`, pressed on and on while the
load lasts: from the key press to the frame that shows what it did, which is what INP counts. It comes in steps of 8 ms.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.load import BODY
from benchmarks.options import Options
from benchmarks.report import table
from benchmarks.servers import hookbin

HELD = 10_000
CONNECTIONS = 8
RATE = 1_000
"""Requests per second that come in while keys are pressed."""
CHROMIUM = "/usr/bin/chromium"
SCREEN: Any = {"width": 1440, "height": 900}
_WATCH_KEYS = """() => {
  window.delays = [];
  const keys = (list) => list.getEntries().filter(({ name }) => name === "keydown");
  const take = (list) => window.delays.push(...keys(list).map(({ duration }) => duration));
  new PerformanceObserver(take).observe({ type: "event", durationThreshold: 16 });
}"""


def pages(options: Options) -> str:
    with tempfile.TemporaryDirectory() as folder, hookbin(Path(folder) / "hookbin.db", core=None) as url:
        url = url.replace("127.0.0.1", "localhost")
        httpx.post(f"{url}/bins", json={"name": "ten", "max_requests": 10 * HELD}).raise_for_status()
        asyncio.run(_send(f"{url}/b/ten", count=HELD, rate=None))
        with sync_playwright() as playwright:
            path = CHROMIUM if os.path.exists(CHROMIUM) else None
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            rows = _paints(browser, f"{url}/ui/bins/ten", rounds=3 * options.rounds)
            for page in ("/ui/bins/ten", "/ui/"):
                rows += [_delays(browser, url, page, rate=rate, seconds=2 * options.seconds) for rate in (0, RATE)]
            head = f"Chromium {browser.version}; a bin that holds {HELD:,} requests.\n\n"
            browser.close()
    return head + table(["", "measured"], rows)


def _paints(browser: Browser, url: str, *, rounds: int) -> list[list[str]]:
    found: dict[str, list[float]] = {"nothing cached": [], "second visit": []}
    weights: list[int] = []
    for _ in range(rounds):
        with browser.new_context(viewport=SCREEN) as context:
            page = context.new_page()
            page.on("requestfinished", lambda request: weights.append(request.sizes()["responseBodySize"]))
            for visit, times in found.items():
                _open(page, url)
                times.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
                if visit == "nothing cached":
                    weight, requests = sum(weights), len(weights)
                weights.clear()
    rows = [["weight of the bin's page, uncompressed", f"{weight / 1024:.0f} KiB in {requests} requests"]]
    return rows + [
        [f"first contentful paint, {visit}", f"{_spread(times)} ms ({rounds} visits)"] for visit, times in found.items()
    ]


def _delays(browser: Browser, url: str, path: str, *, rate: int, seconds: float) -> list[str]:
    with browser.new_context(viewport=SCREEN) as context:
        page = context.new_page()
        _open(page, url + path)
        page.evaluate(_WATCH_KEYS)
        sent = multiprocessing.Value("i", 0)
        sender = multiprocessing.Process(target=_load, args=(f"{url}/b/ten", rate, seconds, sent))
        started = time.monotonic()
        sender.start()
        pressed = 0
        while time.monotonic() < started + seconds:
            page.keyboard.press("j" if pressed % 8 < 4 else "k")
            pressed += 1
            page.wait_for_timeout(100)
        sender.join()
        slow: list[float] = page.evaluate("window.delays")
        delays = sorted([*slow, *[16.0] * (pressed - len(slow))])  # those under 16 ms are not reported
        p98 = delays[min(len(delays) - 1, int(len(delays) * 0.98))]
        found = f"p50 {statistics.median(delays):.0f}, p98 {p98:.0f}, longest {delays[-1]:.0f} ms"
        return [f"input delay of {path} at {sent.value / seconds:,.0f} requests/s", f"{found} ({pressed} keys)"]


def _open(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("[data-connection=live]")


def _spread(times: list[float]) -> str:
    return f"median {statistics.median(times):.0f}, {min(times):.0f} to {max(times):.0f}"


def _load(url: str, rate: int, seconds: float, sent: Any) -> None:
    if rate:
        sent.value = asyncio.run(_send(url, count=round(rate * seconds), rate=rate, within=seconds))


async def _send(url: str, *, count: int, rate: int | None, within: float = 600) -> int:
    """POSTs over a few connections, at a steady rate or as fast as they go; how many were answered in time."""
    done = [0] * CONNECTIONS
    senders = (_sender(url, count // CONNECTIONS, rate, done, place) for place in range(CONNECTIONS))
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*senders), within)
    return sum(done)


async def _sender(url: str, count: int, rate: int | None, done: list[int], place: int) -> None:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    started = time.monotonic()
    for number in range(count):
        if rate is not None:
            await asyncio.sleep(started + number * CONNECTIONS / rate - time.monotonic())
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        if answer[9:12] != b"200":
            raise RuntimeError(f"the load had failures: {answer.decode('latin-1')}")
        await reader.readexactly(int(answer.lower().partition(b"content-length:")[2].split()[0]))
        done[place] += 1
    writer.close()
