"""Fairness at the door: a share for each peer, room for who comes first, and the longest idle gives way."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from hookbin.peers import peer_of
from hookbin.wire.connections import Connections, Waiting
from tests.support import PATIENCE, Server
from tests.wire import Wire, parsed, read_all

HALF = b"POST /b/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
"""Answered when it has begun."""


@contextmanager
def connected_from(server: Server, address: str, sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE, source_address=(address, 0)) as connection:
        connection.sendall(sent)
        if sent:
            assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        yield connection


def refusal(connection: socket.socket) -> Wire | None:
    """What the server says before anything is asked, if it says anything."""
    connection.settimeout(0.3)
    with suppress(TimeoutError):
        return parsed(read_all(connection))
    return None


def test_one_peer_gets_no_more_than_its_half_and_others_are_served(start_server: Callable[..., Server]) -> None:
    server = start_server("--max-connections", "40")
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connected_from(server, "127.0.0.2", HALF))
        answer = refusal(stack.enter_context(connected_from(server, "127.0.0.2")))
        assert answer is not None
        assert answer.status == 503
        assert answer.header("retry-after") == "1"
        assert b'"code":"overloaded"' in answer.body
        server.get("/bins")  # is answered


def test_when_all_are_taken_the_longest_idle_gives_way_and_requests_stay(start_server: Callable[..., Server]) -> None:
    server = start_server("--max-connections", "8", "--sender-timeout", "60")
    server.descriptors_at_rest()
    with ExitStack() as stack:
        busy = [stack.enter_context(connected_from(server, f"127.0.0.{2 + n // 3}", HALF)) for n in range(6)]
        oldest = stack.enter_context(connected_from(server, "127.0.0.4"))
        server.descriptors_at_rest()  # it was taken, and its time is another than that of the next
        younger = stack.enter_context(connected_from(server, "127.0.0.5"))
        server.descriptors_at_rest()

        stack.enter_context(connected_from(server, "127.0.0.6", HALF))
        assert read_all(oldest) == b""
        stack.enter_context(connected_from(server, "127.0.0.7", HALF))
        assert read_all(younger) == b""
        stack.enter_context(connected_from(server, "127.0.0.8", HALF))
        told = [answer for answer in map(refusal, busy[:3]) if answer is not None]  # of one peer, and of one age
        assert [answer.status for answer in told] == [503]
        busy[5].settimeout(PATIENCE)
        busy[5].sendall(bytes(1000))
        assert parsed(busy[5].recv(65_536)).status == 200
    assert {request["incomplete"] for request in server.captured("x")} == {True, False}


# The rule alone


class Connection:
    """One that is idle, or has a request."""

    def __init__(self, address: str, waits_since: Waiting | None) -> None:
        self.address = address
        self.waits_since = waits_since
        self.gave_way = False

    def looked_at(self) -> None: ...

    def give_way(self) -> None:
        self.waits_since = None
        self.gave_way = True


class Door:
    """`most` may be in, of which a tenth is for `::1`; 127.0.0.1 is a proxy. Each comes a second later."""

    def __init__(self, most: int) -> None:
        self.connections = Connections(most=most, patience=60, is_proxy="127.0.0.1".__eq__, comes_first="::1".__eq__)
        self.inside: list[Connection] = []

    def call_later(self, *_: object) -> None: ...

    def time(self) -> float:
        return 1_000.0 + len(self.inside)

    def come(self, address: str, since: float | None = None, *, has_begun: bool = False) -> bool:
        self.inside.append(Connection(address, None if since is None else (has_begun, since)))
        return self.connections.admit(self.inside[-1], self.inside, self)  # type: ignore[arg-type]


def test_the_last_tenth_is_kept_for_who_comes_first() -> None:
    door = Door(20)
    assert [door.come(f"192.0.2.{number}") for number in range(18)] == [True] * 18

    assert not door.come("192.0.2.99")
    door.connections.leave(door.inside.pop())
    assert [door.come("::1") for _ in range(3)] == [True, True, False]


def test_those_that_wait_for_a_request_give_way_one_by_one_the_longest_first() -> None:
    door = Door(4)
    for number, since in enumerate([5.0, None, 3.0, 4.0]):
        door.come(f"192.0.2.{number}", since)

    assert [door.come(f"198.51.100.{number}") for number in range(3)] == [True] * 3
    assert [each.gave_way for each in door.inside[:4]] == [True, False, True, True]
    assert not door.come("198.51.100.9")


def test_then_those_of_the_peer_that_has_most_whose_senders_are_not_done_the_oldest_first() -> None:
    door = Door(8)
    for number in range(3):
        door.come("192.0.2.1", 5.0 - number, has_begun=True)
    for number in range(5):
        door.come(f"192.0.2.{number % 2 + 2}", 1.0, has_begun=True)

    assert door.come("198.51.100.1")
    assert [each.gave_way for each in door.inside[:4]] == [False, False, True, False]


def test_who_has_most_itself_gets_nothing_of_the_others() -> None:
    door = Door(4)
    for number in range(4):
        door.come(f"192.0.2.{number // 2}", 1.0, has_begun=True)

    assert not door.come("192.0.2.0")


def test_who_leaves_gives_its_share_back() -> None:
    door = Door(4)
    assert [door.come("192.0.2.1") for _ in range(3)] == [True, True, False]
    for connection in door.inside:
        door.connections.leave(connection)
    door.inside.clear()

    assert door.come("192.0.2.1")


def test_those_behind_a_trusted_proxy_have_no_share() -> None:
    door = Door(4)

    assert [door.come("127.0.0.1") for _ in range(5)] == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_a_peer_is_an_address_or_a_customer_s_network(address: str, peer: str) -> None:
    assert peer_of(address) == peer
