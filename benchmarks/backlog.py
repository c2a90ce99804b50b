"""A start with 200,000 overdue deliveries: how long until it serves and sends, and what memory it takes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.footprint import launch, mebibytes, until_ready
from benchmarks.options import Options, cores
from benchmarks.receiver import receiving
from tests.backlog import build

DELIVERIES = 200_000


def backlog(options: Options) -> str:
    return asyncio.run(_measure(cores()[0], DELIVERIES, 4 * options.seconds))


async def _measure(core: int, deliveries: int, seconds: float) -> str:
    receipts: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "hookbin.db"
        async with receiving(lambda _, now: receipts.append(now)) as destination:
            await build(database, deliveries=deliveries, destination=destination)
            process, port, started = launch(database, core=core)
            try:
                ready = await until_ready(port) - started
                while not receipts:
                    await asyncio.sleep(0.005)
                first = receipts[0] - started
                await asyncio.sleep(seconds)
                rate = len(receipts) / (time.perf_counter() - receipts[0])
                peak = mebibytes(process.pid, "VmHWM")
            finally:
                process.terminate()
                process.wait(timeout=20)
    return (
        f"{deliveries:,} overdue deliveries: ready after {ready:.2f} s, first delivery after {first:.2f} s, "
        f"{rate:,.0f} a second then, at most {peak:.0f} MiB resident in {seconds:g} s"
    )
