"""Answers that go wrong on the wire, as a client without any library sees them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from tests.support import PATIENCE, Server, eventually
from tests.wire import connected, exchange, parsed, read_all

BODY = "0123456789"
ASK = b"POST /b/%b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"


def make(server: Server, fault: str, **response: Any) -> bytes:
    """A request to a bin with this fault."""
    name = f"{fault}-{len(server.get('/bins')['data'])}"
    made = server.post("/bins", {"name": name, "response": {"fault": fault, "body": BODY, **response}})
    assert made.status_code == 201, made.text
    return ASK % name.encode()


def captured(server: Server, request: bytes) -> Any:
    """What was kept of the one request that was sent."""
    (found,) = eventually(lambda: server.captured(request.split()[1].decode().removeprefix("/b/")))
    assert found["body"]["text"] == "hello"
    return found["answer"]


@pytest.mark.parametrize("fault", ["reset", "empty", "garbage"])
def test_what_comes_is_a_reset_or_an_end_without_a_byte_or_no_http(server: Server, fault: str) -> None:
    request = make(server, fault)

    with connected(server) as connection:
        connection.sendall(request)
        with pytest.raises(ConnectionResetError) if fault == "reset" else nullcontext():
            answer = read_all(connection)
            assert bool(answer) == (fault == "garbage")
            assert not answer.startswith(b"HTTP/")

    assert captured(server, request) == {"status": None, "rule": None, "delay_ms": 0, "fault": fault, "error": None}


def test_truncate_announces_more_than_it_sends(server: Server) -> None:
    request = make(server, "truncate", status=201)

    wire = exchange(server, request)

    assert (wire.status, wire.header("content-length"), wire.body) == (201, "10", b"01234")
    assert captured(server, request)["status"] == 201


def test_truncate_of_an_empty_body_announces_a_byte(server: Server) -> None:
    wire = exchange(server, make(server, "truncate", body=""))

    assert (wire.header("content-length"), wire.body) == ("1", b"")


def test_drip_sends_the_body_a_byte_at_a_time_and_leaves_the_connection_good_for_more(server: Server) -> None:
    request = make(server, "drip", body="abc")
    pieces: list[bytes] = []
    with connected(server) as connection:
        connection.sendall(request)
        while not b"".join(pieces).endswith(b"\r\n\r\nabc"):
            pieces.append(connection.recv(65536))
            assert pieces[-1]
        connection.sendall(b"GET /b/after-a-drip HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert parsed(read_all(connection)).status == 200

    assert parsed(b"".join(pieces)).status == 200
    assert [piece for piece in pieces if len(piece) == 1][-2:] == [b"b", b"c"]


def test_what_hangs_is_kept_and_ends_when_the_server_stops(start_server: Callable[..., Server]) -> None:
    server = start_server()
    request = make(server, "hang")
    with connected(server) as connection:
        connection.sendall(request)
        eventually(lambda: len(server.captured(request.split()[1].decode().removeprefix("/b/"))) == 1)
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(PATIENCE)

        assert server.stop() == 0
        assert read_all(connection) == b""
    assert "Traceback" not in server.log()


def test_a_sender_may_give_up_on_what_hangs(server: Server) -> None:
    request = make(server, "hang")
    with connected(server) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b""

    assert captured(server, request)["fault"] == "hang"


def test_a_fault_can_be_one_step_of_a_sequence(server: Server) -> None:
    steps = [{"fault": "reset"}, {"status": 200}]
    server.post("/bins", {"name": "once-reset", "response": {"sequence": steps}})

    with pytest.raises(httpx.TransportError):
        server.post("/b/once-reset")

    assert server.post("/b/once-reset").status_code == 200
    answers = [captured["answer"] for captured in server.captured("once-reset")]
    assert [(answer["rule"], answer["status"], answer["fault"]) for answer in answers] == [
        ("sequence[0]", None, "reset"),
        ("sequence[1]", 200, None),
    ]
