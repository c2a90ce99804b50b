"""SIGTERM: everything ends soon, and nothing is lost."""

from __future__ import annotations

import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import httpx
import pytest

from tests.support import Server, eventually
from tests.wire import connected, parsed, read_all

SOON = 5.0
"""Seconds in which a server that was asked to stop has stopped."""


def slow(server: Server, seconds: int) -> str:
    """A new bin of another server that answers so late."""
    made = server.post("/bins", {"response": {"delay_ms": seconds * 1_000}}).json()
    return f"{server.url}/b/{made['id']}"


def has_come(server: Server, url: str) -> bool:
    return len(server.captured(url.rpartition("/")[2])) == 1


def what_came(stream: httpx.Response) -> Iterator[bytes]:
    """All chunks until the connection ends, in whichever way."""
    try:
        yield from stream.iter_bytes()
    except httpx.RemoteProtocolError:
        return


def stop(server: Server, number: int = signal.SIGTERM) -> None:
    """Ask it to stop; fails when that takes long, ends badly or leaves a traceback."""
    started = time.monotonic()
    assert server.stop(number) == 0
    assert time.monotonic() - started < SOON
    assert "Traceback" not in server.log()
    assert "never" not in server.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_at_once(start_server: Callable[..., Server], number: int) -> None:
    stop(start_server(), number)


def test_a_server_with_a_stream_open_and_a_delivery_under_way_stops_and_loses_nothing(
    start_server: Callable[..., Server], server: Server
) -> None:
    stopping, url = start_server(), slow(server, 30)
    webhook = stopping.register(url, ping=False)
    stopping.register(f"{stopping.url}/b/own", ping=False)
    with (
        httpx.Client(base_url=stopping.url, trust_env=False, verify=False, timeout=30) as client,
        client.stream("GET", "/stream") as stream,
    ):
        accepted = stopping.post("/events", {"type": "a", "data": 1}).json()
        eventually(lambda: has_come(server, url))
        eventually(lambda: stopping.deliveries(state="succeeded"))
        stop(stopping)
        read = list(what_came(stream))
    assert any(b"event: attempt" in chunk for chunk in read)
    again = start_server()
    (delivery,) = again.deliveries(webhook=webhook["id"])
    assert (delivery["event_id"], delivery["state"]) == (accepted["id"], "pending")
    assert len(again.captured("own")) == 1


def test_a_delivery_that_is_answered_in_time_is_recorded_before_the_end(
    start_server: Callable[..., Server], server: Server
) -> None:
    stopping, url = start_server(), slow(server, 1)
    webhook = stopping.register(url, ping=False)
    stopping.post("/events", {"type": "a", "data": 1})
    eventually(lambda: has_come(server, url))
    stop(stopping)
    (delivery,) = start_server().deliveries(webhook=webhook["id"])
    assert (delivery["state"], delivery["attempt_count"]) == ("succeeded", 1)


def test_a_capture_whose_answer_is_delayed_is_kept_and_answered(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.post("/bins", {"name": "slow", "response": {"delay_ms": 30_000, "status": 202}})
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(server.post("/b/slow").status_code))
    thread.start()
    eventually(lambda: server.get("/bins/slow")["request_count"] == 1)
    stop(server)
    thread.join()
    assert answers == [202]


def test_half_a_request_holds_nothing_up_and_what_came_of_its_body_is_kept(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.post("/bins", {"name": "half"})
    with connected(server), connected(server) as head, connected(server) as body, connected(server) as api:
        head.sendall(b"POST /b/half HTTP/1.1\r\nHost: x\r\nX-")
        for connection, path in ((body, "/b/half"), (api, "/events?type=half")):
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc".encode())
        server.get("/bins/half")  # comes in behind what was sent above
        stop(server)
        for answer in (parsed(read_all(connection)) for connection in (body, api)):
            assert (answer.status, answer.header("retry-after")) == (503, "1")
            assert b'"code":"shutting_down"' in answer.body
    again = start_server()
    (captured,) = again.captured("half")
    assert (captured["incomplete"], captured["body"]["text"], captured["answer"]) == (True, "abc", None)
    assert again.get("/events")["data"] == []


def test_a_flood_of_pipelined_requests_holds_nothing_up(start_server: Callable[..., Server]) -> None:
    server = start_server()
    ending = threading.Event()

    def flood() -> None:
        with connected(server) as connection, suppress(OSError):
            threading.Thread(target=take, args=(connection,)).start()
            while not ending.is_set():
                connection.sendall(b"POST /b/flood HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" * 1_000)

    def take(connection: socket.socket) -> None:
        with suppress(OSError):
            while connection.recv(65_536):
                pass

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    eventually(lambda: server.captured("flood"))
    stop(server)
    ending.set()
    for thread in threads:
        thread.join()


def test_what_was_acknowledged_until_the_end_is_there(start_server: Callable[..., Server]) -> None:
    server = start_server()
    kept: list[str] = []
    ending = threading.Event()

    def post(name: str) -> None:
        with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
            number = 0
            while not ending.is_set():
                number += 1
                try:
                    if client.post("/b/load", content=f"{name}-{number}").is_success:
                        kept.append(f"{name}-{number}")
                except httpx.TransportError:
                    return

    threads = [threading.Thread(target=post, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    eventually(lambda: len(kept) > 200)
    stop(server)
    ending.set()
    for thread in threads:
        thread.join()
    with closing(sqlite3.connect(server.database)) as connection:
        bodies = [bytes(body).decode() for (body,) in connection.execute("SELECT body FROM requests")]
    assert set(kept) <= set(bodies)
    assert len(bodies) == len(set(bodies))
