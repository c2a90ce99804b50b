"""How fast events are delivered, as a ratio to a floor measured in the same run.

The floor is a bare aiohttp loop that POSTs the same bodies to the same receiver. It and hookbin have one
core, the receiver and whoever publishes the other. A delivery counts once its attempt is committed.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx

from benchmarks.options import Options, cores, on_core
from benchmarks.receiver import Publisher, receiving
from benchmarks.report import table
from benchmarks.servers import follower, hookbin, processor_time

CONNECTIONS = 32
AT_ONCE = 64
"""Attempts under way at once: of the webhook that is measured, and of the floor."""
EVENTS = 4_000
"""Deliveries of a round."""
RATE, LATENCY_SECONDS = 200.0, 10.0
"""Events a second while latency is measured, and for how long."""
PAD = "x" * 980
"""Makes an event about 1 KiB."""
_FLOOR = """
import asyncio, sys, time, aiohttp
url, count, at_once, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
body, headers = b"x" * size, {"content-type": "application/json", "webhook-id": "evt_1", "webhook-signature": "v1,x"}
async def main():
    left = iter(range(count))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        async def work():
            for _ in left:
                async with session.post(url, data=body, headers=headers) as response:
                    await response.read()
        started, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work() for _ in range(at_once)))
        print(count / (time.perf_counter() - started), (time.process_time() - spent) / count)
import uvloop
uvloop.run(main())
"""


def delivery(options: Options) -> str:
    """Rates and processor time against the floor, latency at a steady rate, one event to many."""
    server_core, load_core = cores()
    with on_core(load_core), tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = Path(folder) / "hookbin.db"
        url = stack.enter_context(hookbin(database, core=server_core))
        return asyncio.run(_measure(url, database, options, server_core))


async def _measure(url: str, database: Path, options: Options, core: int) -> str:
    receipts: dict[bytes, float] = {}

    def received(body: bytes, now: float) -> None:
        receipts[_number(body)] = now

    async with receiving(received) as destination, httpx.AsyncClient(base_url=url, trust_env=False) as api:
        await _register(api, destination, "one.*", 1)
        await _register(api, destination, "ten.*", 10)
        rates = await _rates(_Server(url, api, database), destination, options, core)
        latency = await _latency(url, receipts)
        await _register(api, destination, "many.*", 1_000)
        fan_out = await _fan_out(url, api, options)
    return f"Events of 1 KiB; medians of {options.rounds} alternating rounds.\n\n{rates}\n\n{latency} {fan_out}"


class _Server(NamedTuple):
    url: str
    api: httpx.AsyncClient
    database: Path


class _Measured(NamedTuple):
    rate: float
    """Deliveries a second."""
    cost: float
    """Seconds of processor time a delivery."""


async def _rates(server: _Server, destination: str, options: Options, core: int) -> str:
    floors, singles, tens = [], [], []
    for _ in range(options.rounds):
        floors.append(await _floor(destination, EVENTS, core))
        singles.append(await _deliver(server, "one.a", EVENTS, deliveries=1))
        tens.append(await _deliver(server, "ten.a", EVENTS // 10, deliveries=10))
    sides = {
        "bare aiohttp, POSTs alone": floors,
        "published one by one, to one webhook": singles,
        "published, to ten webhooks each": tens,
    }
    rows = []
    for name, found in sides.items():
        pairs = list(zip(found, floors, strict=True))
        rate, cost = statistics.median(each.rate for each in found), statistics.median(each.cost for each in found)
        rates = statistics.median(each.rate / floor.rate for each, floor in pairs)
        costs = statistics.median(each.cost / floor.cost for each, floor in pairs)
        rows.append([name, f"{rate:,.0f}", f"{rates:.2f}", f"{1e6 * cost:,.0f} µs", f"{costs:.2f}"])
    return table(["", "deliveries/s", "ratio", "processor time", "ratio"], rows)


async def _floor(destination: str, count: int, core: int) -> _Measured:
    def pin() -> None:
        os.sched_setaffinity(0, {core})

    command = [sys.executable, "-c", _FLOOR, destination, str(count), str(AT_ONCE), str(len(_event("one.a", 0)))]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, preexec_fn=pin)
    output, _ = await process.communicate()
    return _Measured(*map(float, output.split()))


async def _deliver(server: _Server, type: str, events: int, *, deliveries: int) -> _Measured:
    """Publish so many events as fast as they are accepted, until the last of their deliveries is committed."""
    before = await _attempts(server.api)
    numbers = iter(range(events))
    publishers = [await Publisher.connect(server.url) for _ in range(CONNECTIONS)]

    async def work(publisher: Publisher) -> None:
        for number in numbers:
            await publisher.publish(_event(type, number))

    started, spent = time.perf_counter(), processor_time(server.database)
    await asyncio.gather(*(work(publisher) for publisher in publishers))
    while await _attempts(server.api) - before < events * deliveries:
        await asyncio.sleep(0.02)
    took, spent = time.perf_counter() - started, processor_time(server.database) - spent
    for publisher in publishers:
        publisher.close()
    return _Measured(events * deliveries / took, spent / (events * deliveries))


async def _latency(url: str, receipts: dict[bytes, float]) -> str:
    """From the first byte of a POST to the receipt of the delivery, at a steady rate and with a stream open."""
    receipts.clear()
    sent: dict[bytes, float] = {}
    idle: asyncio.Queue[Publisher] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await Publisher.connect(url))
    tasks = set()
    with follower(url):
        started = time.perf_counter()
        for number in range(round(RATE * LATENCY_SECONDS)):
            await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
            task = asyncio.create_task(_publish_timed(idle, number, sent))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        await _until(lambda: len(receipts) >= len(sent))
    times = sorted(1000 * (receipts[number] - at) for number, at in sent.items())
    p50, p95, p99 = (times[int(len(times) * share)] for share in (0.5, 0.95, 0.99))
    return (
        f"From the first byte of the POST to the receipt, at {RATE:g} events/s and with a stream open: "
        f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms."
    )


async def _publish_timed(idle: asyncio.Queue[Publisher], number: int, sent: dict[bytes, float]) -> None:
    sent[b"%d" % number] = time.perf_counter()
    publisher = await idle.get()
    await publisher.publish(_event("one.b", number))
    idle.put_nowait(publisher)


async def _fan_out(url: str, api: httpx.AsyncClient, options: Options) -> str:
    publisher = await Publisher.connect(url)
    answered, ended = [], []
    for number in range(options.rounds):
        before, started = await _attempts(api), time.perf_counter()
        await publisher.publish(_event("many.a", number))
        answered.append(time.perf_counter() - started)
        while await _attempts(api) - before < 1_000:
            await asyncio.sleep(0.01)
        ended.append(time.perf_counter() - started)
    publisher.close()
    return (
        f"One event to 1,000 webhooks: accepted after {1000 * statistics.median(answered):.0f} ms, "
        f"all delivered and committed after {statistics.median(ended):.2f} s."
    )


async def _register(api: httpx.AsyncClient, destination: str, pattern: str, count: int) -> None:
    for number in range(count):
        webhook = {"name": f"{pattern} {number}", "destination": destination, "events": [pattern], "ping": False}
        response = await api.post("/webhooks", json={**webhook, "max_in_flight": AT_ONCE})
        response.raise_for_status()


async def _attempts(api: httpx.AsyncClient) -> int:
    """How many are committed."""
    text = (await api.get("/metrics")).text
    return sum(int(float(value)) for value in re.findall(r"^hookbin_attempts_total\S* (\S+)$", text, re.MULTILINE))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


def _event(type: str, number: int) -> bytes:
    return f'{{"type":"{type}","data":{{"number":{number},"pad":"{PAD}"}}}}'.encode()


def _number(body: bytes) -> bytes:
    return body.partition(b'"number":')[2].partition(b",")[0]
