"""What history costs: the paths that are used often, on a database of 1,000 requests and on one of 1,000,000."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from benchmarks.load import load
from benchmarks.options import Options, cores, on_core
from benchmarks.report import table
from benchmarks.servers import hookbin
from tests.builders import a_request, open_stores

SMALL, LARGE = 1_000, 1_000_000
BINS = 10
CALLS = 100
"""Calls of one path in a round."""
_AT_ONCE = 500
_PATHS = {
    "a page of a bin's list": "/bins/bin-0/requests?limit=50",
    "the same, by its page": "/ui/bins/bin-0",
    "overview": "/ui/",
    "one request": "/requests/{id}",
    "all bins": "/bins",
    "deliveries": "/deliveries",
}


def growth(options: Options) -> str:
    server_core, load_core = cores()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack, on_core(load_core):
        bases = []
        for size in (SMALL, LARGE):
            database = Path(folder) / f"{size}.db"
            asyncio.run(_fill(database, size))
            bases.append(stack.enter_context(hookbin(database, core=server_core)))
        rows = [_row(name, [_calls(base, path) for base in bases], options) for name, path in _PATHS.items()]
        captures = [_captures(base, options.seconds) for base in bases]
        rows.append(_row("a capture, 32 connections", captures, options))
    return f"{SMALL:,} against {LARGE:,} requests in {BINS} bins; medians of {options.rounds} rounds.\n\n" + table(
        ["", f"{SMALL:,}", f"{LARGE:,}", "ratio"], rows
    )


def _row(name: str, measures: list[Callable[[], float]], options: Options) -> list[str]:
    """`measures` give ms, on the small and on the large database."""
    rounds = [[measure() for measure in measures] for _ in range(options.rounds)]
    small, large = (statistics.median(found[side] for found in rounds) for side in (0, 1))
    ratio = statistics.median(found[1] / found[0] for found in rounds)
    return [name, f"{small:.2f} ms", f"{large:.2f} ms", f"{ratio:.2f}"]


def _calls(base: str, path: str) -> Callable[[], float]:
    client = httpx.Client(base_url=base, trust_env=False)
    newest = client.get("/bins/bin-0/requests?limit=1").json()["data"][0]["id"]

    def measure() -> float:
        times = []
        for _ in range(CALLS):
            started = time.perf_counter()
            client.get(path.format(id=newest)).raise_for_status()
            times.append(1000 * (time.perf_counter() - started))
        return statistics.median(times)

    return measure


def _captures(base: str, seconds: float) -> Callable[[], float]:
    return lambda: 1000 / load(f"{base}/b/bin-0", connections=32, seconds=seconds).rate


async def _fill(path: Path, size: int) -> None:
    """Requests of 200 bytes, spread over the bins as they would have come in."""
    async with open_stores(path) as stores:
        bins = [await stores.make_bin(f"bin-{number}", max_requests=1_000_000) for number in range(BINS)]
        for start in range(0, size, _AT_ONCE):
            of_bins = [bins[number % BINS] for number in range(start, min(start + _AT_ONCE, size))]
            await asyncio.gather(*(stores.requests.add(a_request(bin, body=b"x" * 200), bin) for bin in of_bins))
