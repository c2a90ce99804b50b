"""`/stream`: everything as it happens, resumed without loss or repeat, ended without waiting."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any

import httpx
import pytest

from tests.support import PATIENCE, Server, eventually, sse
from tests.wire import check_problem, connected, parsed, pipelined, read_all

Message = tuple[str | None, str, Any]


@contextmanager
def following(server: Server, query: str = "", *, after: int | None = None) -> Iterator[Iterator[Message]]:
    """What the stream says, beginning behind `after` if given."""
    headers = {} if after is None else {"last-event-id": str(after)}
    url = f"{server.url}/stream{query}"
    with httpx.stream("GET", url, headers=headers, timeout=PATIENCE, trust_env=False, verify=False) as response:
        assert response.status_code == 200
        lines = response.iter_lines()
        assert next(lines) == "retry: 1000"
        yield sse(lines)


def capture(server: Server, bin: str, count: int = 1) -> None:
    pipelined(server, [f"/b/{bin}"] * count)


def position(server: Server) -> int:
    """The number of the newest row: that of an event made for the purpose."""
    seq: int = server.post("/events", {"type": "position", "data": None}).json()["seq"]
    return seq


# What it says


def test_a_capture_an_event_and_an_attempt_come_with_their_number_in_order(server: Server) -> None:
    server.register(f"{server.url}/b/told", events=["told"], ping=False)
    with following(server, "?kinds=request,event,attempt") as messages:
        event = server.publish("told")
        (first, second, third) = islice(messages, 3)

    assert (first[0], first[1]) == (str(event["seq"]), "event")
    assert {key: event[key] for key in first[2]} == first[2]
    assert [second[1], third[1]] == ["request", "attempt"]
    assert int(str(first[0])) < int(str(second[0])) < int(str(third[0]))
    (captured,) = server.captured("told")
    assert second[2] == {key: captured[key] for key in second[2]}
    delivery = server.get(f"/deliveries/{event['deliveries'][0]['id']}")
    assert third[2] == {key: delivery["attempts"][0][key] for key in third[2]}
    for message in (first, second, third):
        assert message[2]["seq"] == int(str(message[0]))
        assert not {"headers", "body", "request", "response"} & message[2].keys()


def test_bins_and_webhooks_come_without_a_number(server: Server) -> None:
    with following(server, "?kinds=bin,webhook") as messages:
        bin = server.post("/bins", {"name": "announced"}).json()
        webhook = server.register(bin["url"], ping=False, disabled=True)
        server.request("DELETE", f"/webhooks/{webhook['id']}")
        server.request("DELETE", "/bins/announced")
        told = list(islice(messages, 4))

    secret = webhook.pop("secret")
    assert told == [
        (None, "bin", bin),
        (None, "webhook", webhook),
        (None, "webhook", {"id": webhook["id"], "deleted": True}),
        (None, "bin", {"id": bin["id"], "deleted": True}),
    ]
    assert secret not in str(told)


def test_it_is_an_event_stream_that_nothing_stores_or_holds_back(server: Server) -> None:
    with httpx.stream("GET", f"{server.url}/stream", trust_env=False, verify=False) as response:
        headers = response.headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"


# What one asks for


def test_a_follower_of_a_bin_hears_of_nothing_else(server: Server) -> None:
    capture(server, "followed")
    with following(server, "?bin=followed&kinds=request,event") as messages:
        capture(server, "ignored")
        server.publish("ignored")
        capture(server, "followed")

        _, kind, row = next(messages)

    assert kind == "request"
    assert row["target"] == "/b/followed"


@pytest.mark.parametrize(
    "query",
    ["kinds=", "kinds=x", "kinds=request,", "kinds=request&kinds=event", "colour=red"]
    + [f"after={after}" for after in ("-1", "x", "1.5", "", "9223372036854775807", "9" * 30)],
)
def test_a_query_that_is_wrong_is_a_422(server: Server, query: str) -> None:
    check_problem(server.request("GET", f"/stream?{query}"), 422, "invalid_fields", loc=query.partition("=")[0])


# Resuming


@pytest.mark.parametrize("way", ["header", "query"])
def test_what_happened_meanwhile_is_told_first(server: Server, way: str) -> None:
    server.register(f"{server.url}/b/missed", events=[f"missed.{way}"], ping=False)
    begin = position(server)
    event = server.publish(f"missed.{way}")
    eventually(lambda: server.deliveries(event=event["id"], state="succeeded"))

    query, after = ("", begin) if way == "header" else (f"?after={begin}", None)
    with following(server, query, after=after) as messages:
        capture(server, "missed")
        told = list(islice(messages, 4))

    assert [kind for _, kind, _ in told] == ["event", "request", "attempt", "request"]
    assert [int(str(id)) for id, _, _ in told] == sorted(int(str(id)) for id, _, _ in told)


def test_the_header_wins_over_the_query(server: Server) -> None:
    """The query is that of the first connection; a browser sends the header with each further one."""
    begin = position(server)
    capture(server, "header-wins", 3)

    with following(server, f"?kinds=request&after={begin}", after=begin + 2) as messages:
        assert next(messages)[0] == str(begin + 3)


@pytest.mark.parametrize("header", ["", "x", "-1", "1.5", "9" * 30, "١"])
def test_a_last_event_id_that_is_none_of_ours_begins_with_what_comes(server: Server, header: str) -> None:
    headers = [(b"last-event-id", header.encode())]
    url = f"{server.url}/stream?kinds=event"
    with httpx.stream("GET", url, headers=headers, timeout=PATIENCE, trust_env=False, verify=False) as response:
        lines = response.iter_lines()
        assert next(lines) == "retry: 1000"
        event = server.publish("none.of.ours")

        assert next(sse(lines))[2]["id"] == event["id"]


def test_nothing_is_lost_or_told_twice_however_often_one_reconnects(server: Server) -> None:
    """A sender goes on while the follower comes and goes at random."""
    total, bin = 600, "reconnected"
    begin = position(server)

    def send() -> None:
        for _ in range(total // 10):
            capture(server, bin, 10)

    sender = threading.Thread(target=send)
    sender.start()
    chance = random.Random(7)
    last = begin
    heard: list[int] = []
    while len(heard) < total:
        with following(server, "?kinds=request", after=last) as messages:
            for id, _, row in islice(messages, min(chance.randint(1, 40), total - len(heard))):
                last = int(str(id))
                heard.append(row["seq"])
    sender.join()

    captured = server.get(f"/bins/{bin}/requests?limit=250")["data"]
    assert len(heard) == total
    assert heard == sorted(set(heard))
    assert heard[-1] == captured[0]["seq"]
    assert server.get(f"/bins/{bin}")["request_count"] == total


def test_a_thousand_missed_rows_are_told_and_more_are_a_gap(start_server: Callable[..., Server]) -> None:
    server = start_server()
    capture(server, "many", 1001)

    with following(server, after=1) as messages:
        told = list(islice(messages, 1000))
    with following(server, after=0) as messages:
        gap = next(messages)
        capture(server, "many")
        next_one = next(messages)

    assert [id for id, _, _ in told] == [str(seq) for seq in range(2, 1002)]
    assert gap == ("1001", "gap", {"after": 0, "upto": 1001})
    assert next_one[:2] == ("1002", "request")


def test_what_a_follower_does_not_ask_for_makes_no_gap(start_server: Callable[..., Server]) -> None:
    server = start_server()
    capture(server, "quiet")
    begin = position(server)
    capture(server, "loud", 2500)
    capture(server, "quiet", 2)

    with following(server, "?bin=quiet&kinds=request", after=begin) as messages:
        capture(server, "quiet")
        told = list(islice(messages, 3))

    assert [(kind, row["target"]) for _, kind, row in told] == [("request", "/b/quiet")] * 3
    assert [row["seq"] for _, _, row in told] == [begin + 2501, begin + 2502, begin + 2503]


@pytest.mark.soak
def test_two_hundred_who_come_back_from_afar_hold_up_no_page(start_server: Callable[..., Server]) -> None:
    server = start_server("--max-requests", "30000")
    server.post("/bins", {"name": "empty"})
    for _ in range(20):
        capture(server, "loud", 1000)
    begin = position(server) - 20_000
    with ExitStack() as stack:
        followers = [stack.enter_context(connected(server)) for _ in range(200)]
        for number, follower in enumerate(followers):
            bin = "empty" if number % 2 else "loud"
            follower.sendall(f"GET /stream?after={begin}&bin={bin} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        waited = [server.request("GET", "/ui/bins/loud").elapsed.total_seconds() for _ in range(20)]
        eventually(lambda: server.metric("stream_subscribers") == 200)

    assert max(waited) < 2


def test_one_who_comes_from_another_database_is_told_of_a_gap(server: Server) -> None:
    now = position(server)

    with following(server, after=now + 1_000_000) as messages:
        id, kind, data = next(messages)

    assert (id, kind) == (str(now), "gap")
    assert data == {"after": now + 1_000_000, "upto": now}


# Ending


def test_a_head_ends_and_the_connection_can_be_used_again(server: Server) -> None:
    eventually(lambda: server.metric("stream_subscribers") == 0)  # those of other tests are gone
    with connected(server) as connection:
        connection.sendall(b"HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = connection.recv(65536)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = parsed(read_all(connection))

    assert parsed(head).status == 200
    assert parsed(head).header("content-type") == "text/event-stream; charset=utf-8"
    assert answer.body == b'{"status":"ok"}'
    assert server.metric("stream_subscribers") == 0


def test_a_follower_that_goes_away_while_much_is_told_is_forgotten_too(server: Server) -> None:
    for _ in range(5):
        with following(server, "?kinds=request") as messages:
            capture(server, "torrent", 50)
            next(messages)

    eventually(lambda: server.metric("stream_subscribers") == 0)
    assert "Traceback" not in server.log()
