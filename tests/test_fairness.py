"""A destination that hangs beside one that answers, with a real server and real sockets."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx

from tests.support import Server, eventually


def publish(server: Server, type: str, count: int) -> None:
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client, ThreadPoolExecutor(8) as pool:
        for response in pool.map(lambda _: client.post("/events", json={"type": type, "data": None}), range(count)):
            assert response.status_code == 202, response.text


def seconds(delivery: Any) -> float:
    """From publishing to the end of the delivery."""
    created, finished = (datetime.fromisoformat(delivery[name]) for name in ("created_at", "finished_at"))
    return (finished - created).total_seconds()


def test_hanging_destinations_with_500_deliveries_each_leave_the_p95_of_a_healthy_one_under_a_second(
    server: Server,
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as silent:
        destination = f"http://127.0.0.1:{silent.getsockname()[1]}/hook"
        for number in range(8):
            server.register(destination, events=[f"stuck.{number % 2}"], ping=False, max_in_flight=64, timeout=120)
        publish(server, "stuck.0", 500)
        publish(server, "stuck.1", 500)
        healthy = server.register(f"{server.url}/b/healthy", events=["fine"], ping=False)
        publish(server, "fine", 200)
        eventually(lambda: len(server.deliveries(webhook=healthy["id"], state="succeeded")) == 200)
        times = sorted(map(seconds, server.deliveries(webhook=healthy["id"])))
        assert times[int(len(times) * 0.95)] < 1
