"""Connections to receivers, on both event loops: what is used again, and what is seen of them."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import threading
from contextlib import suppress

import httpx
import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from hookbin.dispatch.sender import Sent
from hookbin.models.deliveries import ErrorClass, Timings
from hookbin.wire.client import WireRequest, WireTransport, head_of
from hookbin.wire.client_connection import ClientConnection
from hookbin.wire.dialing import Dialer, race
from hookbin.wire.evidence import Evidence
from hookbin.wire.failure import Failure
from hookbin.wire.place import locate
from hookbin.wire.pool import MAX_IDLE
from hookbin.wire.resolver import Resolver
from hookbin.wire.tls import TlsLayer, trusting
from tests.raw_receiver import (
    LARGE,
    OK,
    Answer,
    RawReceiver,
    anyio_backend,
    hang_up,
    letting_nobody_in,
    listening,
    outcome,
    post,
    reset,
    say_nothing,
    seen,
    sending,
    with_status,
)

__all__ = ["anyio_backend"]
pytestmark = pytest.mark.anyio


class Seconds:
    """A monotonic clock that is turned by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


# Kept connections


async def test_a_connection_is_kept_for_its_origin_and_used_again() -> None:
    one, other = RawReceiver(OK), RawReceiver(OK)
    async with one.serving() as first, other.serving() as second, sending() as sender:
        for _ in range(3):
            for port in (first, second):
                assert (await post(sender, f"http://127.0.0.1:{port}/")).status == 200
    assert (one.connections, len(one.heads), other.connections) == (1, 3, 1)


@pytest.mark.parametrize(
    ("answer", "seconds", "connections"),
    [
        (OK, 3.9, 1),
        (OK, 4.1, 2),
        (with_status(200, b"", b"Keep-Alive: timeout=60"), 4.1, 2),
        (with_status(200, b"", b"Keep-Alive: timeout=2"), 1.9, 1),
        (with_status(200, b"", b"Keep-Alive: timeout=2"), 2.1, 2),
        (with_status(200, b"", b"Connection: close"), 0, 2),
    ],
)
async def test_how_long_a_connection_is_kept(answer: bytes, seconds: float, connections: int) -> None:
    receiver, clock = RawReceiver(answer), Seconds()
    async with receiver.serving() as port, sending(monotonic=clock) as sender:
        await post(sender, f"http://127.0.0.1:{port}/")
        clock.now += seconds
        sent = await post(sender, f"http://127.0.0.1:{port}/")
    assert sent.error is None
    assert receiver.connections == connections
    assert seen(sent)[1].reused is (connections == 1)


async def test_idle_connections_have_a_bound() -> None:
    receiver = RawReceiver(OK)
    async with receiver.serving() as port:
        url = f"http://127.0.0.1:{port}/"
        async with sending() as sender:
            await asyncio.gather(*[post(sender, url) for _ in range(MAX_IDLE + 20)])
            await asyncio.gather(*[post(sender, url) for _ in range(MAX_IDLE)])
    assert receiver.connections == MAX_IDLE + 20


@pytest.mark.parametrize("late", [OK, b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", b"x", b""])
async def test_what_comes_on_an_idle_connection_is_never_an_answer(late: bytes) -> None:
    said = asyncio.Event()
    again = asyncio.Event()

    async def answer_and_go_on(_: RawReceiver, writer: asyncio.StreamWriter) -> None:
        writer.write(with_status(503))
        await again.wait()
        writer.write(late)
        if not late:
            writer.write_eof()
        await writer.drain()
        said.set()

    receiver = RawReceiver(answer_and_go_on, with_status(202))
    async with receiver.serving() as port, sending() as sender:
        first = await post(sender, f"http://127.0.0.1:{port}/")
        again.set()
        await said.wait()
        second = await post(sender, f"http://127.0.0.1:{port}/")
    assert (first.status, second.status) == (503, 202)
    assert (receiver.connections, len(receiver.heads)) == (2, 2)


@pytest.mark.parametrize(
    ("how", "body"), [(reset, b"{}"), (reset, LARGE), (hang_up, b"{}"), (hang_up, LARGE), (say_nothing, b"{}")]
)
async def test_nothing_is_sent_twice_when_a_kept_connection_breaks(how: Answer, body: bytes) -> None:
    receiver = RawReceiver(OK, how, OK)
    async with receiver.serving() as port, sending() as sender:
        await post(sender, f"http://127.0.0.1:{port}/", body=body)
        sent = await post(sender, f"http://127.0.0.1:{port}/", body=body, seconds=0.5 if how is say_nothing else 5)
    if how is say_nothing:
        assert outcome(sent) == (None, ErrorClass.TIMEOUT)
    else:
        assert outcome(sent) == (None, ErrorClass.CONNECTION_RESET)
        assert sent.error_detail == "the receiver closed the kept connection"
    assert receiver.bodies == [body, body]


async def test_who_speaks_before_it_is_asked_is_asked_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _, sock = await race(["127.0.0.1"], listener.getsockname()[1])
        peer, _ = listener.accept()
        with peer:
            connection = ClientConnection(sock, "here")
            await connection.open()
            peer.sendall(OK)
            with pytest.raises(Failure, match="here spoke before it was asked") as raised:
                await connection.exchange("POST", b"POST / HTTP/1.1\r\n\r\n", b"", Evidence(Seconds()))
            peer.setblocking(False)
            with pytest.raises(BlockingIOError):
                peer.recv(1)
            connection.close()
    assert (raised.value.error, raised.value.raw) == (ErrorClass.PROTOCOL_ERROR, OK)


@pytest.mark.parametrize("spoken", [b"", OK])
async def test_by_tls_only_what_was_said_inside_counts_before_the_request(spoken: bytes) -> None:
    """Session tickets come unasked behind the handshake (RFC 8446, 4.6.1); they wait in the kernel here."""
    authority = trustme.CA()
    theirs, ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    authority.configure_trust(ours)

    said = threading.Event()

    def receive(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what was sent is there when `said` is set
        with theirs.wrap_socket(peer, server_side=True) as inside:
            inside.sendall(spoken)
            said.set()
            if inside.recv(1000):
                inside.sendall(OK)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiving = asyncio.create_task(asyncio.to_thread(receive, listener))
        _, sock = await race(["127.0.0.1"], listener.getsockname()[1])
        connection = ClientConnection(sock, "here")
        await connection.open()
        await connection.secure(TlsLayer(ours, "127.0.0.1"))
        assert select.select([sock], [], [], 20)[0]
        if spoken:
            assert said.wait(20)
            with pytest.raises(Failure, match="here spoke before it was asked"):
                await connection.exchange("POST", b"POST / HTTP/1.1\r\n\r\n", b"", Evidence(Seconds()))
        else:
            reader = await connection.exchange("POST", b"POST / HTTP/1.1\r\n\r\n", b"", Evidence(Seconds()))
            assert reader.status == 200
        connection.close()
        with suppress(OSError):
            await receiving


# An answer before the body is out


@pytest.mark.parametrize("how", ["held", "closed", "half-closed", "half-closed and read", "read"])
@pytest.mark.parametrize("framing", [b"Content-Length: 3\r\n", b""])
async def test_an_early_answer_counts_and_ends_the_sending(how: str, framing: bytes) -> None:
    taken = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\n" + framing + b"\r\nbig")
        await writer.drain()
        if "half" in how or (not framing and how != "closed"):
            writer.write_eof()
        while "read" in how and (data := await reader.read(65_536)):
            taken += len(data)
        if how != "closed":
            await asyncio.Event().wait()

    async with listening(refuse) as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/", body=LARGE)
    assert outcome(sent) == (413, None)
    assert sent.response_body == b"big"
    assert seen(sent)[0].sent is None
    assert taken < len(LARGE)


async def test_a_receiver_that_answers_at_once_and_reads_on_gets_all_of_it() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        await reader.readexactly(len(LARGE))
        writer.write(b"ok")

    async with listening(echo) as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/", body=LARGE)
    assert (sent.status, sent.response_body) == (200, b"ok")


# What is seen


async def test_the_phases_of_an_attempt_are_timed_and_the_address_kept() -> None:
    async with RawReceiver(OK).serving() as port, sending() as sender:
        first, second = [await post(sender, f"http://localhost:{port}/") for _ in range(2)]
    for sent, reused in ((first, False), (second, True)):
        times, connection = seen(sent)
        assert (connection.address, connection.reused, connection.tls) == (f"127.0.0.1:{port}", reused, None)
        phases = astuple(times)
        assert [phase is None for phase in phases] == [reused, reused, True, False, False, False]
        passed = [phase for phase in phases if phase is not None]
        assert passed == sorted(passed)


async def test_a_failure_through_httpx_s_interface_carries_what_was_seen() -> None:
    clock = Seconds()
    dialer = Dialer(resolver=Resolver(refusal=lambda _: None), tls=trusting(None))
    transport = WireTransport(dialer, monotonic=clock)
    async with RawReceiver(b"no HTTP\r\n\r\n").serving() as port:
        url = f"http://127.0.0.1:{port}/"
        request = WireRequest("POST", locate(url), (), b"", evidence=Evidence(clock), seconds=5.0)
        with pytest.raises(httpx.TransportError) as raised:
            await transport.handle_async_request(request)
    with pytest.raises(Failure, match="nothing listens") as refused:
        await transport.handle_async_request(
            WireRequest("POST", locate(url), (), b"", evidence=Evidence(clock), seconds=5.0)
        )
    await transport.aclose()
    assert isinstance(raised.value, Failure)
    assert raised.value.raw == b"no HTTP\r\n\r\n"
    assert raised.value.evidence is not None
    assert raised.value.evidence.timings() == Timings(connected=0, sent=0, first_byte=0)
    assert refused.value.evidence is not None
    assert raised.value.evidence.address == refused.value.evidence.address == f"127.0.0.1:{port}"


# Addresses


async def test_a_receiver_on_ipv6_is_reached_also_where_ipv4_comes_first() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    async with RawReceiver(OK).serving(host="::1") as port, sending() as sender:
        for host in ("[::1]", "localhost"):
            sent = await post(sender, f"http://{host}:{port}/hook")
            assert outcome(sent) == (200, None)
            assert seen(sent)[1].address == f"[::1]:{port}"
            assert dict(sent.request_headers)["host"] == f"{host}:{port}"


async def test_an_address_that_lets_nobody_in_holds_up_the_next_for_a_moment_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with letting_nobody_in("127.0.0.2", port):
            async with asyncio.timeout(5):
                address, sock = await race(["127.0.0.2", "127.0.0.1"], port)
            sock.close()
    assert address == "127.0.0.1"


# The bytes of a request


@pytest.mark.parametrize("method", ["M-SEARCH", "patch", "CONNECT"])
def test_a_head_goes_out_as_it_is_given(method: str) -> None:
    headers = (("Host", "a"), ("X-b", "\xe9\xff"), ("x-B", ""), ("X-b", " 1\t"))
    head = head_of(method, "/a?b", headers)
    assert head == f"{method} /a?b HTTP/1.1\r\nHost: a\r\nX-b: \xe9\xff\r\nx-B: \r\nX-b:  1\t\r\n\r\n".encode("latin-1")


@pytest.mark.parametrize(
    ("method", "target", "value"),
    [("GET X", "/", ""), ("", "/", ""), ("GET", "/ HTTP/1.1\r\nX: y", ""), ("GET", "/a b", "")]
    + [("GET", "/", value) for value in ("a\r\nb", "a\nb", "a\rb", "a\0b", "\u20ac")],
)
def test_what_would_read_as_something_else_is_not_sent(method: str, target: str, value: str) -> None:
    with pytest.raises(Failure) as raised:
        head_of(method, target, (("X-A", value),))
    assert raised.value.error is ErrorClass.UNSENDABLE


# Any receiver at all

STRAY = b"HTTP/1.1 299 Stray\r\nX-Of: stray\r\nContent-Length: 0\r\n\r\n"
_answers = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nX-Of: %d\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 204 No\r\nX-Of: %d\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 500 No\r\nX-Of: %d\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 200 OK\r\nX-Of: %d\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nX-Of: %d\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nX-Of: %d\r\nContent-Length: 9\r\n\r\ncut",
        b"SSH-2.0-x\r\n",
        b"",
    ]
)
_rubbish = st.just(b"") | st.binary(max_size=30) | st.just(b"HTTP/1.1 500 More\r\nX-Of: more\r\n\r\n")
_turns = st.tuples(_answers, _rubbish, st.lists(st.integers(0, 200), max_size=4), st.booleans(), st.booleans())


class AnyReceiver:
    """Answers each request with the next turn: bytes cut into pieces; then a half-close, or bytes nobody asked for."""

    def __init__(self, turns: list[tuple[bytes, bytes, list[int], bool, bool]]) -> None:
        self._turns = iter(turns)
        self.seen: list[int] = []
        self._quiet = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._turn(reader, writer):
                self._quiet.set()
        finally:
            self._quiet.set()
        while await reader.readuntil(b"\r\n\r\n"):
            self.seen.append(int(await reader.readexactly(1)))
            self._quiet.set()

    async def quiet(self) -> None:
        """All of the last turn is said, and has left the event loop, which may write it a little later."""
        await self._quiet.wait()
        self._quiet.clear()
        for _ in range(3):
            await asyncio.sleep(0)

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readuntil(b"\r\n\r\n")
        number = int(await reader.readexactly(1))
        self.seen.append(number)
        answer, rubbish, cuts, ends, strays = next(self._turns)
        data = answer % number + rubbish if b"%d" in answer else answer
        places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        for begin, end in zip(places, places[1:], strict=False):
            if not writer.transport.is_closing():  # as it is for what was wrong with the answer
                writer.write(data[begin:end])
            await asyncio.sleep(0)
        if writer.transport.is_closing():
            return False
        if ends or not answer or b"cut" in answer or b"end" in answer or b"SSH" in answer:
            with suppress(OSError):
                writer.write_eof()
            return False
        if strays:
            writer.write(STRAY)
        return True


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(_turns, min_size=1, max_size=5))
async def test_each_attempt_is_one_request_and_its_outcome_is_of_its_own_answer(
    turns: list[tuple[bytes, bytes, list[int], bool, bool]],
) -> None:
    receiver = AnyReceiver(turns)
    sent: list[Sent] = []
    async with listening(receiver) as port, sending() as sender:
        for number in range(len(turns)):
            sent.append(await post(sender, f"http://127.0.0.1:{port}/", body=b"%d" % number, seconds=3.0))
            async with asyncio.timeout(3):
                await receiver.quiet()
    for number, each in enumerate(sent):
        assert each.timings is not None
        assert receiver.seen.count(number) == (0 if each.timings.sent is None else 1)
        of = [value for name, value in each.response_headers or () if name == "X-Of"]
        assert of in ([], [str(number)]), "an answer of another request"
        assert (each.status is None) == (each.error is not None)
        assert each.error is not ErrorClass.TIMEOUT
