"""What a hookbin that does nothing takes: the time until it is ready, and its memory."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.options import Options, cores
from benchmarks.report import table
from benchmarks.servers import ROOT, free_port

STARTS = 5
_SETTLED = 2.0
"""Seconds after which the memory is read."""


def footprint(options: Options) -> str:
    found = [_start() for _ in range(max(options.rounds, STARTS))]
    ready, memory = (statistics.median(each[place] for each in found) for place in (0, 1))
    rows = [["ready after", f"{ready:.2f} s"], ["resident at rest", f"{memory:.0f} MiB"]]
    return f"Medians of {len(found)} starts on an empty database.\n\n" + table(["", ""], rows)


def _start() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        process, port, started = launch(Path(folder) / "hookbin.db", core=cores()[0])
        try:
            ready = asyncio.run(until_ready(port)) - started
            time.sleep(_SETTLED)
            return ready, mebibytes(process.pid, "VmRSS")
        finally:
            process.terminate()
            process.wait(timeout=20)


def launch(database: Path, *, core: int) -> tuple[subprocess.Popen[bytes], int, float]:
    """A hookbin that was just started, its port, and when that was."""
    port = free_port()
    command = [sys.executable, "-m", "hookbin", "serve", "--port", str(port), "--database", str(database)]
    pin = lambda: os.sched_setaffinity(0, {core})  # noqa: E731
    started = time.perf_counter()
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, preexec_fn=pin), port, started


async def until_ready(port: int) -> float:
    """When `/readyz` answered 200 for the first time."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
        while True:
            try:
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return time.perf_counter()
            except httpx.TransportError:
                await asyncio.sleep(0.01)


def mebibytes(pid: int, field: str) -> float:
    """`VmRSS`, what is resident now, or `VmHWM`, the most that was at any time."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024
