"""A start with 200,000 overdue deliveries: how long until it serves and sends, and what memory it takes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.receiver import receiving
from benchmarks.servers import ROOT, free_port
from tests.backlog import build

DELIVERIES = 200_000


def show(*, core: int, deliveries: int = DELIVERIES, seconds: float = 20.0) -> None:
    """Print what was measured, once that many seconds of sending are over."""
    asyncio.run(_show(core, deliveries, seconds))


async def _show(core: int, deliveries: int, seconds: float) -> None:
    receipts: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "hookbin.db"
        async with receiving(lambda _, now: receipts.append(now)) as destination:
            await build(database, deliveries=deliveries, destination=destination)
            started = time.perf_counter()
            process, port = _start(database, core)
            try:
                ready = await _until_ready(f"http://127.0.0.1:{port}/readyz") - started
                while not receipts:
                    await asyncio.sleep(0.005)
                first = receipts[0] - started
                await asyncio.sleep(seconds)
                rate = len(receipts) / (time.perf_counter() - receipts[0])
                peak = _peak_mebibytes(process.pid)
            finally:
                process.terminate()
                process.wait(timeout=20)
    print(
        f"{deliveries:,} overdue deliveries: ready after {ready:.2f} s, first delivery after {first:.2f} s, "
        f"{rate:,.0f} a second then, at most {peak:.0f} MiB resident in {seconds:g} s"
    )


def _start(database: Path, core: int) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    command = [sys.executable, "-m", "hookbin", "serve", "--port", str(port), "--database", str(database)]
    pin = lambda: os.sched_setaffinity(0, {core})  # noqa: E731
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, preexec_fn=pin), port


async def _until_ready(url: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return time.perf_counter()
            except httpx.TransportError:
                await asyncio.sleep(0.01)


def _peak_mebibytes(pid: int) -> float:
    """The most memory that was resident at any time (`VmHWM`)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
