"""Mutated messages over real sockets: never a 5xx or a traceback, and what was answered 2xx is in the bin."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable

import pytest

from tests.support import PATIENCE, Server
from tests.wire import connected

MESSAGES = (
    b'POST /b/fuzz HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a": 12}',
    b"POST /b/fuzz/x?y=1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: z\r\n\r\n"
    b'4;ext="1"\r\nabcd\r\n0\r\nz: 1\r\n\r\n',
    b"GET /b/fuzz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b/fuzz?again HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PUT http://localhost/b/fuzz HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /b/fuzz HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
    b"patch /b/fuzz HTTP/1.1\r\nHost: localhost\r\nX-A: \xff\xfe\r\nX-A: b\r\nUpgrade: h2c\r\n"
    b"Connection: upgrade\r\n\r\n",
    b'POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 25\r\n\r\n{"type": "a", "data": {}}',
    b"POST /b/fuzz HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    b'Content-Length: 62\r\n\r\n--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1234567\r\n--x--',
)
INSERTED = (
    b"\r\n", b"\n", b"\0", b":", b" ", b"\t", b"%", b"\xff" * 20, b"a" * 3_000,
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Host: other\r\n", b"HTTP/1.1\r\n\r\n",
)  # fmt: skip


def mutated(chance: random.Random) -> bytes:
    message = bytearray(chance.choice(MESSAGES))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(message) + 1)
        match chance.randrange(5):
            case 0:
                message[at : at + 1] = chance.randbytes(1)
            case 1:
                del message[at : at + chance.randint(1, 9)]
            case 2:
                message[at:at] = chance.choice(INSERTED)
            case 3:
                message[at:at] = message[: chance.randrange(len(message) + 1)]
            case _:
                message += chance.randbytes(chance.randrange(30))
    return bytes(message)


def answered(server: Server, message: bytes) -> bytes:
    """All that is answered to it before the connection ends."""
    answers = bytearray()
    with connected(server) as connection:
        connection.settimeout(PATIENCE)
        try:
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65536):
                answers += data
        except ConnectionError:
            pass  # the server had seen enough
    return bytes(answers)


def statuses(answers: bytes) -> list[int]:
    return [int(answer[:3]) for answer in answers.split(b"HTTP/1.1 ")[1:] if answer[:3].isdigit()]


@pytest.mark.parametrize(
    "count", [200, pytest.param(10_000, marks=(pytest.mark.soak, pytest.mark.timeout(600)))], ids=["200", "10000"]
)
def test_no_mutated_message_is_a_fault_of_the_server(start_server: Callable[..., Server], count: int) -> None:
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    server = start_server("--max-requests", "1000000")
    server.post("/bins", {"name": "fuzz", "response": {"status": 299}})
    seen: Counter[int] = Counter()
    for _ in range(count):
        message = mutated(chance)
        answers = answered(server, message)
        told = statuses(answers)
        seen.update(told)
        assert all(status < 500 or status == 501 for status in told), f"{seed}: {message!r} got {answers!r}"
    print(f"{count} messages, seed {seed}: {dict(seen)}")
    kept = sum(len(page) for page in server.pages("/bins/fuzz/requests?status=299", limit=250))
    assert 0 < seen[299] <= kept, "what was answered is kept"
    assert "Traceback" not in server.log()
