"""Deliveries through a network that breaks everything: each ends, and the log has every request that arrived."""

from __future__ import annotations

import random
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing

import httpx
import pytest

from tests.chaos import FAULTS, Chaos
from tests.support import Server, eventually

WEBHOOKS = 10


@pytest.mark.parametrize(
    "events", [150, pytest.param(10_000, marks=(pytest.mark.soak, pytest.mark.timeout(900)))], ids=["150", "10000"]
)
def test_every_event_ends_and_every_request_is_in_the_log(start_server: Callable[..., Server], events: int) -> None:
    seed = random.randrange(1_000_000)
    server, chaos = start_server(), Chaos(seed)
    with chaos.running() as url:
        for number in range(WEBHOOKS):
            options = {"retry_schedule": [0.05] * 40, "timeout": 0.5, "ping": False, "events": [f"chaos.{number}"]}
            server.register(url, max_in_flight=32, **options)
        with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
            for number in range(events):
                answer = client.post("/events", json={"type": f"chaos.{number % WEBHOOKS}", "data": number})
                assert answer.status_code == 202
        eventually(lambda: not server.deliveries(state="pending"), within=60 + events / 20)
    assert server.stop() == 0

    attempts = defaultdict(list)
    with closing(sqlite3.connect(server.database)) as connection:
        logged = "SELECT event_id, attempts.status, response_body FROM attempts JOIN deliveries ON id = delivery_id"
        for event, status, body in connection.execute(f"{logged} ORDER BY number"):
            attempts[event].append((status, body))
        outcomes = dict(connection.execute("SELECT event_id, state FROM deliveries"))
    print(f"{events} events, seed {seed}: {sum(map(len, attempts.values()))} attempts, {dict(chaos.faults)}")

    assert set(outcomes.values()) == {"succeeded"}
    assert len(outcomes) == events
    assert set(chaos.faults) == {fault.__name__ for fault in FAULTS}
    assert {event for event, count in chaos.receiver.received.items() if count > len(attempts[event])} == set()
    for event, told in attempts.items():
        *before, (_, answered) = told
        assert chaos.receiver.accepted[event] > 0, "a success is one that the receiver gave"
        named = {id.decode() for id in re.findall(rb"evt_\w{26}", answered)}
        assert not named & (outcomes.keys() - {event}), "and to this event"
        assert all(status is None or status >= 500 for status, _ in before), "nothing is sent again after a success"
    assert "Traceback" not in server.log()
