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
from urllib.parse import urlsplit

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
def hookbin(
    database: Path, *, core: int | None, prefix: tuple[str, ...] = (), options: tuple[str, ...] = ()
) -> Iterator[str]:
    """hookbin on a fresh database; `prefix` is put before its command line, `options` behind it."""
    port = free_port()
    command = [*prefix, sys.executable, "-m", "hookbin", "serve", "--port", str(port), "--database", str(database)]
    command += options
    with _process(command, f"http://127.0.0.1:{port}/healthz", core=core) as url:
        yield url.removesuffix("/healthz")


def processor_time(database: Path) -> float:
    """Seconds that the hookbin of this database has computed so far, on all its threads (Linux)."""
    process = database.with_name(database.name + ".lock").read_text().strip()
    spent = (task.joinpath("schedstat").read_text().split()[0] for task in Path(f"/proc/{process}/task").iterdir())
    return sum(map(int, spent)) / 1e9


@contextmanager
def follower(url: str) -> Iterator[None]:
    """Someone who reads the stream for as long as it lasts, at as little cost as can be: the load needs the core."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(f"GET /stream HTTP/1.1\r\nhost: {parts.netloc}\r\n\r\n".encode())
        if b" 200 " not in connection.recv(4096).partition(b"\r\n")[0]:
            raise RuntimeError("the stream did not open")
        thread = threading.Thread(target=_read_all, args=(connection,), daemon=True)
        thread.start()
        yield
        if not thread.is_alive():
            raise RuntimeError("the stream ended before the load did")
        connection.shutdown(socket.SHUT_RDWR)
        thread.join()


def _read_all(connection: socket.socket) -> None:
    buffer = bytearray(1024 * 1024)
    while connection.recv_into(buffer):
        pass


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
