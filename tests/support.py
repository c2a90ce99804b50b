"""What the tests share: a real server in a process of its own, a clock to turn, a receiver to answer."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx

from hookbin.cli.main import main

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 20.0
"""Seconds after which a condition that should have come true has failed."""
FORKED = multiprocessing.get_context("forkserver")
"""Starts a process from one that has imported all modules already, which takes ten times as long as the rest."""
FORKED.set_forkserver_preload([__name__])


def eventually(condition: Callable[[], T], *, within: float = PATIENCE) -> T:
    """The first truthy thing that `condition` returns; fails when none comes in time."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"this did not come true within {within:g} s: {condition}")
        pause.wait(0.02)


class FakeClock:
    """A clock that stands still until `advance` turns it; `wait` returns when it has come far enough.

    `set` is what somebody does who sets the machine's clock: nobody wakes of it.
    """

    def __init__(self, now: int = 1_790_000_000_000_000) -> None:
        self._now = now
        self._ticks = 7_000_000_000
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now(self) -> int:
        return self._now

    def ticks(self) -> int:
        return self._ticks

    def monotonic(self) -> float:
        return self._ticks / 1_000_000

    async def wait(self, event: asyncio.Event, *, until: int | None) -> None:
        if until is not None:
            if until <= self._ticks:
                return
            self._sleepers.append((until, event))
        await event.wait()

    def advance(self, seconds: float) -> None:
        self.set(seconds)
        self._ticks += round(seconds * 1_000_000)
        for until, event in self._sleepers:
            if until <= self._ticks:
                event.set()
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._ticks]

    def set(self, seconds: float) -> None:
        """Set the time of day forward, or back."""
        self._now += round(seconds * 1_000_000)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Server:
    """A hookbin of its own, as a user would start it. Use it as a context manager."""

    def __init__(self, database: Path, *flags: str, port: int | None = None, env: dict[str, str] | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.database = database
        self._flags = flags
        self._env = env or {}
        self._process = FORKED.Process()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._lives():
            self.kill()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def start(self) -> None:
        arguments = ["serve", "--port", str(self.port), "--database", str(self.database), *self._flags]
        self._process = FORKED.Process(
            target=_run, args=(arguments, self._log_file, {**os.environ, **self._env}), daemon=True
        )
        self._process.start()
        eventually(self._answers)

    def _answers(self) -> bool:
        assert self._lives(), f"the server ended: {self.log()}"
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz", trust_env=False, verify=False).status_code == 200
        except httpx.TransportError:
            return False

    def _lives(self) -> bool:
        return self._process.is_alive()

    def descriptors_at_rest(self) -> set[int]:
        """Those of its process, once none has come or gone for a while: what was asked of it at its start is over."""
        seen: list[set[int]] = []

        def has_settled() -> bool:
            seen.append({int(descriptor.name) for descriptor in Path(f"/proc/{self.pid}/fd").iterdir()})
            return len(seen) > 10 and all(each == seen[-1] for each in seen[-10:])

        eventually(has_settled)
        return seen[-1]

    def kill(self) -> None:
        """As `kill -9`."""
        self._process.kill()
        self._process.join()

    def stop(self, *signals: int) -> int:
        """As SIGTERM, or these signals; returns the exit code."""
        for number in signals or (signal.SIGTERM,):
            os.kill(self.pid, number)
        self._process.join(PATIENCE)
        assert self._process.exitcode is not None, "it goes on"
        return self._process.exitcode

    def log(self) -> str:
        """All that it printed, to stdout and stderr."""
        return self._log_file.read_text()

    @property
    def _log_file(self) -> Path:
        return self.database.parent / f"log-{self.port}.txt"

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, self.url + path, trust_env=False, verify=False, **options)

    def call(self, method: str, path: str, content: Any = None, *, json: Any = None, **headers: str) -> httpx.Response:
        """Names of header fields have `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(method, path, content=content, json=json, headers=named)

    def get(self, path: str, **options: Any) -> Any:
        response = self.request("GET", path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, json_body: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, json=json_body, **options)

    def patch(self, path: str, json_body: Any) -> httpx.Response:
        return self.request("PATCH", path, json=json_body)

    def metric(self, name: str) -> float:
        lines = self.request("GET", "/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"hookbin_{name} "))

    def register(self, destination: str, **options: Any) -> Any:
        """The webhook, as the API gave it."""
        body = {"name": "test", "destination": destination, **options}
        response = self.post("/webhooks", body)
        assert response.status_code == 201, response.text
        return response.json()

    def publish(self, type: str, data: Any = None) -> Any:
        """The event, as the API gave it."""
        response = self.post("/events", {"type": type, "data": data})
        assert response.status_code == 202, response.text
        return response.json()

    def pages(self, path: str, *, limit: int) -> Iterator[Any]:
        """Each page of a list in turn; something new may be made between two."""
        cursor = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{cursor}")
            yield page["data"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def deliveries(self, **query: str) -> list[Any]:
        found: list[Any] = self.get("/deliveries", params={"limit": "250", **query})["data"]
        return found

    def captured(self, bin: str) -> list[Any]:
        """Every request of a bin in full, oldest first; none while there is no such bin."""
        response = httpx.get(f"{self.url}/bins/{bin}/requests", params={"limit": "250"}, trust_env=False, verify=False)
        rows = [] if response.status_code == 404 else response.json()["data"]
        return [self.get(f"/requests/{row['id']}") for row in reversed(rows)]


def _run(arguments: list[str], log: Path, environment: dict[str, str]) -> None:
    """What the command `hookbin` does, with a file to print to."""
    with log.open("ab") as file:
        for printed in (1, 2):
            os.dup2(file.fileno(), printed)
    os.environ.clear()
    os.environ.update(environment)
    main(arguments, prog_name="hookbin")


class SpawnedServer(Server):
    """One in an interpreter of its own, for what that reads of its environment when it starts."""

    def start(self) -> None:
        command = [sys.executable, "-m", "hookbin", "serve", "--port", str(self.port), "--database", str(self.database)]
        with self._log_file.open("ab") as log:
            self._interpreter = subprocess.Popen(
                [*command, *self._flags], stdout=log, stderr=log, cwd=ROOT, env={**os.environ, **self._env}
            )
        eventually(self._answers)

    def kill(self) -> None:
        self._interpreter.kill()
        self._interpreter.wait()

    def _lives(self) -> bool:
        return self._interpreter.poll() is None


def sse(lines: Iterator[str]) -> Iterator[tuple[str | None, str, Any]]:
    """`(id, event, data)` of each server-sent event in a stream of lines."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "data" in fields:
                yield fields.get("id"), fields.get("event", "message"), json.loads(fields["data"])
            fields = {}
