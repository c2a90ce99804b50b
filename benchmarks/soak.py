"""A long mixed load: whether memory, descriptors and latency stay flat, with a picture of all three.

Captures, events with retries, pages, searches, exports, streams and senders that break off run beside each other.
`python -m benchmarks soak --minutes 30 --write` puts the figures and the picture into docs/reliability.md.
"""

from __future__ import annotations

import random
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from benchmarks.footprint import mebibytes
from benchmarks.load import BODY
from benchmarks.options import Options
from benchmarks.report import table
from benchmarks.servers import ROOT, follower, hookbin

PICTURE = ROOT / "docs" / "images" / "soak.svg"
SAMPLE_SECONDS = 5.0
SENDERS, PAUSE = 4, 0.02
"""Connections that capture, and the seconds that each rests between two requests."""
_TIMES: tuple[tuple[str, Callable[[httpx.Client, random.Random], object]], ...] = (
    ("overview", lambda client, _: client.get("/ui/")),
    ("bin", lambda client, _: client.get("/ui/bins/soak")),
    ("search", lambda client, chance: client.get("/bins/soak/requests", params={"q": f"nowhere{chance.random()}"})),
    ("filter", lambda client, _: client.get("/bins/soak/requests", params={"json": "event=bench"})),
    ("export", lambda client, _: client.get("/bins/soak/export?format=har")),
    ("deliveries", lambda client, _: client.get("/deliveries", params={"limit": "100"})),
    ("template", lambda client, chance: client.post("/b/template", json={"number": chance.random()})),
    ("emptied", lambda client, _: client.delete("/bins/template/requests")),
)
_BROKEN = (
    b"POST /b/soak HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf",
    b"POST /b/soak HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /b/soak HTTP/1.1\r\n" + b"x-a: b\r\n" * 900,
)


class Sample(NamedTuple):
    """What was seen at a time, in seconds since the start."""

    at: float
    memory: float
    """Resident, in MiB."""
    descriptors: int
    p99: float
    """Milliseconds that 99 of 100 captures stayed under since the sample before."""
    captures: int
    """All so far."""


class Soak:
    """Threads that put load on a server until they are told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._address = (urlsplit(url).hostname, urlsplit(url).port)
        self._stop = threading.Event()
        self._took: list[float] = []
        self.captures = 0

    def __enter__(self) -> Soak:
        with httpx.Client(base_url=self._url, trust_env=False) as client:
            template = {"body": '{"got": "{{ request.json.number }}"}', "template": True}
            flaky = {"chance": {"probability": 0.3, "status": 503}}
            for name, response in {"soak": {}, "mirror": {}, "template": template, "flaky": flaky}.items():
                client.post("/bins", json={"name": name, "response": response}).raise_for_status()
            for name in ("mirror", "flaky"):
                webhook = {"name": name, "destination": f"{self._url}/b/{name}", "retry_schedule": [0.2] * 20}
                client.post("/webhooks", json=webhook).raise_for_status()
        works = [*[self._capture] * SENDERS, self._publish, self._look, self._break_off]
        self._threads = [threading.Thread(target=self._repeat, args=(work,), daemon=True) for work in works]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            work()

    def _capture(self) -> None:
        host, port = self._address
        head = f"POST /b/soak HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\n"
        request = f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY
        with socket.create_connection(self._address, timeout=30) as connection:
            while not self._stop.wait(PAUSE):
                started = time.perf_counter()
                connection.sendall(request)
                if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                    raise RuntimeError("a capture was refused")
                self._took.append(time.perf_counter() - started)
                self.captures += 1

    def _publish(self) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=30) as client:
            while not self._stop.wait(0.1):
                client.post("/events", json={"type": "soak", "data": {"pad": "x" * 500}}).raise_for_status()

    def _look(self) -> None:
        chance = random.Random()
        with httpx.Client(base_url=self._url, trust_env=False, timeout=60) as client:
            while not self._stop.wait(0.5):
                _, look = chance.choice(_TIMES)
                look(client, chance)

    def _break_off(self) -> None:
        while not self._stop.wait(0.2):
            with suppress(ConnectionError), socket.create_connection(self._address, timeout=30) as connection:
                connection.sendall(random.choice(_BROKEN))
                self._stop.wait(0.2)

    def sample(self, pid: int, at: float) -> Sample:
        took, self._took = sorted(self._took), []
        p99 = 1000 * took[int(len(took) * 0.99)] if took else float("nan")
        descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return Sample(at, mebibytes(pid, "VmRSS"), descriptors, p99, self.captures)


def run(minutes: float) -> list[Sample]:
    """One sample each five seconds. Raises `RuntimeError` when a capture is refused."""
    samples = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = Path(folder) / "hookbin.db"
        url = stack.enter_context(hookbin(database, core=None))
        pid = int(database.with_name(database.name + ".lock").read_text())
        soak = stack.enter_context(Soak(url))
        for _ in range(3):
            stack.enter_context(follower(url))
        started = time.monotonic()
        while (at := time.monotonic() - started) < minutes * 60:
            samples.append(soak.sample(pid, at))
            time.sleep(SAMPLE_SECONDS)
    return samples


def between(samples: Sequence[Sample], start: float, end: float) -> Sample:
    """The medians of a part of the run; `start` and `end` are shares of it."""
    part = samples[int(len(samples) * start) : int(len(samples) * end)]
    columns = [statistics.median(column) for column in zip(*part, strict=True)]
    return Sample(columns[0], columns[1], round(columns[2]), columns[3], round(columns[4]))


def soak(options: Options) -> str:
    samples = run(options.minutes)
    PICTURE.write_text(picture(samples))
    rows = [
        [f"{name} third", f"{part.memory:.0f} MiB", f"{part.descriptors}", f"{part.p99:.1f} ms"]
        for name, part in zip(("first", "second", "last"), thirds(samples), strict=True)
    ]
    head = ["medians", "resident", "descriptors", "p99 of a capture"]
    return f"{options.minutes:g} minutes, {samples[-1].captures:,} captures.\n\n" + table(head, rows)


def thirds(samples: Sequence[Sample]) -> list[Sample]:
    return [between(samples, start / 3, (start + 1) / 3) for start in range(3)]


def picture(samples: Sequence[Sample]) -> str:
    """The three curves as an SVG, one above the other, each from zero to its most."""
    curves = {"resident, MiB": 1, "open descriptors": 2, "p99 of a capture, ms": 3}
    drawn = [_curve(name, [(each.at, each[place]) for each in samples], 20 + 110 * row) for row, (name, place) in
             enumerate(curves.items())]  # fmt: skip
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 350" font-family="sans-serif" font-size="12">'
    return "\n".join([head, '<rect width="720" height="350" fill="#fff"/>', *drawn, "</svg>", ""])


def _curve(name: str, points: Sequence[tuple[float, float]], top: float) -> str:
    most, last = max(value for _, value in points), points[-1][0] or 1
    path = " ".join(f"{10 + 700 * at / last:.1f},{top + 80 - 75 * value / most:.1f}" for at, value in points)
    label = f'<text x="10" y="{top}">{name}: at most {most:.0f}, in {last / 60:.0f} minutes</text>'
    return f'{label}<polyline points="{path}" fill="none" stroke="#6d28d9" stroke-width="1.5"/>'
