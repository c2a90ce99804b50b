"""`kill -9` under load, again and again: what was acknowledged is there, and what was accepted is delivered."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.raw_receiver import Receiver
from tests.support import Server, eventually

ROUNDS = 4
SOAK_ROUNDS = 50
LONGEST_RUN = 1.2
"""Seconds of load before a kill, at most."""
FLAKY = [500 if number % 3 else 200 for number in range(60_000)]


class Load:
    """Threads that post and publish without a pause, and remember what the server acknowledged."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        works = (self._post, self._post, self._publish)
        self._threads = [threading.Thread(target=self._repeat, args=(work,)) for work in works]
        self.kept: list[str] = []
        """The bodies of requests that a bin answered with 2xx."""
        self.accepted: list[str] = []
        """The ids of events that were answered with 202."""
        self.refused: Counter[str] = Counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def _repeat(self, work: Callable[[httpx.Client], None]) -> None:
        """Do it until the load ends; it may fail, since the server is killed all the time."""
        while not self._stop.is_set():
            with httpx.Client(base_url=self._server.url, trust_env=False, verify=False, timeout=10) as client:
                try:
                    while not self._stop.is_set():
                        work(client)
                except httpx.TransportError as error:
                    self.refused[type(error).__name__] += 1
                    self._stop.wait(0.02)

    def _post(self, client: httpx.Client) -> None:
        body = uuid.uuid4().hex
        if client.post("/b/load", content=body).is_success:
            self.kept.append(body)

    def _publish(self, client: httpx.Client) -> None:
        response = client.post("/events", json={"type": "load", "data": {"random": uuid.uuid4().hex}})
        if response.status_code == 202:
            self.accepted.append(response.json()["id"])


def crash_again_and_again(server: Server, *, rounds: int, chance: random.Random) -> tuple[Load, Receiver]:
    receiver = Receiver(*FLAKY, 200)
    pause = threading.Event()
    with receiver.serving() as url:
        options: dict[str, Any] = {"retry_schedule": [0.2] * 50, "timeout": 5, "ping": False}
        server.register(f"{server.url}/b/mirror", **options)
        server.register(url, **options)
        load = Load(server)
        with load.running():
            for _ in range(rounds):
                pause.wait(chance.uniform(0.05, LONGEST_RUN))
                server.kill()
                server.start()
        eventually(lambda: not server.deliveries(state="pending"), within=90)
    assert server.stop() == 0
    return load, receiver


def check(database: Path, load: Load, receiver: Receiver) -> dict[str, Any]:
    """Asserts all that must hold, and returns numbers to print."""
    with closing(sqlite3.connect(database)) as connection:
        rows = _reader(connection)
        assert rows("PRAGMA integrity_check") == [("ok",)]

        bodies = Counter(
            bytes(body).decode()
            for (body,) in rows("SELECT body FROM requests JOIN bins ON key = bin WHERE name = 'load'")
        )
        assert [body for body in load.kept if bodies[body] != 1] == [], "every acknowledged request is there once"
        assert max(bodies.values()) == 1

        accepted = set(load.accepted)
        states = rows("SELECT event_id, webhook_id, state FROM deliveries")
        assert {state for _, _, state in states} == {"succeeded"}
        deliveries = Counter(event for event, _, _ in states)
        assert {event for event in accepted if deliveries[event] != 2} == set()

        mirrored = rows("SELECT headers FROM requests JOIN bins ON key = bin WHERE name = 'mirror'")
        at_bin = Counter(dict(json.loads(headers))["webhook-id"] for (headers,) in mirrored)
        at_receiver = Counter(headers["webhook-id"] for headers, _ in receiver.requests)
        assert accepted - set(at_bin) == set(), "every accepted event reached the bin under its id"
        assert accepted - set(at_receiver) == set(), "and the other receiver"

        numbers = defaultdict(list)
        for delivery, number in rows("SELECT delivery_id, number FROM attempts ORDER BY delivery_id, number"):
            numbers[delivery].append(number)
        for delivery, count in rows("SELECT id, attempt_count FROM deliveries"):
            assert numbers[delivery] == list(range(1, count + 1)), "attempt numbers have no gap"

        seqs = rows("SELECT seq FROM requests UNION ALL SELECT seq FROM events UNION ALL SELECT seq FROM attempts")
        assert len(seqs) == len(set(seqs)), "no number of the log was given twice"
        return {
            "acknowledged requests": len(load.kept),
            "requests in the bin": len(bodies),
            "accepted events": len(load.accepted),
            "events in the log": len(deliveries),
            "attempts": sum(map(len, numbers.values())),
            "events the bin got more than once": sum(count > 1 for count in at_bin.values()),
            "broken requests": dict(load.refused),
        }


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(start_server: Callable[..., Server]) -> None:
    _run(start_server, rounds=ROUNDS)


@pytest.mark.soak
@pytest.mark.timeout(420)
def test_nothing_acknowledged_is_lost_in_fifty_kills(start_server: Callable[..., Server]) -> None:
    _run(start_server, rounds=SOAK_ROUNDS)


def _run(start_server: Callable[..., Server], *, rounds: int) -> None:
    seed = random.randrange(1_000_000)
    server = start_server("--max-requests", "1000000")
    load, receiver = crash_again_and_again(server, rounds=rounds, chance=random.Random(seed))
    numbers = check(server.database, load, receiver)
    print(f"{rounds} kills, seed {seed}: {numbers}")
    assert "Traceback" not in server.log()
    assert len(load.kept) > 10 * rounds
    assert len(load.accepted) > 5 * rounds


def _reader(connection: sqlite3.Connection) -> Callable[[str], list[Any]]:
    return lambda sql: connection.execute(sql).fetchall()
