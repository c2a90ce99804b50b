"""How fast events are delivered, as a ratio to a floor measured in the same run.

    python benchmarks/dispatch.py              rates, the ratio, latencies, fan-out
    python benchmarks/dispatch.py --backlog    a restart with 200,000 pending deliveries

The floor is a bare aiohttp loop that POSTs the same bodies to the same receiver. It and hookbin have one
core, the receiver and whoever publishes the other. A delivery counts once its attempt is committed.
"""

from __future__ import annotations

import argparse
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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from benchmarks import backlog
from benchmarks.receiver import Publisher, receiving
from benchmarks.servers import follower, hookbin, processor_time

CONNECTIONS = 32
AT_ONCE = 64
"""Attempts under way at once: of the webhook that is measured, and of the floor."""
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


def main() -> None:
    options = _options()
    server_core, load_core = _cores()
    os.sched_setaffinity(0, {load_core})
    if options.backlog:
        backlog.show(core=server_core)
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = Path(folder) / "hookbin.db"
        url = stack.enter_context(hookbin(database, core=server_core))
        asyncio.run(_measure(url, database, options, server_core))


async def _measure(url: str, database: Path, options: argparse.Namespace, core: int) -> None:
    receipts: dict[bytes, float] = {}

    def received(body: bytes, now: float) -> None:
        receipts[_number(body)] = now

    async with receiving(received) as destination, httpx.AsyncClient(base_url=url, trust_env=False) as api:
        await _register(api, destination, "one.*", 1)
        await _register(api, destination, "ten.*", 10)
        print(f"events of 1 KiB; medians of {options.rounds} alternating rounds\n")
        await _rates(_Server(url, api, database), destination, options, core)
        await _latency(url, receipts, options)
        await _register(api, destination, "many.*", 1_000)
        await _fan_out(url, api, options)


class _Server(NamedTuple):
    url: str
    api: httpx.AsyncClient
    database: Path


class _Measured(NamedTuple):
    rate: float
    """Deliveries a second."""
    cost: float
    """Seconds of processor time a delivery."""


async def _rates(server: _Server, destination: str, options: argparse.Namespace, core: int) -> None:
    floors, singles, tens = [], [], []
    for _ in range(options.rounds):
        floors.append(await _floor(destination, options.events, core))
        singles.append(await _deliver(server, "one.a", options.events, deliveries=1))
        tens.append(await _deliver(server, "ten.a", options.events // 10, deliveries=10))
    print(f"{'':>36}  {'per second':>10}  ratio  {'processor time':>14}  ratio")
    rows = {
        "bare aiohttp, POSTs alone": floors,
        "published one by one, to one webhook": singles,
        "published, to ten webhooks each": tens,
    }
    for name, found in rows.items():
        pairs = list(zip(found, floors, strict=True))
        rate, cost = statistics.median(each.rate for each in found), statistics.median(each.cost for each in found)
        rates = statistics.median(each.rate / floor.rate for each, floor in pairs)
        costs = statistics.median(each.cost / floor.cost for each, floor in pairs)
        print(f"{name:>36}  {rate:>10,.0f}  {rates:>5.2f}  {1e6 * cost:>11,.0f} µs  {costs:>5.2f}", flush=True)


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


async def _latency(url: str, receipts: dict[bytes, float], options: argparse.Namespace) -> None:
    """From the first byte of a POST to the receipt of the delivery, at a steady rate and with a stream open."""
    receipts.clear()
    sent: dict[bytes, float] = {}
    idle: asyncio.Queue[Publisher] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await Publisher.connect(url))
    tasks = set()
    with follower(url):
        started = time.perf_counter()
        for number in range(round(options.rate * options.seconds)):
            await asyncio.sleep(max(0.0, started + number / options.rate - time.perf_counter()))
            task = asyncio.create_task(_publish_timed(idle, number, sent))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        await _until(lambda: len(receipts) >= len(sent))
    times = sorted(1000 * (receipts[number] - at) for number, at in sent.items())
    p50, p95, p99 = (times[int(len(times) * share)] for share in (0.5, 0.95, 0.99))
    print(
        f"\npublish to receipt at {options.rate:g} events/s, a stream open: "
        f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms",
        flush=True,
    )


async def _publish_timed(idle: asyncio.Queue[Publisher], number: int, sent: dict[bytes, float]) -> None:
    sent[b"%d" % number] = time.perf_counter()
    publisher = await idle.get()
    await publisher.publish(_event("one.b", number))
    idle.put_nowait(publisher)


async def _fan_out(url: str, api: httpx.AsyncClient, options: argparse.Namespace) -> None:
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
    print(
        f"one event to 1,000 webhooks: accepted after {1000 * statistics.median(answered):.0f} ms, "
        f"all delivered and committed after {statistics.median(ended):.2f} s"
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


def _cores() -> tuple[int, int]:
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Deliveries against a bare loop of POSTs.")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds")
    parser.add_argument("--events", type=int, default=4_000, help="deliveries of a round")
    parser.add_argument("--rate", type=float, default=200, help="events a second while latency is measured")
    parser.add_argument("--seconds", type=float, default=10, help="for how long")
    parser.add_argument("--backlog", action="store_true", help="start with 200,000 pending deliveries instead")
    return parser.parse_args()


if __name__ == "__main__":
    main()
