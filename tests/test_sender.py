"""One attempt over real sockets: what goes out, what is kept of the answer, and how a failure is named."""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from hookbin.delivery.headers import MASK
from hookbin.delivery.targets import Policy
from hookbin.delivery.trails import NO_TRAILS
from hookbin.dispatch.request_headers import USER_AGENT
from hookbin.dispatch.sender import RESPONSE_BYTES
from hookbin.errors import OutOfResources
from hookbin.models.deliveries import ErrorClass, attempt_id
from tests.builders import a_webhook, an_event
from tests.raw_receiver import (
    EXPOSED,
    OK,
    OPEN,
    Answer,
    Names,
    RawReceiver,
    exchange,
    fields,
    hang_up,
    letting_nobody_in,
    outcome,
    post,
    reset,
    say_nothing,
    sending,
    then,
    with_status,
)
from tests.support import free_port

pytestmark = pytest.mark.anyio


# What comes back


@pytest.mark.parametrize("status", [200, 201, 299, 400, 404, 410, 429, 500, 503, 599])
async def test_an_answer_is_kept_with_its_status(status: int) -> None:
    sent = await exchange(with_status(status, b"hello", b"X-b: 1", b"x-B: \xe9\xff"))
    assert outcome(sent) == (status, None)
    assert (sent.response_body, sent.response_truncated) == (b"hello", False)
    assert sent.response_headers == (("X-b", "1"), ("x-B", "\xe9\xff"), ("Content-Length", "5"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_recorded_and_not_followed(status: int) -> None:
    there = RawReceiver(OK)
    async with there.serving() as port:
        sent = await exchange(with_status(status, b"moved", b"Location: http://127.0.0.1:%d/there" % port))
    assert outcome(sent) == (status, None)
    assert there.connections == 0


@pytest.mark.parametrize(("size", "truncated"), [(RESPONSE_BYTES, False), (RESPONSE_BYTES + 1, True), (10**7, True)])
async def test_a_long_answer_is_cut_and_the_next_request_answered_rightly(size: int, truncated: bool) -> None:
    receiver = RawReceiver(with_status(200, b"x" * size), OK)
    async with receiver.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/")
        after = await post(sender, f"http://127.0.0.1:{port}/")
    assert (sent.status, sent.response_truncated) == (200, truncated)
    assert sent.response_body == b"x" * min(size, RESPONSE_BYTES)
    assert after.response_body == b"ok"


async def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 30_000_000)
    sent = await exchange(with_status(200, bomb, b"Content-Encoding: gzip"))
    assert (sent.status, sent.response_body) == (200, bomb)


async def test_what_was_odd_about_an_answer_is_noted() -> None:
    sent = await exchange(OK + b"HTTP/1.1 500 No\r\n\r\n")
    assert (*outcome(sent), sent.note) == (200, None, "the answer went on after its end")
    cut = await exchange(then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", hang_up))
    assert (*outcome(cut), cut.response_body) == (200, None, b"half")
    assert cut.note == "the connection ended before the answer did"


@pytest.mark.parametrize("what", [hang_up, say_nothing])
async def test_what_is_no_http_is_kept_as_it_came(what: Answer) -> None:
    garbage = b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(range(256)) * 400
    sent = await exchange(then(garbage, what), seconds=2.0)
    assert (*outcome(sent), sent.response_headers) == (None, ErrorClass.PROTOCOL_ERROR, None)
    assert sent.response_raw == garbage[:65_536]
    assert sent.error_detail == "what came back does not begin like an answer of HTTP/1: SSH-2.0-OpenSSH_9.2"


# Failures and deadlines


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (hang_up, "closed the connection without an answer"),
        (reset, "closed the connection without an answer"),
        (then(b"HTTP/1.1 20", hang_up), "closed the connection within the first line of its answer"),
    ],
)
async def test_a_connection_that_ends_before_a_status_is_a_reset(answer: Answer, detail: str) -> None:
    sent = await exchange(answer)
    assert outcome(sent) == (None, ErrorClass.CONNECTION_RESET)
    assert (sent.error_detail or "").endswith(detail)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"])
async def test_an_answer_that_is_not_whole_ends_at_the_deadline(begin: bytes) -> None:
    sent = await exchange(then(begin, say_nothing), seconds=0.3)
    assert (*outcome(sent), sent.response_body) == (None, ErrorClass.TIMEOUT, None)
    assert sent.error_detail == "no complete answer within 0.3 s"


async def drip(_: RawReceiver, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), timeout=0.02)


async def test_each_attempt_over_a_kept_connection_has_a_deadline_of_its_own() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"
    receiver = RawReceiver(OK, OK, then(head, drip))
    async with receiver.serving() as port, sending() as sender:
        for seconds in (60.0, 0.2):
            assert (await post(sender, f"http://127.0.0.1:{port}/", seconds=seconds)).status == 200
        sent = await post(sender, f"http://127.0.0.1:{port}/", seconds=0.6)
    assert (receiver.connections, *outcome(sent)) == (1, None, ErrorClass.TIMEOUT)
    assert sent.timings is not None
    assert sent.timings.first_byte is not None


async def test_a_receiver_that_takes_in_nothing_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with sending() as sender:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            sent = await post(sender, url, body=b"x" * 20_000_000, seconds=0.5)
    assert outcome(sent) == (None, ErrorClass.TIMEOUT)
    assert sent.timings is not None
    assert sent.timings.sent is None


async def test_nothing_listening_is_a_refused_connection_in_words() -> None:
    port = free_port()
    async with sending() as sender:
        sent = await post(sender, f"http://localhost:{port}/")
    assert outcome(sent) == (None, ErrorClass.CONNECTION_REFUSED)
    assert sent.error_detail == f"nothing listens on localhost:{port}"


async def test_a_receiver_that_lets_nobody_in_is_a_connect_timeout() -> None:
    with letting_nobody_in("127.0.0.1") as port:
        async with sending() as sender:
            sent = await post(sender, f"http://127.0.0.1:{port}/", seconds=0.5)
    assert outcome(sent) == (None, ErrorClass.CONNECT_TIMEOUT)


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names(turning=[["127.0.0.1"], ["169.254.169.254"]], inside=[["10.0.0.1"]])
    yield names
    names.release.set()


async def test_a_name_that_nobody_answers_for_is_a_dns_error_at_the_deadline(names: Names) -> None:
    async with sending(lookup=names) as sender:
        sent = await post(sender, "http://slow.example/", seconds=0.2)
    assert outcome(sent) == (None, ErrorClass.DNS_ERROR)


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        lowest_free = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_a_lack_of_our_own_is_no_outcome_and_idle_connections_are_given_up_for_it() -> None:
    receiver, other = RawReceiver(OK), RawReceiver(OK)
    async with receiver.serving() as port, other.serving() as second, sending() as sender:
        with no_descriptor_left(), pytest.raises(OutOfResources, match="no file descriptor left"):
            await post(sender, f"http://127.0.0.1:{second}/")
        await post(sender, f"http://127.0.0.1:{port}/")
        assert other.connections == 0
        with no_descriptor_left(), pytest.raises(OutOfResources):
            await post(sender, f"http://127.0.0.1:{second}/")
        assert outcome(await post(sender, f"http://127.0.0.1:{port}/")) == (200, None)
    assert receiver.connections == 2, "the idle one was closed"


async def test_a_failure_of_another_transport_is_told_in_its_words() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("as scripted")

    async with sending(transport=httpx.MockTransport(refuse)) as sender:
        sent = await post(sender, "http://receiver.example/")
    assert (*outcome(sent), sent.error_detail) == (None, ErrorClass.PROTOCOL_ERROR, "as scripted")


async def test_an_answer_of_another_transport_is_kept_too() -> None:
    answer = httpx.Response(200, headers=[(b"X-Name", b"\xe9")], content=b"hello")

    async with sending(transport=httpx.MockTransport(lambda request: answer)) as sender:
        sent = await post(sender, "http://receiver.example/")
    assert (*outcome(sent), sent.response_body) == (200, None, b"hello")
    assert sent.response_headers == (("X-Name", "\xe9"), ("Content-Length", "5"))


# Which addresses are called


METADATA = [
    "169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "fe80::1",
]


@pytest.mark.parametrize("policy", [OPEN, EXPOSED, Policy(allow_private=True, allowed=("0.0.0.0/0",))])
@pytest.mark.parametrize("address", METADATA)
async def test_the_metadata_service_is_refused_by_name_and_by_address(policy: Policy, address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    async with sending(policy, lookup=Names(meta=[[address]])) as sender:
        by_name = await post(sender, "http://meta.example/latest/")
        by_address = await post(sender, f"http://{host}/latest/")
    assert outcome(by_name) == outcome(by_address) == (None, ErrorClass.BLOCKED_TARGET)


async def test_a_name_that_leads_elsewhere_the_next_time_is_judged_anew(names: Names) -> None:
    receiver = RawReceiver(with_status(200, b"", b"Connection: close"))
    policy = Policy(allow_private=False, allowed=("127.0.0.0/8",))
    async with receiver.serving() as port, sending(policy, lookup=names) as sender:
        first = await post(sender, f"http://turning.example:{port}/")
        second = await post(sender, f"http://turning.example:{port}/")
    assert (outcome(first), outcome(second)) == ((200, None), (None, ErrorClass.BLOCKED_TARGET))
    assert len(receiver.heads) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1", "100.64.0.1", "localhost", "inside.example"])
async def test_a_private_address_is_refused_when_the_server_is_exposed(names: Names, host: str) -> None:
    async with sending(EXPOSED, lookup=names) as sender:
        sent = await post(sender, f"http://{host}:9/")
    assert outcome(sent) == (None, ErrorClass.BLOCKED_TARGET)
    assert "--allow-target" in (sent.error_detail or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_our_own_bins_are_always_allowed(host: str) -> None:
    receiver = RawReceiver(OK)
    async with receiver.serving() as port, sending(EXPOSED, is_own=lambda url: "/b/" in url) as sender:
        assert (await post(sender, f"http://{host}:{port}/b/joe")).status == 200
        assert (await post(sender, f"http://{host}:{port}/other")).error is ErrorClass.BLOCKED_TARGET
    assert len(receiver.heads) == 1, "also not over the connection that was kept for the bin"


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert (await exchange(OK)).status == 200


# What goes out


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256)) * 10, b"x" * 262_144, b"xy" * 3_000_000])
async def test_the_body_arrives_byte_for_byte(body: bytes) -> None:
    receiver = RawReceiver(OK)
    async with receiver.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/", body=body)
    assert sent.status == 200
    assert receiver.bodies == [body]


async def test_the_headers_as_logged_are_those_on_the_wire() -> None:
    receiver = RawReceiver(OK)
    async with receiver.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/?a=1", content_type="text/x; charset=y", hops=2)
    assert list(sent.request_headers) == fields(receiver.heads[0])
    named = {name.lower(): value for name, value in sent.request_headers}
    assert named.pop("webhook-signature").startswith("v1,")
    assert named == {
        "host": f"127.0.0.1:{port}",
        "content-length": "2",
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
        "hookbin-trail": NO_TRAILS.sealed("", "wh_1"),
    }


async def test_headers_of_one_s_own_go_out_as_they_are_and_secrets_are_masked_in_the_log() -> None:
    headers = (
        ("X-B", "1"),
        ("x-a", ""),
        ("X-b", "2"),
        ("User-Agent", "mine"),
        ("X-Token", "hunter2"),
        ("Cookie", "a=b"),
    )
    receiver = RawReceiver(OK)
    async with receiver.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}/", headers=headers)
    on_the_wire = fields(receiver.heads[0])
    assert tuple(on_the_wire[-len(headers) :]) == headers
    assert [name.lower() for name, _ in on_the_wire].count("user-agent") == 1
    assert sent.request_headers == (*on_the_wire[:-2], ("X-Token", MASK), ("Cookie", MASK))


TARGETS = [
    *["/", "/hook?a=1&b=2", "/a%2Fb/%7Euser/%41", "/q?x=a+b%20c&y=%2B&z", "/;p=1/,(x)'!*$", "//double", "/a/../b/./c"],
    *["/%2e%2e/%zz%", '/q?filter={"a":[1|2]}', "/a?b?c=/d", "/?", "/a?", "/a??", "/?q=" + '"' * 1_900],
]


@pytest.mark.parametrize(
    ("given", "sent_as"), [*[(target, target) for target in TARGETS], ("", "/"), ("?a=1", "/?a=1"), ("?", "/?")]
)
async def test_the_target_goes_out_as_it_was_registered_and_is_logged_as_it_went_out(given: str, sent_as: str) -> None:
    receiver = RawReceiver(OK)
    async with receiver.serving() as port, sending() as sender:
        sent = await post(sender, f"http://127.0.0.1:{port}{given}")
    assert receiver.heads[0].split(b" ")[1].decode() == sent_as
    assert sent.url == f"http://127.0.0.1:{port}{sent_as}"


async def test_a_secret_that_can_t_sign_any_more_is_told_and_nothing_is_sent() -> None:
    receiver = RawReceiver(OK)
    async with receiver.serving() as port, sending() as sender:
        webhook = a_webhook(destination=f"http://127.0.0.1:{port}/", secret="whsk_of-another-time")
        sent = await sender.send(webhook, an_event(), delivery_id="dlv_1", number=1, timestamp=1)
    assert (*outcome(sent), sent.request_headers) == (None, ErrorClass.SIGNING_ERROR, ())
    assert "secret" in (sent.error_detail or "")
    assert "whsk_of" not in (sent.error_detail or "")
    assert receiver.connections == 0


async def test_many_attempts_at_once_get_their_own_answers() -> None:
    async def echo(receiver: RawReceiver, writer: asyncio.StreamWriter) -> None:
        writer.write(with_status(200, receiver.bodies[-1]))

    async with RawReceiver(echo).serving() as port, sending() as sender:
        url = f"http://127.0.0.1:{port}/"
        sent = await asyncio.gather(*[post(sender, url, body=b"%d" % number) for number in range(100)])
    assert [each.response_body for each in sent] == [b"%d" % number for number in range(100)]
