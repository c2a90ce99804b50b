"""`GET /bins/{bin}/wait`: answers as soon as enough requests of a kind are there, and says what lacks when not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hookbin.client.remote import Remote, RemoteError
from hookbin.live.waiters import MAX_WAITERS
from tests.support import PATIENCE, Server, eventually
from tests.wire import check_problem, connected


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def make(server: Server, name: str) -> str:
    server.post("/bins", {"name": name})
    return name


def send(server: Server, bin: str, path: str = "", **options: Any) -> None:
    server.request("POST", f"/b/{bin}{path}", **options).raise_for_status()


def wait(server: Server, bin: str, query: str) -> httpx.Response:
    return server.request("GET", f"/bins/{bin}/wait?{query}", timeout=PATIENCE)


def begun(server: Server, pool: ThreadPoolExecutor, bin: str, query: str) -> Future[httpx.Response]:
    """A call that is known to wait."""
    before = server.metric("waiters")
    waiting = pool.submit(wait, server, bin, query)
    eventually(lambda: server.metric("waiters") > before)
    return waiting


def targets(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [request["target"].split("/", 3)[3] for request in response.json()["data"]]


def test_what_is_already_there_counts_in_full(server: Server) -> None:
    bin = make(server, "there")
    for n in range(3):
        send(server, bin, f"/{n}", json={"n": n})
    response = wait(server, bin, "count=2&timeout=0")
    assert targets(response) == ["1", "2"]
    assert response.json()["data"][0]["body"]["text"] == '{"n":1}'
    assert ["Content-Type", "application/json"] in response.json()["data"][0]["headers"]


def test_the_answer_comes_with_the_request_that_was_waited_for(server: Server, aside: ThreadPoolExecutor) -> None:
    bin = make(server, "comes")
    send(server, bin, "/orders/1", json={"type": "paid"})
    waiting = begun(server, aside, bin, "count=2&timeout=20&path=/orders/*&json=type==paid&method=POST")
    send(server, bin, "/orders/2", json={"type": "made"})
    send(server, bin, "/users/3", json={"type": "paid"})
    assert not waiting.done()
    send(server, bin, "/orders/4", json={"type": "paid"})
    send(server, bin, "/orders/5", json={"type": "paid"})
    assert targets(waiting.result()) == ["orders/1", "orders/4"]


def test_with_after_only_what_comes_later_counts(server: Server, aside: ThreadPoolExecutor) -> None:
    bin = make(server, "later")
    send(server, bin, "/early")
    id = server.get(f"/bins/{bin}/requests")["data"][0]["id"]
    waiting = begun(server, aside, bin, f"timeout=20&after={id}")
    send(server, bin, "/late")
    assert targets(waiting.result()) == ["late"]
    assert targets(wait(server, bin, f"timeout=0&after={id}")) == ["late"]


def test_every_condition_holds_for_what_comes_too(server: Server, aside: ThreadPoolExecutor) -> None:
    bin = make(server, "each")
    conditions = "q=HELLO&header=x-kind:a*&query=id:7&status=2xx&signature=unchecked&pinned=false&since=-1m"
    waiting = begun(server, aside, bin, f"timeout=20&{conditions}&json=deep.list[1]==2")
    body = {"text": "hello", "deep": {"list": [1, 2]}}
    send(server, bin, "/no?id=7", json=body)
    send(server, bin, "/x?id=7", json=body, headers={"X-Kind": "abc"})
    assert targets(waiting.result()) == ["x?id=7"]


def test_after_the_timeout_the_nearest_misses_say_what_they_lack(server: Server) -> None:
    bin = make(server, "misses")
    send(server, bin, "/users/1", json={"type": "made"})
    send(server, bin, "/orders/1", json={"type": "made"})
    response = wait(server, bin, "timeout=0.05&path=/orders/*&json=type==paid&header=x-kind")
    problem = check_problem(response, 408, "wait_timed_out")
    assert "0 of 1" in problem["detail"]
    assert [miss["target"] for miss in problem["nearest"]] == ["/b/misses/orders/1", "/b/misses/users/1"]
    assert problem["nearest"][0]["failed"] == ["header x-kind: it is not there", 'json type=="paid": "made"']
    assert "path /orders/*: /users/1" in problem["nearest"][1]["failed"]


def test_the_client_gives_what_came_and_the_nearest_misses(server: Server) -> None:
    bin = make(server, "asked")
    send(server, bin, "/here", json={"id": 7})
    with Remote(server.url, token=None) as remote:
        (found,) = remote.wait(bin, timeout=1, json=["id==7"], count=1)
        with pytest.raises(RemoteError) as missed:
            remote.wait(bin, timeout=0, json=["id==8"], header=["x-kind"])

    assert found["path"] == "/b/asked/here"
    assert [miss["failed"] for miss in missed.value.nearest or ()] == [
        ["header x-kind: it is not there", "json id==8: 7"]
    ]


def test_where_nothing_came_the_problem_has_no_misses(server: Server) -> None:
    bin = make(server, "silent")
    assert "nearest" not in check_problem(wait(server, bin, "timeout=0"), 408, "wait_timed_out")


@pytest.mark.parametrize(
    ("query", "loc"),
    [("count=0", "count"), ("count=51", "count"), ("timeout=301", "timeout"), ("timeout=nan", "timeout"),
     ("after=bin_1", "after"), ("json=a[", "json[0]"), ("limit=1", "limit")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(server: Server, query: str, loc: str) -> None:
    bin = make(server, "senseless")
    check_problem(wait(server, bin, query), 422, "invalid_fields", loc=loc)


def test_one_who_hangs_up_waits_no_longer_and_there_is_a_bound(start_server: Callable[..., Server]) -> None:
    server = start_server()
    bin = make(server, "crowded")
    crowd = [connected(server) for _ in range(MAX_WAITERS)]
    connections = [one.__enter__() for one in crowd]
    for connection in connections:
        connection.sendall(f"GET /bins/{bin}/wait?timeout=300 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    eventually(lambda: server.metric("waiters") == MAX_WAITERS)
    check_problem(wait(server, bin, "timeout=1"), 503, "too_many_waiting")
    for one in crowd:
        one.__exit__(None, None, None)
    eventually(lambda: server.metric("waiters") == 0)
    assert wait(server, bin, "timeout=0").status_code == 408


def test_a_server_that_stops_lets_everyone_go(start_server: Callable[..., Server], aside: ThreadPoolExecutor) -> None:
    server = start_server()
    bin = make(server, "ended")
    waiting = begun(server, aside, bin, "timeout=300")
    server.stop()
    check_problem(waiting.result(), 503, "shutting_down")
