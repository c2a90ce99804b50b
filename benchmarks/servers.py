"""The two sides that are measured, each in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
_FLOOR = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
quiet = {"access_log": False, "log_level": "error"}
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", ws="none", lifespan="off", **quiet)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def floor(*, core: int) -> Iterator[str]:
    """A bare application that reads the body and answers ok."""
    port = free_port()
    with _process([sys.executable, "-c", _FLOOR, str(port)], f"http://127.0.0.1:{port}/", core=core) as url:
        yield url


@contextmanager
def hookbin(database: Path, *, core: int | None, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """hookbin on a fresh database; `prefix` is put before its command line."""
    port = free_port()
    command = [*prefix, sys.executable, "-m", "hookbin", "serve", "--port", str(port), "--database", str(database)]
    with _process(command, f"http://127.0.0.1:{port}/healthz", core=core) as url:
        yield url.removesuffix("/healthz")


@contextmanager
def follower(url: str) -> Iterator[None]:
    """Someone who reads the stream for as long as it lasts."""
    stopped = threading.Event()

    def follow() -> None:
        with httpx.Client(trust_env=False, timeout=None) as client:
            while not stopped.is_set():
                try:
                    with client.stream("GET", f"{url}/stream") as response:
                        response.raise_for_status()
                        for _ in response.iter_raw():
                            if stopped.is_set():
                                return
                except httpx.TransportError:
                    stopped.wait(0.1)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()


@contextmanager
def _process(command: list[str], url: str, *, core: int | None) -> Iterator[str]:
    def pin() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})

    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, preexec_fn=pin, start_new_session=True)
    try:
        _wait_until_up(url, process)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # strace keeps a signal of its own from what it runs
        process.wait(timeout=10)


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"the server at {url} did not come up")
