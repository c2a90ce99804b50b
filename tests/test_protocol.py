"""One connection: where its requests end, whatever pieces they come in, and what of them goes by the lane."""

from __future__ import annotations

import asyncio
import gc
import random
import tracemalloc
from contextlib import suppress

import httptools
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from hookbin.wire.exchange import Exchange, exchange_of
from hookbin.wire.head import MAX_HEAD, Head, Pairs, read_plain_head, read_whole
from hookbin.wire.lane import Taker
from hookbin.wire.message import FieldsTooLarge, MessageBroken, MessageReader
from tests.protocols import Transport, answering, opened

Request = tuple[str, str, bytes, Pairs]

PIPELINE = (
    b"POST /b/x HTTP/1.1\r\nContent-Length: 5\r\n\r\nfirst"
    b"\r\npatch /b/x?y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\r\n\r\r\n2;e=1\r\nde\r\n0\r\nA: b\r\n\r\n"
    b"POST /b/x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nhi\r\n0\r\n\r\n"
    b"GET /b/x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    b"CONNECT /b/x HTTP/1.1\r\n\r\n"
)
EXPECTED: list[Request] = [
    ("POST", "/b/x", b"first", []),
    ("patch", "/b/x?y", b"\r\n\rde", [("A", "b")]),
    ("POST", "/b/x", b"hi", []),
    ("GET", "/b/x", b"", []),
    ("CONNECT", "/b/x", b"", []),
]


class Seen:
    """An application that answers, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        exchange = exchange_of(scope)
        self.requests.append((scope["method"], exchange.target, body, exchange.trailers))
        exchange.answer(status=200, fields=b"content-length: 0\r\n", body=b"")


async def settled(state: ServerState) -> None:
    while state.tasks:
        await asyncio.gather(*state.tasks)


@pytest.mark.anyio
async def test_requests_are_the_same_in_whatever_pieces_they_come() -> None:
    chance = random.Random(7)
    for _ in range(300):
        cuts = sorted(chance.sample(range(1, len(PIPELINE)), chance.choice((0, 1, 2, 5, 40))))
        app, state = Seen(), ServerState()
        protocol, transport = opened(app, state)
        for start, end in zip([0, *cuts], [*cuts, len(PIPELINE)], strict=True):
            protocol.data_received(PIPELINE[start:end])
            await asyncio.sleep(0)
        await settled(state)

        assert app.requests == EXPECTED, cuts
        assert transport.written.count(b"HTTP/1.1 200 OK\r\n") == len(EXPECTED)


LINES = (
    *(b"Content-Length: 3", b"Content-Length: 03", b"content-length: 4", b"Content-Length: 3 ", b"Content-Length: -1"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, identity"),
    *(b"Transfer-Encoding : chunked", b"Transfer-Encoding:\tchunked", b"Transfer_Encoding: chunked", b" folded"),
    b"Transfer-Encoding: gzip\r\nConnection: upgrade\r\nUpgrade: h2c",
    *(b"Connection: close", b"Connection: upgrade\r\nUpgrade: h2c", b"A: \x00", b"A: b\rc", b"A: b\nB: c", b"A"),
    *(
        b"Connection: Keep-Alive",
        b"Proxy-Connection: close",
        b"A: b",
        b"a:b",
        b"A:  b\t",
        b"A: ",
        b"A: \xe9 c",
        b"\xe9: b",
    ),
)
BODIES = (
    b"",
    b"abc",
    b"abcd",
    b"0\r\n\r\n",
    b"3\r\nabc\r\n0\r\n\r\n",
    b"3\nabc\n0\n\n",
    b"3\r\nabc0\r\n\r\n",
    b"g\r\n",
)
NEXT = b"GET /smuggled HTTP/1.1\r\n\r\n"


class Judge:
    """llhttp by itself, given whole messages: what it makes of them, were there no word of an upgrade."""

    def __init__(self, message: bytes) -> None:
        self.bodies: list[bytes] = []
        self.ended = 0
        self.heads: list[Pairs] = []
        self.keep_alive: list[bool] = []
        self._parser = httptools.HttpRequestParser(self)
        with suppress(httptools.HttpParserError):
            self._parser.feed_data(message.replace(b"Upgrade", b"upgrayd"))

    def on_message_begin(self) -> None:
        self.bodies.append(b"")
        self.heads.append([])

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.keep_alive) < len(self.heads):  # or it is a trailer
            self.heads[-1].append((name.replace(b"upgrayd", b"Upgrade").decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.keep_alive.append(self._parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        self.bodies[-1] += body

    def on_message_complete(self) -> None:
        self.ended += 1


def our_reading(message: bytes) -> tuple[Head, bytes, bool] | None:
    """The head, the body and whether that is whole; None where the message is refused."""
    end = message.find(b"\r\n\r\n") + 4
    reader = MessageReader()
    try:
        head = reader.read_head(message[:end])
        if not reader.whole:
            reader.read_body(message[end:])
    except (MessageBroken, FieldsTooLarge):
        return None
    return head, reader.take_body(), reader.whole


def test_a_message_is_and_ends_as_the_parser_by_itself_says_plain_or_not() -> None:
    chance, taken, plain, in_one = random.Random(11), 0, 0, 0
    for _ in range(4_000):
        lines = [b"POST / HTTP/1.1", *chance.sample(LINES, chance.randint(0, 3)), b"", b""]
        message = b"\r\n".join(lines) + chance.choice(BODIES) + NEXT
        ours, judge = our_reading(message), Judge(message)
        if ours is not None:
            head, body, whole = ours
            taken += 1
            plain += read_plain_head(message[: message.find(b"\r\n\r\n") + 4]) is not None
            assert (judge.bodies[0], judge.ended > 0) == (body, whole), message
            assert (judge.heads[0], judge.keep_alive[0]) == (head.pairs, head.keep_alive), message
        if (piece := read_whole(message.removesuffix(NEXT))) is not None:
            in_one += 1
            assert (*piece, True) == ours, message

    assert taken - plain > 200 < plain
    assert in_one > 150


def test_a_body_of_many_chunks_is_not_taken_for_trailers() -> None:
    head, reader = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", MessageReader()
    reader.read_head(head)
    for _ in range(100):  # each piece ends behind the head of a chunk
        reader.read_body(b"2710\r\n")
        reader.read_body(b"x" * 10_000 + b"\r\n")
    reader.read_body(b"0\r\n\r\n")

    assert (reader.whole, len(reader.take_body())) == (True, 1_000_000)


@pytest.mark.anyio
async def test_requests_leave_no_cycles_behind() -> None:
    state = ServerState()
    protocol, _ = opened(answering, state)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10_000):
            protocol.data_received(b"POST /b/x HTTP/1.1\r\nA: b\r\nContent-Length: 2\r\n\r\nhi")
            await settled(state)
        assert gc.collect() < 100
    finally:
        gc.enable()
    assert state.total_requests == 10_000


@pytest.mark.anyio
async def test_a_head_of_tiny_headers_that_never_ends_costs_at_most_twice_its_bytes() -> None:
    protocol, transport = opened()
    tracemalloc.start()
    try:
        protocol.data_received(b"GET /b/x HTTP/1.1\r\n" + b"A:\r\n" * 1_000)
        for _ in range(60):
            protocol.data_received(b"A" * 4_096)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert not transport.closed
    assert held < 2 * MAX_HEAD


# The lane


class Lane:
    """Takes what is sent to /b/lane."""

    def __init__(self) -> None:
        self.taken: list[tuple[Exchange, Head, bytes]] = []

    def taker_of(self, head: Head) -> Taker | None:
        return self._take if head.target == "/b/lane" else None

    def _take(self, exchange: Exchange, head: Head, body: bytes) -> None:
        self.taken.append((exchange, head, body))


TO_LANE = b"POST /b/lane HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"


def answer(exchange: Exchange) -> None:
    exchange.answer(status=200, fields=b"content-length: 2\r\n", body=b"ok")


@pytest.mark.anyio
async def test_the_lane_is_given_what_it_wants_one_request_after_the_other() -> None:
    lane, state = Lane(), ServerState()
    protocol, transport = opened(answering, state, lane)

    protocol.data_received(TO_LANE + b"h")
    assert lane.taken == []
    protocol.data_received(b"i" + TO_LANE + b"ha" + b"GET /b/other HTTP/1.1\r\n\r\n")
    assert [body for _, _, body in lane.taken] == [b"hi"]
    answer(lane.taken[0][0])
    assert [body for _, _, body in lane.taken] == [b"hi", b"ha"]
    answer(lane.taken[0][0])  # once more: it is over
    answer(lane.taken[1][0])
    await settled(state)

    assert transport.written.count(b"HTTP/1.1 200 OK\r\n") == 3


@pytest.mark.parametrize("head", [b"Transfer-Encoding: chunked", b"Content-Length: 65537", b"Expect: 100-continue"])
@pytest.mark.anyio
async def test_the_lane_is_not_asked_about_what_is_not_plain(head: bytes) -> None:
    lane = Lane()
    protocol, _ = opened(lane=lane)
    protocol.data_received(b"POST /b/lane HTTP/1.1\r\n" + head + b"\r\n\r\n0\r\n\r\n")

    assert lane.taken == []


@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.anyio
async def test_what_the_lane_waits_for_and_never_comes_is_the_applications(stops: bool) -> None:
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            seen.append(message["body"])

    lane, state = Lane(), ServerState()
    protocol, _ = opened(app, state, lane)
    protocol.data_received(TO_LANE + b"h")
    if stops:
        protocol.shutdown()
    protocol.connection_lost(None)
    await settled(state)

    assert (lane.taken, seen) == ([], [b"h"])


@pytest.mark.anyio
async def test_an_answer_of_the_lane_closes_where_the_sender_or_the_stop_wants_it() -> None:
    lane = Lane()
    protocol, transport = opened(lane=lane)
    protocol.data_received(TO_LANE + b"hi" + TO_LANE + b"ha")
    protocol.shutdown()
    answer(lane.taken[0][0])

    assert transport.closed
    assert b"connection: close\r\n" in transport.written
    assert len(lane.taken) == 1


class Closed(Transport):
    """As uvloop's: it takes no write once it is closed."""

    def write(self, data: bytes) -> None:
        if self.closed:
            raise RuntimeError("unable to perform operation; the handler is closed")
        super().write(data)


@pytest.mark.anyio
async def test_what_is_sent_while_the_sender_goes_is_no_error() -> None:
    told, failures = asyncio.Event(), []

    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await told.wait()
        try:
            await send({"type": "http.response.body", "body": b"more", "more_body": True})
        except RuntimeError as error:
            failures.append(error)

    state = ServerState()
    protocol, transport = opened(streaming, state, transport=Closed())
    protocol.data_received(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.sleep(0)
    told.set()  # the application goes on before it can hear of the end
    transport.close()
    protocol.connection_lost(None)
    await settled(state)
    assert failures == []
