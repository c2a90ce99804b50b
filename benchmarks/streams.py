"""How long a capture takes to arrive at those who follow the stream: from the first byte sent to the event read."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import uvloop

from benchmarks.options import Options, cores, on_core
from benchmarks.report import table
from benchmarks.servers import ROOT, hookbin

SITUATIONS = ((1, 1_000), (10, 1_000), (100, 1_000), (1_000, 100))
"""Readers, and captures a second."""
CONNECTIONS = 8
_SENT = re.compile(rb'"query":"t=(\d+)"')


def streams(options: Options) -> str:
    server_core, load_core = cores()
    rows = []
    for readers, rate in SITUATIONS:
        found = [_situation(readers, rate, options.seconds, server_core, load_core) for _ in range(options.rounds)]
        p50, p99 = (statistics.median(each[place] for each in found) for place in (0, 1))
        arrived = statistics.median(each[2] for each in found)
        rows.append([f"{readers:,}", f"{rate:,}", f"{p50:.1f}", f"{p99:.1f}", f"{arrived:.0%}"])
    head = ["readers", "captures/s", "p50 ms", "p99 ms", "arrived"]
    return f"Medians of {options.rounds} rounds of {options.seconds:g} s.\n\n" + table(head, rows)


def _situation(readers: int, rate: int, seconds: float, server_core: int, load_core: int) -> tuple[float, float, float]:
    """p50 and p99 in ms, over all readers, and the share of the captures that each was told of."""
    options = ("--max-connections", str(3 * readers + 100))  # all come from one peer, who has a half of them
    with (
        tempfile.TemporaryDirectory() as folder,
        hookbin(Path(folder) / "hookbin.db", core=server_core, options=options) as base,
    ):
        httpx.post(f"{base}/bins", json={"name": "bench"}, trust_env=False).raise_for_status()
        with on_core(load_core):
            command = [sys.executable, "-m", "benchmarks.streams", base, str(readers), str(rate), str(seconds)]
            output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    p50, p99, arrived = json.loads(output)
    return p50, p99, arrived


class _Reader(asyncio.Protocol):
    """Notes, of each piece that comes in, how long ago its oldest capture was sent, and counts them all."""

    def __init__(self, host: str, delays: list[float]) -> None:
        self._host = host
        self._delays = delays
        self._rest = b""
        self.count = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.write(f"GET /stream?kinds=request HTTP/1.1\r\nhost: {self._host}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        now, data = time.perf_counter_ns(), self._rest + data
        complete = data.rfind(b"\n\n") + 2
        data, self._rest = data[:complete], data[complete:]
        if (found := _SENT.search(data)) is not None:
            self._delays.append((now - int(found[1])) / 1e6)
            self.count += data.count(b'"query":"t=')


async def _measure(base: str, readers: int, rate: int, seconds: float) -> None:
    parts, loop = urlsplit(base), asyncio.get_running_loop()
    delays: list[float] = []
    protocols = []
    for _ in range(readers):
        _, protocol = await loop.create_connection(
            lambda: _Reader(parts.netloc, delays), parts.hostname or "", parts.port or 80
        )
        protocols.append(protocol)
    await asyncio.sleep(1)
    sent = sum(await asyncio.gather(*(_sender(parts.netloc, rate / CONNECTIONS, seconds) for _ in range(CONNECTIONS))))
    await asyncio.sleep(1)
    delays.sort()
    arrived = sum(protocol.count for protocol in protocols) / (sent * readers)
    print(json.dumps([delays[len(delays) // 2], delays[int(len(delays) * 0.99)], arrived]))


async def _sender(netloc: str, rate: float, seconds: float) -> int:
    host, _, port = netloc.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    started, count = time.perf_counter(), round(rate * seconds)
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        head = f"POST /b/bench?t={time.perf_counter_ns()} HTTP/1.1\r\nhost: {netloc}\r\ncontent-length: 2\r\n\r\nok"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
    writer.close()
    return count


if __name__ == "__main__":
    uvloop.run(_measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
