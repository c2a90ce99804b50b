"""Large uploads: kept up to the limit, refused when there are too many, and never a burden on memory."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive

from hookbin.capture.read_body import FREE, MemoryBudget, read_body
from tests.support import Server, eventually
from tests.wire import connected, parsed

MIB = 1024 * 1024
pytestmark = pytest.mark.anyio


def memory(server: Server) -> int:
    """The most bytes that the server ever had in memory (VmHWM, proc(5))."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def zeros(size: int) -> Iterator[bytes]:
    for _ in range(size // MIB):
        yield bytes(MIB)


@pytest.mark.parametrize("size", [256 * MIB, pytest.param(1024 * MIB, marks=pytest.mark.soak)], ids=["256", "1024"])
def test_an_upload_far_over_the_limit_costs_little_memory(start_server: Callable[..., Server], size: int) -> None:
    server = start_server()
    server.request("POST", "/b/warm", content=b"x" * MIB)
    before = memory(server)

    answer = httpx.post(
        f"{server.url}/b/huge",
        content=zeros(size),
        headers={"content-length": str(size)},
        trust_env=False,
        verify=False,
        timeout=100,
    )

    (captured,) = server.captured("huge")
    assert answer.status_code == 413
    assert (captured["size"], captured["truncated"], captured["declared_size"]) == (10 * MIB, True, size)
    assert memory(server) - before < 64 * MIB


def upload(server: Server, number: int, size: int) -> tuple[int, str | None]:
    """The status that 5 MiB get, and when to come back; 0 when the connection broke before it was seen."""
    head = f"POST /b/crowd/{number} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    with connected(server) as connection:
        with suppress(ConnectionError):
            connection.sendall(head.encode())
            for _ in range(size // MIB):
                connection.sendall(b"%c" % (number % 256) * MIB)
        received = b""
        with suppress(ConnectionError):
            while data := connection.recv(65536):
                received += data
    if not received:
        return 0, None
    answer = parsed(received)
    return answer.status, answer.header("retry-after")


def test_a_hundred_uploads_at_once_are_each_kept_whole_or_refused(start_server: Callable[..., Server]) -> None:
    server = start_server()
    before = memory(server)

    with ThreadPoolExecutor(100) as pool:
        answers = dict(enumerate(pool.map(lambda number: upload(server, number, 5 * MIB), range(100))))

    rows = server.get("/bins/crowd/requests?limit=250")["data"]
    kept = {int(row["path"].rpartition("/")[2]): row for row in rows}
    assert {status for status, _ in answers.values()} <= {200, 503}
    assert kept.keys() == {number for number, (status, _) in answers.items() if status == 200}
    assert kept
    assert all(after == "1" for status, after in answers.values() if status == 503)
    assert all((row["size"], row["truncated"], row["incomplete"]) == (5 * MIB, False, False) for row in kept.values())
    assert memory(server) - before < 400 * MIB
    assert server.metric("draining_bytes") == 0


def test_uploads_that_are_broken_off_give_their_room_back(server: Server) -> None:
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
    for connection in connections:
        connection.sendall(b"POST /b/gone HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + bytes(MIB))
    eventually(lambda: server.metric("draining_bytes") > 4 * MIB)
    for connection in connections:
        connection.close()

    eventually(lambda: server.metric("draining_bytes") == 0)

    assert all(captured["incomplete"] for captured in server.captured("gone"))


async def test_small_bodies_pass_when_there_is_no_memory_for_large_ones() -> None:
    budget = MemoryBudget(FREE)
    with budget.reserve() as others:
        assert others.grow(2 * FREE)
        with budget.reserve() as memory:
            small = await read_body(_messages(bytes(FREE // 2), bytes(FREE // 2)), limit=10 * MIB, memory=memory)
            large = await read_body(_messages(bytes(FREE), b"x"), limit=10 * MIB, memory=memory)

        assert (len(small.body), small.refused) == (FREE, False)
        assert (large.body, large.refused, large.unread) == (b"", True, False)
        assert budget.taken == FREE
    assert budget.taken == 0


def _messages(*pieces: bytes) -> Receive:
    left = list(pieces)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive
