"""Senders that stop halfway are waited for, but not for ever; answers that take their time are no matter of theirs."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from uvicorn.server import ServerState

from hookbin.wire.patience import LOOKS, MAX_PATIENCE, MIN_RATE
from hookbin.wire.server import WireProtocol
from tests.protocols import Transport, answering, opened
from tests.support import Server, eventually, sse
from tests.wire import connected, parsed, read_all

SERVER_FLAGS = ("--sender-timeout", "1", "--max-body", "1000")
HALF_A_BODY = b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
ASKED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW = {
    "silence": b"",
    "an empty line": b"\r\n",
    "half a method": b"P",
    "half a header": b"POST /b/head HTTP/1.1\r\nHost: x\r\nX-Slow",
    "half a body": b"POST /b/half HTTP/1.1\r\nHost: x\r\n" + HALF_A_BODY,
    "half a body by the lane": b"POST /b/known HTTP/1.1\r\nHost: x\r\n" + HALF_A_BODY,
    "a chunk": b"POST /b/chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "no body": b"POST /b/bodyless HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    "upgrade": b"POST /b/upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n" + HALF_A_BODY,
    "a body that is too large": b"POST /b/large HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + bytes(1001),
    "half an event": b"POST /events HTTP/1.1\r\nHost: localhost\r\n" + HALF_A_BODY,
    "half a form": b"POST /ui/sign-in HTTP/1.1\r\nHost: localhost\r\n" + HALF_A_BODY,
}
"""What is sent before the sender stops."""
ANSWERED = {
    "an empty line more": (ASKED, b"\r\n", "200"),
    "half a head more": (ASKED, b"GET /b", "200 408"),
    "the rest of a body that nobody reads": (
        b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na",
        b"b",
        "404",
    ),
}
"""What is sent and answered, what is sent then, which ends the keep-alive timeout, and all that is heard."""
OPEN = [
    (413, b"POST /b/open HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n" + b"x" * 2000),
    (408, b"POST /b/open HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"),
    (400, b"POST /b/open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n?\r\n"),
    (400, b"POST /b/open HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"),
    (431, b"POST /b/open HTTP/1.1\r\n" + b"X: 1\r\n" * 3000 + b"\r\n"),
    (500, b"POST /b/open/fails HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    (200, b"GET /b/open?challenge=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
]
"""Requests to a bin that is open to any page, and what each is answered with."""
ELSEWHERE = [message.replace(b"/open", b"/other") for _, message in OPEN]


@pytest.fixture(scope="module")
def answers(server: Server) -> dict[str | bytes, bytes]:
    """What each of these hears until its connection is closed; they wait all at once."""
    rule = {"when": {"path": "/fails"}, "template": True, "body": "{{ request.json.a }}"}
    response = {"cors": True, "rules": [rule], "handshake": {"provider": "dropbox"}}
    server.post("/bins", {"name": "open", "response": response}).raise_for_status()
    server.post("/bins", {"name": "known"}).raise_for_status()
    told: dict[str | bytes, tuple[bytes, ...]] = {name: (start,) for name, start in SLOW.items()}
    told |= {name: (start, more) for name, (start, more, _) in ANSWERED.items()}
    told |= {message: (message,) for message in (*(message for _, message in OPEN), *ELSEWHERE)}
    with ThreadPoolExecutor(len(told)) as pool:
        return dict(zip(told, pool.map(lambda pieces: heard(server, *pieces), told.values()), strict=True))


def heard(server: Server, start: bytes, *more: bytes) -> bytes:
    received = b""
    with connected(server) as connection:
        connection.sendall(start)
        for piece in more:
            received += connection.recv(65536)
            connection.sendall(piece)
        return received + read_all(connection)


def check_timed_out(received: bytes) -> None:
    answer = parsed(received)
    assert answer.status == 408
    assert answer.header("connection") == "close"
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("content-length") == str(len(answer.body))
    assert b'"code":"sender_timed_out"' in answer.body


@pytest.mark.parametrize("start", ["silence", "an empty line"])
def test_a_connection_on_which_no_request_begins_is_closed(answers: dict[str | bytes, bytes], start: str) -> None:
    assert answers[start] == b""


@pytest.mark.parametrize("start", ["half a method", "half a header"])
def test_a_head_that_does_not_end_gets_a_408(server: Server, answers: dict[str | bytes, bytes], start: str) -> None:
    check_timed_out(answers[start])

    assert server.captured("head") == []


@pytest.mark.parametrize(
    ("start", "bin", "kept"),
    [
        ("half a body", "half", "{"),
        ("half a body by the lane", "known", "{"),
        ("a chunk", "chunked", "abc"),
        ("no body", "bodyless", ""),
        ("upgrade",) * 2 + ("{",),
    ],
    ids=["declared", "by the lane", "chunked", "nothing of it", "upgrade"],
)
def test_a_body_that_stands_still_is_kept_as_incomplete_and_gets_a_408(
    server: Server, answers: dict[str | bytes, bytes], start: str, bin: str, kept: str
) -> None:
    check_timed_out(answers[start])

    (captured,) = eventually(lambda: server.captured(bin))
    assert (captured["incomplete"], captured["body"]["text"]) == (True, kept)
    assert captured["answer"]["status"] == 408


def test_any_page_may_read_every_answer_of_a_bin_that_is_open_to_them(answers: dict[str | bytes, bytes]) -> None:
    for status, message in OPEN:
        answer = parsed(answers[message])
        assert answer.status == status
        assert answer.header("access-control-allow-origin") == answer.header("access-control-expose-headers") == "*"
    for message in ELSEWHERE:
        assert parsed(answers[message]).header("access-control-allow-origin") is None


@pytest.mark.parametrize("start", ["half an event", "half a form"])
def test_a_call_whose_body_stands_still_gets_a_408_and_does_nothing(
    server: Server, answers: dict[str | bytes, bytes], start: str
) -> None:
    check_timed_out(answers[start])

    assert server.get("/events")["data"] == []
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("start", ANSWERED)
def test_a_connection_that_was_used_is_kept_no_longer_for_less_than_a_request(
    answers: dict[str | bytes, bytes], start: str
) -> None:
    assert re.findall(r"HTTP/1.1 (\d+)", answers[start].decode()) == ANSWERED[start][-1].split()


def test_the_rest_of_a_body_that_was_answered_is_not_waited_for(answers: dict[str | bytes, bytes]) -> None:
    assert parsed(answers["a body that is too large"]).status == 413


def wait_for_a_timeout(server: Server) -> None:
    """Until a connection that was opened now has timed out."""
    with connected(server) as connection:
        assert read_all(connection) == b""


def test_answers_that_take_their_time_are_not_timed_out(server: Server) -> None:
    server.post("/bins", {"name": "delays", "response": {"delay_ms": 2500, "status": 202}}).raise_for_status()
    server.post("/bins", {"name": "hangs", "response": {"fault": "hang"}}).raise_for_status()
    with (
        httpx.Client(base_url=server.url, trust_env=False, verify=False, timeout=20) as client,
        client.stream("GET", "/stream?kinds=event") as stream,
        connected(server) as delayed,
        connected(server) as hanging,
    ):
        delayed.sendall(b"POST /b/delays HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        hanging.sendall(b"POST /b/hangs HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for_a_timeout(server)
        wait_for_a_timeout(server)
        assert parsed(read_all(delayed)).status == 202
        hanging.setblocking(False)
        with pytest.raises(BlockingIOError):
            hanging.recv(1)
        server.post("/events", {"type": "still.there", "data": 1})
        assert next(sse(stream.iter_lines()))[2]["type"] == "still.there"


def test_a_reader_of_the_stream_that_takes_nothing_is_cut_off_without_a_word(server: Server) -> None:
    long = b"POST /b/long/%b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" % (b"x" * 200_000)
    with connected(server) as reader, connected(server) as sender:
        reader.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: server.metric("stream_subscribers") == 1)
        sender.sendall((long + b"\r\n") * 49 + long + b"Connection: close\r\n\r\n")
        assert read_all(sender).count(b"HTTP/1.1 200 OK\r\n") == 50
        eventually(lambda: server.metric("stream_subscribers") == 0)

    assert "Traceback" not in server.log()


# The protocol alone, looked at as often as the test likes


async def looks_until_closed(protocol: WireProtocol, transport: Transport, *, piece: bytes, most: int) -> int:
    looks = 0
    while not transport.closed and looks < most:
        protocol.data_received(piece)
        protocol.looked_at()
        await asyncio.sleep(0)
        looks += 1
    return looks


@pytest.mark.anyio
async def test_a_head_has_its_time_in_all_however_it_comes() -> None:
    protocol, transport = opened()
    protocol.data_received(b"GET /")

    assert await looks_until_closed(protocol, transport, piece=b"a", most=1000) == LOOKS + 1
    check_timed_out(transport.written)


@pytest.mark.anyio
async def test_a_body_that_moves_has_more_time_but_not_for_ever() -> None:
    protocol, transport = opened(patience=LOOKS)
    protocol.data_received(b"POST /b/x HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")

    piece = bytes(MIN_RATE)
    assert await looks_until_closed(protocol, transport, piece=piece, most=10_000) == LOOKS * MAX_PATIENCE + 1
    check_timed_out(transport.written)


@pytest.mark.anyio
async def test_a_body_that_comes_slower_than_the_least_rate_is_timed_out() -> None:
    protocol, transport = opened(patience=LOOKS)
    protocol.data_received(b"POST /b/x HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")

    assert await looks_until_closed(protocol, transport, piece=bytes(MIN_RATE - 1), most=10_000) == LOOKS + 1
    check_timed_out(transport.written)


@pytest.mark.anyio
async def test_many_requests_on_one_connection_are_no_slow_one() -> None:
    state = ServerState()
    protocol, transport = opened(answering, state)
    for _ in range(10 * LOOKS):
        protocol.data_received(b"POST /b/x HTTP/1.1\r\nContent-Length: 2\r\n\r\na")
        protocol.looked_at()
        protocol.data_received(b"a")
        await asyncio.gather(*state.tasks)

    assert not transport.closed


@pytest.mark.anyio
async def test_a_request_that_is_whole_waits_for_its_answer_as_long_as_that_takes() -> None:
    protocol, transport = opened()
    protocol.data_received(b"POST /b/x HTTP/1.1\r\nContent-Length: 1\r\n\r\na")

    await looks_until_closed(protocol, transport, piece=b"", most=100 * LOOKS)
    protocol.data_received(b"GET /half-of-the-next")
    await looks_until_closed(protocol, transport, piece=b"", most=100 * LOOKS)

    assert not transport.closed
