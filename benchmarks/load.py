"""Load: POSTs of 1 KiB of JSON over a number of connections, for a number of seconds."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

BODY = ('{"event":"bench","data":"' + "x" * 997 + '"}').encode()
SECRET = "benchmark"
SIGNATURE = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
"""As GitHub signs; sent along always, so that a bin that checks it gets the same load as one that does not."""
_SCRIPT = f"""
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["x-hub-signature-256"] = "{SIGNATURE}"
wrk.body = '{BODY.decode()}'
done = function(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %d %f %f %f %d\\n", summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, bad))
end
"""
_RESULT = re.compile(r"RESULT (\d+) ([\d.]+) ([\d.]+) ([\d.]+) (\d+)")


@dataclass(frozen=True)
class Rate:
    """Requests per second, and the time that half and 99 % of them stayed under, in ms."""

    rate: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.rate:,.0f} ({self.p50:.1f}, {self.p99:.1f})"


def load(url: str, *, connections: int, seconds: float) -> Rate:
    """Raises `RuntimeError` when a request fails or is answered with anything but 2xx or 3xx."""
    if shutil.which("wrk"):
        return _wrk(url, connections=connections, seconds=seconds)
    return asyncio.run(_own(url, connections=connections, seconds=seconds))


def _wrk(url: str, *, connections: int, seconds: float) -> Rate:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", script.name, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = _RESULT.search(output)
    if found is None or found[5] != "0":
        raise RuntimeError(f"the load had failures:\n{output}")
    return Rate(int(found[1]) / float(found[2]), float(found[3]), float(found[4]))


async def _own(url: str, *, connections: int, seconds: float) -> Rate:
    ends = time.perf_counter() + seconds
    started = time.perf_counter()
    times = await asyncio.gather(*(_client(url, ends) for _ in range(connections)))
    took = time.perf_counter() - started
    ordered = sorted(chain.from_iterable(times))
    at = [1000 * ordered[int(len(ordered) * share)] for share in (0.5, 0.99)]
    return Rate(len(ordered) / took, *at)


async def _client(url: str, ends: float) -> list[float]:
    """One connection, one request after the other; the time of each in seconds."""
    parts = urlsplit(url)
    head = f"POST {parts.path or '/'} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
    request = f"{head}x-hub-signature-256: {SIGNATURE}\r\ncontent-length: {len(BODY)}\r\n\r\n".encode() + BODY
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    times = []
    try:
        while (started := time.perf_counter()) < ends:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if answer[9:10] != b"2":
                raise RuntimeError(f"the load had failures: {answer.decode('latin-1')}")
            length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            times.append(time.perf_counter() - started)
    finally:
        writer.close()
    return times
