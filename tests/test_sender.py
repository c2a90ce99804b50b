"""One attempt over real sockets: what goes out, what is kept of the answer, and how a failure is named."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import trustme

from hookbin.delivery.headers import MASK
from hookbin.delivery.targets import Policy
from hookbin.dispatch.request_headers import USER_AGENT
from hookbin.dispatch.sender import RESPONSE_BYTES, Sender, Sent
from hookbin.errors import StartError
from hookbin.models.common import Headers
from hookbin.models.deliveries import ErrorClass, attempt_id
from hookbin.wire.resolver import MAX_LOOKUPS
from hookbin.wire.tls import trusting
from tests.builders import SECRET, a_webhook, an_event
from tests.support import free_port

pytestmark = pytest.mark.anyio
OPEN = Policy(allow_private=True)
EXPOSED = Policy(allow_private=False)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[["Wire", asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """A receiver that speaks bytes: it keeps each request as it came and answers as it is told."""

    def __init__(self, *answers: bytes | Answer) -> None:
        self._answers = list(answers)
        self._writers: list[asyncio.StreamWriter] = []
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0

    @asynccontextmanager
    async def serving(self, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Its port, while it serves."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(value) for name, value in fields(head) if name.lower() == "content-length"), 0)
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def fields(head: bytes) -> list[tuple[str, str]]:
    """The header pairs of a request's head, as they stand there."""
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


def with_status(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d Whatever" % status, *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


async def abort(wire: Wire, writer: asyncio.StreamWriter) -> None:
    """Reset the connection."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise ConnectionResetError


async def hang_up(wire: Wire, writer: asyncio.StreamWriter) -> None:
    writer.close()
    raise ConnectionResetError


async def say_nothing(wire: Wire, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(wire: Wire, writer: asyncio.StreamWriter) -> None:
    """A byte of the body every tenth of a second: never silent for long, never done."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.1)


@asynccontextmanager
async def sending(
    policy: Policy = OPEN, *, is_own: Callable[[str], bool] = lambda url: False, **options: Any
) -> AsyncIterator[Sender]:
    sender = Sender(policy=policy, is_own=is_own, **options)
    try:
        yield sender
    finally:
        await sender.aclose()


async def post(
    sender: Sender, url: str, *, body: bytes = b"{}", seconds: float = 5.0, headers: Headers = (), **changes: Any
) -> Sent:
    webhook = a_webhook(destination=url, timeout=seconds, headers=headers)
    event = an_event(body=body, **changes)
    return await sender.send(webhook, event, delivery_id="dlv_1", number=2, timestamp=1_790_000_000)


async def exchange(*answers: bytes | Answer, **options: Any) -> Sent:
    """Post once to a receiver that answers like that."""
    wire = Wire(*answers)
    async with wire.serving() as port, sending() as sender:
        return await post(sender, f"http://127.0.0.1:{port}/hook", **options)


@pytest.mark.parametrize("status", [200, 201, 204, 299, 400, 404, 410, 429, 500, 503, 599])
async def test_an_answer_is_kept_with_its_status(status: int) -> None:
    sent = await exchange(with_status(status, b"" if status == 204 else b"hello"))
    assert (sent.status, sent.error) == (status, None)
    assert sent.response_body == (b"" if status == 204 else b"hello")
    assert not sent.response_truncated


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_recorded_and_not_followed(status: int) -> None:
    there = Wire(OK)
    async with there.serving() as port:
        location = b"Location: http://127.0.0.1:%d/there" % port
        sent = await exchange(with_status(status, b"moved", location))
    assert sent.status == status
    assert sent.response_headers
    assert ("Location", location.decode()[10:]) in sent.response_headers
    assert there.connections == 0


async def test_the_answers_headers_are_kept_in_order_case_and_number() -> None:
    sent = await exchange(with_status(200, b"", b"X-b: 1", b"x-B: 2", b"X-b: 1", b"Set-Cookie: a=b", b"Retry-After: 5"))
    assert sent.response_headers == (
        ("X-b", "1"),
        ("x-B", "2"),
        ("X-b", "1"),
        ("Set-Cookie", "a=b"),
        ("Retry-After", "5"),
        ("Content-Length", "0"),
    )


async def test_an_answer_with_odd_bytes_in_its_headers_is_an_answer() -> None:
    sent = await exchange(with_status(200, b"", b"X-A: \xe9\xff", "X-B: \u20ac".encode()))
    assert sent.status == 200
    assert sent.response_headers
    assert sent.response_headers[:2] == (("X-A", "\xe9\xff"), ("X-B", "\u20ac".encode().decode("latin-1")))


async def test_an_interim_answer_is_passed_over() -> None:
    sent = await exchange(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
    assert (sent.status, sent.response_body) == (200, b"ok")


async def test_interim_answers_without_end_are_ended() -> None:
    async def never_the_answer(wire: Wire, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
            await writer.drain()

    sent = await exchange(never_the_answer)

    assert (sent.status, sent.error) == (None, ErrorClass.PROTOCOL_ERROR)
    assert "interim answers" in (sent.error_detail or "")


async def test_each_answer_of_a_connection_may_have_its_own_interim_ones() -> None:
    wire = Wire(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 15 + OK)
    async with wire.serving() as port, sending() as sender:
        statuses = [(await post(sender, f"http://127.0.0.1:{port}/")).status for _ in range(3)]

    assert (statuses, wire.connections) == ([200, 200, 200], 1)


async def test_an_answer_may_end_with_its_connection() -> None:
    async def until_close(wire: Wire, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of it")
        await hang_up(wire, writer)

    sent = await exchange(until_close)
    assert (sent.status, sent.response_body) == (200, b"all of it")


async def test_a_chunked_answer_is_put_together() -> None:
    sent = await exchange(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")
    assert sent.response_body == b"abcde"


@pytest.mark.parametrize(
    ("size", "truncated"),
    [(RESPONSE_BYTES - 1, False), (RESPONSE_BYTES, False), (RESPONSE_BYTES + 1, True), (10**7, True)],
)
async def test_a_long_answer_is_cut(size: int, truncated: bool) -> None:
    sent = await exchange(with_status(200, b"x" * size))
    assert sent.status == 200
    assert sent.response_truncated is truncated
    assert sent.response_body == b"x" * min(size, RESPONSE_BYTES)


async def test_after_a_cut_answer_the_next_request_is_answered_rightly() -> None:
    wire = Wire(with_status(200, b"x" * 10**6), OK)
    async with wire.serving() as port, sending() as sender:
        await post(sender, f"http://127.0.0.1:{port}/")
        sent = await post(sender, f"http://127.0.0.1:{port}/")
    assert (sent.status, sent.response_body) == (200, b"ok")


async def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 30_000_000)
    assert len(bomb) < RESPONSE_BYTES
    sent = await exchange(with_status(200, bomb, b"Content-Encoding: gzip"))
    assert (sent.status, sent.response_body) == (200, bomb)


async def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    started = time.monotonic()
    sent = await exchange(drip, seconds=1.0)
    assert 0.9 < time.monotonic() - started < 3
    assert (sent.status, sent.error, sent.response_body) == (None, ErrorClass.TIMEOUT, None)


async def test_silence_ends_at_the_deadline() -> None:
    sent = await exchange(say_nothing, seconds=0.3)
    assert (sent.status, sent.error) == (None, ErrorClass.TIMEOUT)
    assert sent.error_detail == "no complete answer within 0.3 s"


async def test_nothing_listening_is_a_refused_connection() -> None:
    async with sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{free_port()}/")
    assert (sent.status, sent.error) == (None, ErrorClass.CONNECTION_REFUSED)
    assert (sent.response_headers, sent.response_body) == (None, None)
    assert sent.error_detail


async def test_a_name_that_does_not_exist_is_a_dns_error() -> None:
    async with sending() as sender:
        sent = await post(sender, "http://nothing.invalid/")
    assert (sent.status, sent.error) == (None, ErrorClass.DNS_ERROR)


class Names:
    """A look-up that gives each name its addresses in turn, the last one for ever; without any it hangs."""

    def __init__(self, **addresses: list[str]) -> None:
        self._addresses = addresses
        self.release = threading.Event()
        self.full = threading.Event()
        self._asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self._asked.append(host)
        if len(self._asked) == MAX_LOOKUPS:
            self.full.set()
        found = self._addresses.get(host.partition(".")[0])
        if found is None:
            self.release.wait()
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        address = found.pop(0) if len(found) > 1 else found[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]


@pytest.fixture
def slow() -> Iterator[Names]:
    names = Names()
    yield names
    names.release.set()


async def test_a_name_that_nobody_answers_for_is_a_dns_error_at_the_deadline(slow: Names) -> None:
    async with sending(lookup=slow) as sender:
        sent = await post(sender, "http://slow.example/", seconds=0.2)
    assert (sent.status, sent.error) == (None, ErrorClass.DNS_ERROR)


async def test_one_name_too_many_is_a_dns_error_at_once(slow: Names) -> None:
    async with sending(lookup=slow) as sender:
        posts = [
            asyncio.create_task(post(sender, f"http://slow-{number}.example/", seconds=60))
            for number in range(MAX_LOOKUPS)
        ]
        await asyncio.to_thread(slow.full.wait, 20)
        sent = await post(sender, "http://late.example/", seconds=60)
        slow.release.set()
        others = await asyncio.gather(*posts)
    assert (sent.status, sent.error) == (None, ErrorClass.DNS_ERROR)
    assert {other.error for other in others} == {ErrorClass.DNS_ERROR}


METADATA = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "fe80::1",
]


@pytest.mark.parametrize("policy", [OPEN, EXPOSED])
@pytest.mark.parametrize("address", METADATA)
async def test_a_name_that_leads_to_the_metadata_service_is_refused_when_it_is_dialled(
    policy: Policy, address: str
) -> None:
    async with sending(policy, lookup=Names(meta=[address])) as sender:
        sent = await post(sender, "http://meta.example/latest/")
    assert (sent.status, sent.error) == (None, ErrorClass.BLOCKED_TARGET)


@pytest.mark.parametrize("address", METADATA)
async def test_the_metadata_service_is_refused_in_every_form_of_its_address(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    async with sending() as sender:
        sent = await post(sender, f"http://{host}/latest/")
    assert (sent.status, sent.error) == (None, ErrorClass.BLOCKED_TARGET)


async def test_a_name_that_leads_elsewhere_the_next_time_is_judged_anew() -> None:
    wire = Wire(with_status(200, b"", b"Connection: close"))
    policy = Policy(allow_private=False, allowed=("127.0.0.0/8",))
    names = Names(turning=["127.0.0.1", "169.254.169.254"])
    async with wire.serving() as port, sending(policy, lookup=names) as sender:
        first = await post(sender, f"http://turning.example:{port}/")
        second = await post(sender, f"http://turning.example:{port}/")
    assert (first.status, first.error) == (200, None)
    assert (second.status, second.error) == (None, ErrorClass.BLOCKED_TARGET)
    assert len(wire.heads) == 1


async def test_a_receiver_on_ipv6_is_reached() -> None:
    try:
        server = await asyncio.start_server(Wire(OK)._serve, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with server, sending() as sender:
        port = server.sockets[0].getsockname()[1]
        sent = await post(sender, f"http://[::1]:{port}/hook")
    assert (sent.status, sent.error) == (200, None)
    assert dict(sent.request_headers)["host"] == f"[::1]:{port}"


async def test_a_head_that_drips_ends_at_the_deadline() -> None:
    async def dripping(wire: Wire, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-A: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)

    sent = await exchange(dripping, seconds=0.5)
    assert (sent.status, sent.error) == (None, ErrorClass.TIMEOUT)


async def test_a_receiver_that_takes_in_nothing_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with sending() as sender:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            sent = await post(sender, url, body=b"x" * 20_000_000, seconds=0.5)
    assert (sent.status, sent.error) == (None, ErrorClass.TIMEOUT)


async def test_each_origin_has_a_connection_of_its_own() -> None:
    one, other = Wire(OK), Wire(OK)
    async with one.serving() as first, other.serving() as second, sending() as sender:
        for _ in range(3):
            for port in (first, second):
                assert (await post(sender, f"http://127.0.0.1:{port}/")).status == 200
    assert (one.connections, other.connections) == (1, 1)


@pytest.mark.parametrize("how", [abort, hang_up])
async def test_a_connection_that_breaks_before_the_answer_is_a_reset(how: Answer) -> None:
    sent = await exchange(how)
    assert (sent.status, sent.error) == (None, ErrorClass.CONNECTION_RESET)


async def test_a_connection_that_breaks_within_the_answer_is_a_reset() -> None:
    async def half(wire: Wire, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await hang_up(wire, writer)

    sent = await exchange(half)
    assert (sent.status, sent.error) == (None, ErrorClass.CONNECTION_RESET)


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x16\x03\x01 what is this\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_protocol_error(garbage: bytes) -> None:
    sent = await exchange(garbage)
    assert (sent.status, sent.error) == (None, ErrorClass.PROTOCOL_ERROR)
    assert sent.error_detail
    assert "\n" not in sent.error_detail
    assert len(sent.error_detail) <= 500


async def test_a_receiver_that_lets_nobody_in_is_a_connect_timeout() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        async with sending() as sender:
            sent = await post(sender, f"http://127.0.0.1:{listener.getsockname()[1]}/", seconds=0.5)
        for filler in fillers:
            filler.close()
    assert (sent.status, sent.error) == (None, ErrorClass.CONNECT_TIMEOUT)


def _certificate() -> tuple[trustme.CA, ssl.SSLContext]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return authority, context


async def test_a_certificate_that_nobody_vouches_for_is_a_tls_error() -> None:
    _, context = _certificate()
    wire = Wire(OK)
    async with wire.serving(context) as port, sending() as sender:
        sent = await post(sender, f"https://localhost:{port}/")
    assert (sent.status, sent.error) == (None, ErrorClass.TLS_ERROR)
    assert "certificate" in (sent.error_detail or "").lower()
    assert wire.heads == []


async def test_a_certificate_for_another_name_is_a_tls_error(tmp_path: Path) -> None:
    authority, context = _certificate()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with Wire(OK).serving(context) as port, sending(tls=trusting(tmp_path / "ca.pem")) as sender:
        sent = await post(sender, f"https://127.0.0.1:{port}/")
    assert (sent.status, sent.error) == (None, ErrorClass.TLS_ERROR)


async def test_a_certificate_is_trusted_by_a_file_of_one_s_own(tmp_path: Path) -> None:
    authority, context = _certificate()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with Wire(OK).serving(context) as port, sending(tls=trusting(tmp_path / "ca.pem")) as sender:
        sent = await post(sender, f"https://localhost:{port}/")
    assert (sent.status, sent.error) == (200, None)


async def test_a_file_of_one_s_own_is_trusted_besides_the_system_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = _certificate()
    authority.cert_pem.write_to_path(tmp_path / "system.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "own.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    async with Wire(OK).serving(context) as port, sending(tls=trusting(tmp_path / "own.pem")) as sender:
        sent = await post(sender, f"https://localhost:{port}/")
    assert (sent.status, sent.error) == (200, None)


@pytest.mark.parametrize("content", [b"", b"no certificate", b"\xff\x00", None])
def test_a_file_without_certificates_is_no_start(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(StartError, match=r"ca\.pem"):
        trusting(tmp_path / "ca.pem")


async def test_plain_http_where_tls_was_expected_is_a_tls_error() -> None:
    async with Wire(OK).serving() as port, sending() as sender:
        sent = await post(sender, f"https://localhost:{port}/", seconds=0.5)
    assert sent.status is None
    assert sent.error in (ErrorClass.TLS_ERROR, ErrorClass.CONNECT_TIMEOUT)


async def test_a_connection_is_kept_and_used_again() -> None:
    wire = Wire(OK)
    async with wire.serving() as port, sending() as sender:
        for _ in range(5):
            assert (await post(sender, f"http://127.0.0.1:{port}/")).status == 200
    assert (wire.connections, len(wire.heads)) == (1, 5)


@pytest.mark.parametrize("how", [abort, hang_up])
async def test_a_kept_connection_that_turns_out_closed_is_replaced_once_in_silence(how: Answer) -> None:
    wire = Wire(OK, how, OK)
    async with wire.serving() as port, sending() as sender:
        await post(sender, f"http://127.0.0.1:{port}/")
        sent = await post(sender, f"http://127.0.0.1:{port}/", body=b"again")
    assert (sent.status, sent.error) == (200, None)
    assert wire.connections == 2
    assert wire.bodies == [b"{}", b"again", b"again"]
    assert wire.heads[1] == wire.heads[2]


async def test_after_a_replaced_connection_failed_too_nothing_more_is_tried() -> None:
    wire = Wire(OK, abort, abort, OK)
    async with wire.serving() as port, sending() as sender:
        await post(sender, f"http://127.0.0.1:{port}/")
        sent = await post(sender, f"http://127.0.0.1:{port}/")
    assert (sent.status, sent.error) == (None, ErrorClass.CONNECTION_RESET)
    assert len(wire.heads) == 3


async def test_a_large_body_is_sent_again_in_whole_when_a_kept_connection_turns_out_closed() -> None:
    wire = Wire(OK, hang_up, OK)
    body = bytes(range(256)) * 8_000
    async with wire.serving() as port, sending() as sender:
        await post(sender, f"http://127.0.0.1:{port}/")
        sent = await post(sender, f"http://127.0.0.1:{port}/", body=body)
    assert sent.status == 200
    assert wire.bodies == [b"{}", body, body]


@pytest.mark.parametrize("how", [abort, hang_up])
async def test_a_fresh_connection_that_breaks_is_not_replaced(how: Answer) -> None:
    wire = Wire(how, OK)
    async with wire.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/")
    assert (sent.status, sent.error) == (None, ErrorClass.CONNECTION_RESET)
    assert (wire.connections, len(wire.heads)) == (1, 1)


async def test_a_kept_connection_that_times_out_is_not_replaced() -> None:
    wire = Wire(OK, say_nothing)
    async with wire.serving() as port, sending() as sender:
        await post(sender, f"http://127.0.0.1:{port}/")
        sent = await post(sender, f"http://127.0.0.1:{port}/", seconds=0.3)
    assert sent.error is ErrorClass.TIMEOUT
    assert len(wire.heads) == 2


async def test_cookies_are_not_kept() -> None:
    wire = Wire(with_status(200, b"", b"Set-Cookie: session=1; Path=/"))
    async with wire.serving() as port, sending() as sender:
        for _ in range(2):
            await post(sender, f"http://localhost:{port}/")
    assert not any(name.lower() == "cookie" for head in wire.heads for name, _ in fields(head))


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "10.0.0.1", "192.168.1.1", "100.64.0.1"])
async def test_a_private_address_is_refused_when_the_server_is_exposed(address: str) -> None:
    async with sending(EXPOSED) as sender:
        sent = await post(sender, f"http://{address}:9/")
    assert (sent.status, sent.error) == (None, ErrorClass.BLOCKED_TARGET)
    assert address.strip("[]") in (sent.error_detail or "")


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", socket.gethostname()])
async def test_a_name_that_leads_to_a_private_address_is_refused_when_it_is_dialled(name: str) -> None:
    try:
        socket.getaddrinfo(name, 80)
    except OSError:
        pytest.skip(f"this machine's name {name} leads nowhere")
    wire = Wire(OK)
    async with wire.serving() as port, sending(EXPOSED) as sender:
        sent = await post(sender, f"http://{name}:{port}/")
    assert (sent.status, sent.error) == (None, ErrorClass.BLOCKED_TARGET)
    assert wire.connections == 0


@pytest.mark.parametrize("policy", [OPEN, EXPOSED, Policy(allow_private=True, allowed=("0.0.0.0/0",))])
async def test_the_metadata_service_is_always_refused(policy: Policy) -> None:
    async with sending(policy) as sender:
        sent = await post(sender, "http://169.254.169.254/latest/meta-data/")
    assert sent.error is ErrorClass.BLOCKED_TARGET


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_our_own_bins_are_always_allowed(host: str) -> None:
    wire = Wire(OK)
    async with wire.serving() as port, sending(EXPOSED, is_own=lambda url: "/b/" in url) as sender:
        assert (await post(sender, f"http://{host}:{port}/b/joe")).status == 200
        assert (await post(sender, f"http://{host}:{port}/other")).error is ErrorClass.BLOCKED_TARGET
    assert len(wire.heads) == 1, "also not over the connection that was kept for the bin"


async def test_an_allowed_network_opens_its_addresses() -> None:
    policy = Policy(allow_private=False, allowed=("127.0.0.0/8",))
    async with Wire(OK).serving() as port, sending(policy) as sender:
        assert (await post(sender, f"http://127.0.0.1:{port}/")).status == 200
        assert (await post(sender, f"http://localhost:{port}/")).status == 200


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Wire(with_status(502))
    async with proxy.serving() as proxy_port, Wire(OK).serving() as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy_port}")
        async with sending() as sender:
            sent = await post(sender, f"http://127.0.0.1:{port}/")
    assert sent.status == 200
    assert proxy.connections == 0


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256)) * 10, b"x" * 262_144, b"xy" * 3_000_000])
async def test_the_body_arrives_byte_for_byte(body: bytes) -> None:
    wire = Wire(OK)
    async with wire.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/", body=body)
    assert sent.status == 200
    assert wire.bodies == [body]


@pytest.mark.parametrize("body", [b"", b'{"a":1}'])
async def test_the_headers_as_logged_are_those_on_the_wire(body: bytes) -> None:
    wire = Wire(OK)
    async with wire.serving() as port, sending() as sender:
        sent = await post(
            sender, f"http://127.0.0.1:{port}/hook?a=1", body=body, content_type="text/x; charset=y", hops=2
        )
    assert list(sent.request_headers) == fields(wire.heads[0])
    named = {name.lower(): value for name, value in sent.request_headers}
    signature = named.pop("webhook-signature")
    assert signature.startswith("v1,")
    assert named == {
        "host": f"127.0.0.1:{port}",
        "content-length": str(len(body)),
        "user-agent": USER_AGENT,
        "accept": "*/*",
        "content-type": "text/x; charset=y",
        "webhook-id": "evt_1",
        "webhook-timestamp": "1790000000",
        "hookbin-event-type": "user.created",
        "hookbin-delivery-id": "dlv_1",
        "hookbin-attempt-id": attempt_id("dlv_1", 2),
        "hookbin-attempt-number": "2",
        "hookbin-hops": "3",
    }


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/hook?a=1&b=2",
        "/a%2Fb/%7Euser/%41",
        "/q?x=a+b%20c&y=%2B&z",
        "/q?token=a%3Db%26c",
        "/;p=1/,(x)'!*$",
        "//double",
        "/a/../b/./c",
        "/%2e%2e/%zz%",
        '/q?filter={"a":[1|2]}',
        "/a?b?c=/d",
        "/?",
        "/a?",
        "/a??",
    ],
)
async def test_the_target_on_the_wire_is_the_destination_s_as_it_was_registered(target: str) -> None:
    wire = Wire(OK)
    async with wire.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}{target}")
    assert wire.heads[0].split(b" ")[1].decode() == target
    assert sent.url == f"http://127.0.0.1:{port}{target}"


@pytest.mark.parametrize(("given", "sent_as"), [("", "/"), ("?a=1", "/?a=1"), ("?", "/?")])
async def test_a_target_that_can_t_be_sent_as_it_is_is_logged_as_it_was_sent(given: str, sent_as: str) -> None:
    wire = Wire(OK)
    async with wire.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}{given}")
    assert wire.heads[0].split(b" ")[1].decode() == sent_as
    assert sent.url == f"http://127.0.0.1:{port}{sent_as}"


async def test_a_secret_that_can_t_sign_any_more_is_told_and_nothing_is_sent() -> None:
    wire = Wire(OK)
    async with wire.serving() as port, sending() as sender:
        webhook = a_webhook(destination=f"http://127.0.0.1:{port}/", secret="whsk_of-another-time")
        sent = await sender.send(webhook, an_event(), delivery_id="dlv_1", number=1, timestamp=1)
    assert (sent.status, sent.error, sent.request_headers) == (None, ErrorClass.SIGNING_ERROR, ())
    assert "secret" in (sent.error_detail or "")
    assert "whsk_of" not in (sent.error_detail or "")
    assert wire.connections == 0


async def test_headers_of_one_s_own_go_out_in_order_case_and_number_and_secrets_are_masked_in_the_log() -> None:
    headers = (
        ("X-B", "1"),
        ("x-a", ""),
        ("X-b", "2"),
        ("User-Agent", "mine"),
        ("X-Token", "hunter2"),
        ("Cookie", "a=b"),
    )
    wire = Wire(OK)
    async with wire.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/", headers=headers)
    on_the_wire = fields(wire.heads[0])
    assert tuple(on_the_wire[-len(headers) :]) == headers
    assert [name for name, _ in sent.request_headers] == [name for name, _ in on_the_wire]
    assert sent.request_headers[-2:] == (("X-Token", MASK), ("Cookie", MASK))
    assert sent.request_headers[:-2] == tuple(on_the_wire[:-2])


async def test_a_url_that_grows_when_it_is_quoted_is_still_sent() -> None:
    wire = Wire(OK)
    async with wire.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/?q=" + '"' * 1_900)
    assert sent.status == 200


async def test_the_signature_is_accepted_by_another_implementation() -> None:
    wire = Wire(OK)
    body = '{"type":"a","data":"é"}'.encode()
    webhook = a_webhook()
    now = int(time.time())
    async with wire.serving() as port, sending() as sender:
        destination = f"http://127.0.0.1:{port}/"
        webhook = a_webhook(destination=destination)
        await sender.send(webhook, an_event(body=body), delivery_id="dlv_1", number=1, timestamp=now)
    headers = {name.lower(): value for name, value in fields(wire.heads[0])}
    judge = standardwebhooks.Webhook(SECRET)
    assert judge.verify(wire.bodies[0], headers) == {"type": "a", "data": "é"}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        judge.verify(wire.bodies[0] + b" ", headers)


async def test_many_attempts_at_once_get_their_own_answers() -> None:
    async def echo(wire: Wire, writer: asyncio.StreamWriter) -> None:
        body = wire.bodies[-1]
        await asyncio.sleep(0)
        writer.write(with_status(200, body))

    wire = Wire(echo)
    async with wire.serving() as port, sending() as sender:
        url = f"http://127.0.0.1:{port}/"
        sent = await asyncio.gather(*[post(sender, url, body=b"%d" % number) for number in range(100)])
    assert [each.response_body for each in sent] == [b"%d" % number for number in range(100)]
