"""What arrives under `/b/`: kept as it came, answered as the bin's owner wants it."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from hookbin.capture.row import address
from tests.support import Server, eventually
from tests.wire import check_problem, connected, exchange, parsed, read_all


@pytest.fixture(params=["lane", "ASGI"])
def bin(server: Server, request: pytest.FixtureRequest) -> str:
    """A new bin: one whose captures go the short way, and one with a rule for no request, so that they go the long."""
    rules = [] if request.param == "lane" else [{"when": {"method": "NONE"}}]
    made: str = server.post("/bins", {"response": {"rules": rules}}).json()["id"]
    return made


def send(server: Server, request_line: str, *headers: str, body: bytes = b"") -> Any:
    """Exactly this request, on a connection of its own."""
    lines = [f"{request_line} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    return exchange(server, "\r\n".join(lines).encode("latin-1") + body)


def only(server: Server, bin: str) -> Any:
    """The one request that the bin captured."""
    (captured,) = server.captured(bin)
    return captured


def test_a_post_is_kept_whole(server: Server, bin: str) -> None:
    response = server.request("POST", f"/b/{bin}/orders?id=7", content=b'{"a": 1}', headers={"content-type": "text/x"})

    captured = only(server, bin)
    assert (response.status_code, response.text) == (200, "ok\n")
    assert captured["method"] == "POST"
    assert captured["target"] == f"/b/{bin}/orders?id=7"
    assert captured["body"] == {"size": 8, "truncated": False, "text": '{"a": 1}'}
    assert captured["content_type"] == "text/x"
    assert (captured["size"], captured["declared_size"]) == (8, 8)
    assert captured["http_version"] == "1.1"
    assert captured["scheme"] == "http"
    assert captured["client"].startswith("127.0.0.1:")
    assert captured["answer"]["status"] == 200
    assert captured["signature"]["state"] == "unchecked"
    assert captured["attempt_id"] is None
    assert not captured["truncated"]
    assert not captured["incomplete"]


def test_a_binary_body_comes_back_byte_for_byte(server: Server, bin: str) -> None:
    body = bytes(range(256)) * 1000
    server.request("PUT", f"/b/{bin}", content=body)

    id = only(server, bin)["id"]

    assert server.request("GET", f"/requests/{id}/body").content == body


def test_headers_keep_their_order_their_case_and_their_duplicates(server: Server, bin: str) -> None:
    sent = [("X-b", "2"), ("x-A", "1"), ("X-B", "3"), ("x-Empty", ""), ("X-Latin", "caf\xe9"), ("Cookie", "a=1; b=2")]
    send(server, f"GET /b/{bin}", *(f"{name}: {value}" for name, value in sent))

    headers = [tuple(pair) for pair in only(server, bin)["headers"]]

    assert headers == [("Host", "localhost"), ("Connection", "close"), *sent]


@pytest.mark.parametrize(
    "rest",
    ["", "/", "?", "?a=1&a=2", "/a%2Fb", "//x//", "/a;v=1", "/%00", "/../up", "/.", '/{x}|"<>', "/a+b%20", "?q=%ff#f"],
)
def test_the_target_is_kept_as_it_was_sent(server: Server, bin: str, rest: str) -> None:
    assert send(server, f"GET /b/{bin}{rest}").status == 200

    captured = only(server, bin)

    assert captured["target"] == f"/b/{bin}{rest}"
    path, mark, query = captured["target"].partition("#")[0].partition("?")
    assert (captured["path"], captured["query"]) == (path, query if mark else None)


def test_an_http_1_0_request_is_captured(server: Server, bin: str) -> None:
    answer = exchange(server, f"POST /b/{bin} HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi".encode())

    assert answer.status == 200
    assert only(server, bin)["http_version"] == "1.0"


def test_a_request_that_asks_for_an_upgrade_is_captured_and_the_next_one_too(server: Server) -> None:
    """Java's HttpClient asks for h2c with its first POST."""
    upgrade = (
        b"POST /b/upgrade HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nContent-Length: 5\r\n\r\nfirst"
    )
    plain = b"POST /b/upgrade HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 6\r\n\r\nsecond"
    with connected(server) as connection:
        connection.sendall(upgrade)
        eventually(lambda: len(server.captured("upgrade")) == 1)
        connection.sendall(plain)
        answers = read_all(connection)

    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert [captured["body"]["text"] for captured in server.captured("upgrade")] == ["first", "second"]
    assert "upgrade" not in server.log().lower()


def test_requests_in_one_pipeline_are_all_captured_in_order(server: Server, bin: str) -> None:
    requests = [f"POST /b/{bin}/{number} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n" for number in range(10)]
    requests[-1] += "Connection: close\r\n"
    with connected(server) as connection:
        connection.sendall("".join(f"{request}\r\n{number}" for number, request in enumerate(requests)).encode())
        answers = read_all(connection)

    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 10
    assert [captured["path"] for captured in server.captured(bin)] == [f"/b/{bin}/{n}" for n in range(10)]


def test_the_sender_is_asked_for_a_body_that_it_holds_back(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(b"POST /b/expect HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
        connection.sendall(b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert parsed(read_all(connection)).status == 200

    assert only(server, "expect")["body"]["text"] == "abc"


def test_trailers_are_no_headers_neither_of_this_request_nor_of_the_next(server: Server) -> None:
    head = b"POST /b/trailers HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
    body = b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nContent-Type: text/html\r\n\r\n"
    with connected(server) as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        connection.sendall(head + b"Connection: close\r\n\r\n")
        assert read_all(connection).count(b"HTTP/1.1 200 OK\r\n") == 2

    first, second = server.captured("trailers")
    assert [name for name, _ in first["headers"]] == ["Host", "Content-Type", "Transfer-Encoding"]
    assert [name for name, _ in second["headers"]] == ["Host", "Content-Type", "Connection"]
    assert (first["content_type"], first["body"]["text"]) == ("text/plain", "abc")


# What a bin answers


def test_a_bin_answers_with_the_status_headers_and_body_of_its_owner(server: Server) -> None:
    headers = [["Content-Type", "application/json"], ["X-Twice", "1"], ["x-twice", "2"], ["x-latin", "caf\xe9"]]
    server.post("/bins", {"name": "tea", "response": {"status": 418, "headers": headers, "body": '{"é": 1}'}})

    answer = send(server, "POST /b/tea")

    own = [("content-length", "9"), ("content-security-policy", "sandbox"), ("connection", "close")]
    assert answer.status == 418
    assert answer.body == '{"é": 1}'.encode()
    given = [(name.lower(), value) for name, value in answer.headers if name.lower() != "date"]
    assert given == [(name.lower(), value) for name, value in headers] + own
    answer = {"status": 418, "rule": None, "delay_ms": 0, "fault": None, "error": None}
    assert only(server, "tea")["answer"] == answer


def test_a_delay_holds_up_the_answer_but_not_the_capture(server: Server) -> None:
    server.post("/bins", {"name": "slow", "response": {"delay_ms": 1500}})
    begun = time.monotonic()
    with connected(server) as connection:
        connection.sendall(b"GET /b/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        eventually(lambda: server.captured("slow"))
        kept = time.monotonic() - begun
        assert parsed(read_all(connection)).status == 200
        answered = time.monotonic() - begun

    assert kept < 1.4
    assert answered >= 1.5
    assert only(server, "slow")["answer"]["delay_ms"] == 1500


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_can_have_no_body_has_none(server: Server, status: int) -> None:
    server.post("/bins", {"name": f"empty-{status}", "response": {"status": status, "body": "not sent"}})

    answer = send(server, f"GET /b/empty-{status}")

    assert answer.status == status
    assert answer.body == b""
    assert answer.header("content-length") is None
    assert answer.header("transfer-encoding") is None


def test_a_head_is_captured_and_answered_without_the_body(server: Server, bin: str) -> None:
    answer = send(server, f"HEAD /b/{bin}")

    assert (answer.status, answer.header("content-length"), answer.body) == (200, "3", b"")
    assert only(server, bin)["method"] == "HEAD"


# Who may send, and to which bins


@pytest.mark.parametrize("host", ["evil.example", "localhost", "", "[::1]:80", "a b"])
def test_a_bin_takes_requests_for_any_host_and_from_other_sites_pages(server: Server, host: str) -> None:
    page = "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0"
    request = f"POST /b/any-host HTTP/1.1\r\nHost: {host}\r\n{page}\r\nConnection: close\r\n\r\n"

    assert exchange(server, request.encode()).status == 200


def test_the_first_request_makes_the_bin(server: Server) -> None:
    server.post("/b/brand-new/deep/down")

    assert server.get("/bins/brand-new")["request_count"] == 1


@pytest.mark.parametrize("name", ["UPPER", "-dash", "under_score", "a" * 64, "%C3%A9", "bin_abcdefghijklm", "%00", ""])
def test_an_address_that_is_no_name_makes_no_bin(server: Server, name: str) -> None:
    before = server.get("/bins?limit=250")

    check_problem(server.post(f"/b/{name}"), 404, "bin_not_found")

    assert server.get("/bins?limit=250") == before


def test_without_auto_create_an_unknown_bin_is_a_404(start_server: Callable[..., Server]) -> None:
    server = start_server("--no-auto-create")

    problem = check_problem(server.post("/b/unknown"), 404, "bin_not_found")

    assert "POST /bins" in problem["detail"]
    assert server.get("/bins")["data"] == []


# Bodies that are too large, and senders that go away


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose bins keep 1,000 bytes of a body."""
    with Server(tmp_path_factory.mktemp("strict") / "hookbin.db", "--max-body", "1000") as server:
        yield server


def test_a_body_at_the_limit_is_kept_whole(strict: Server) -> None:
    assert send(strict, "POST /b/at-limit", "Content-Length: 1000", body=b"x" * 1000).status == 200

    captured = only(strict, "at-limit")
    assert (captured["size"], captured["truncated"]) == (1000, False)


@pytest.mark.parametrize("size", [1001, 300_000, 5_000_000])
def test_a_body_over_the_limit_gets_a_413_and_is_kept_up_to_it(strict: Server, size: int) -> None:
    """However much of it is still on its way when the answer goes out."""
    bin = f"over-{size}"
    answer = send(strict, f"POST /b/{bin}", f"Content-Length: {size}", body=b"y" * size)

    captured = only(strict, bin)
    assert answer.status == 413
    assert b"larger" in answer.body
    assert (captured["truncated"], captured["size"], captured["declared_size"]) == (True, 1000, size)
    assert captured["body"] == {"size": 1000, "truncated": True, "text": "y" * 1000}
    assert captured["answer"]["status"] == 413


def test_a_chunked_body_over_the_limit_gets_a_413_too(strict: Server) -> None:
    body = b"600\r\n" + b"z" * 0x600 + b"\r\n0\r\n\r\n"
    answer = send(strict, "POST /b/over-chunked", "Transfer-Encoding: chunked", body=body)

    captured = only(strict, "over-chunked")
    assert answer.status == 413
    assert (captured["truncated"], captured["size"], captured["declared_size"]) == (True, 1000, None)


def test_the_connection_can_be_used_again_after_a_413(strict: Server) -> None:
    with httpx.Client(base_url=strict.url, trust_env=False, verify=False) as client:
        first = client.post("/b/reused", content=b"x" * 200_000)
        second = client.post("/b/reused", content=b"x")

    assert [first.status_code, second.status_code] == [413, 200]


@pytest.mark.parametrize(
    ("framing", "sent", "kept"),
    [(b"Content-Length: 100", b"01234567", "01234567"), (b"Transfer-Encoding: chunked", b"5\r\nabcde\r\n", "abcde")],
    ids=["declared", "chunked"],
)
def test_a_sender_that_breaks_off_is_kept_as_incomplete(
    server: Server, bin: str, framing: bytes, sent: bytes, kept: str
) -> None:
    with connected(server) as connection:
        connection.sendall(f"POST /b/{bin} HTTP/1.1\r\nHost: x\r\n".encode() + framing + b"\r\n\r\n" + sent)

    (captured,) = eventually(lambda: server.captured(bin))

    assert captured["incomplete"] is True
    assert captured["answer"] is None
    assert captured["body"]["text"] == kept
    assert captured["declared_size"] == (100 if b"Length" in framing else None)
    assert "Traceback" not in server.log()


def test_a_sender_that_posts_and_hangs_up_is_not_lost(server: Server, bin: str) -> None:
    request = f"POST /b/{bin} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nbye".encode()
    for _ in range(20):
        with connected(server) as connection:
            connection.sendall(request)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))  # a reset

    eventually(lambda: len(server.captured(bin)) == 20)

    assert {captured["body"]["text"] for captured in server.captured(bin)} == {"bye"}
    assert not any(captured["incomplete"] for captured in server.captured(bin))


@pytest.mark.parametrize("delay", [0, 200])
def test_a_sender_that_closes_its_side_after_its_request_gets_its_answer(server: Server, delay: int) -> None:
    server.post("/bins", {"name": f"half-closed-{delay}", "response": {"delay_ms": delay}})
    request = f"POST /b/half-closed-{delay} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    with connected(server) as connection:
        connection.sendall(request.encode())
        connection.shutdown(socket.SHUT_WR)
        assert parsed(read_all(connection)).status == 200

    captured = only(server, f"half-closed-{delay}")
    assert (captured["body"]["text"], captured["incomplete"]) == ("abc", False)


def test_a_sender_that_closes_its_side_amid_its_body_is_not_waited_for(server: Server, bin: str) -> None:
    with connected(server) as connection:
        connection.sendall(f"POST /b/{bin} HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nabc".encode())
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b""

    (captured,) = eventually(lambda: server.captured(bin))
    assert (captured["body"]["text"], captured["incomplete"]) == ("abc", True)


def test_a_sender_that_hangs_up_during_the_delay_is_no_error(server: Server) -> None:
    server.post("/bins", {"name": "left-early", "response": {"delay_ms": 200}})
    with connected(server) as connection:
        connection.sendall(b"GET /b/left-early HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: server.captured("left-early"))

    assert server.request("GET", "/b/left-early").status_code == 200
    assert "Traceback" not in server.log()


# Where it came from


def test_what_a_sender_says_of_its_address_is_not_believed(server: Server) -> None:
    send(server, "GET /b/forwarded", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")

    captured = only(server, "forwarded")
    assert captured["client"].startswith("127.0.0.1:")
    assert captured["scheme"] == "http"
    assert ["X-Forwarded-For", "203.0.113.9"] in captured["headers"]


def test_what_a_trusted_proxy_says_of_the_sender_s_address_is(start_server: Callable[..., Server]) -> None:
    server = start_server("--trust-proxy", "127.0.0.1")
    send(server, "GET /b/forwarded", "X-Forwarded-For: 198.51.100.7, 203.0.113.9", "X-Forwarded-Proto: HTTPS, http")

    captured = only(server, "forwarded")
    assert (captured["client"], captured["scheme"]) == ("203.0.113.9", "https")


@pytest.mark.parametrize(
    ("host", "port", "shown"),
    [
        ("::1", 5123, "[::1]:5123"),
        ("192.0.2.1", 5123, "192.0.2.1:5123"),
        ("::1", 0, "::1"),
        ("192.0.2.1", 0, "192.0.2.1"),
    ],
)
def test_an_address_and_its_port_can_be_told_apart(host: str, port: int, shown: str) -> None:
    assert address(host, port) == shown


# Our own webhooks


def deliver(server: Server, bin: str, **options: Any) -> Any:
    """The delivery of a ping to a bin of ours, once it succeeded."""
    webhook = server.register(f"{server.url}/b/{bin}", **options)
    (delivery,) = eventually(lambda: server.deliveries(webhook=webhook["id"], state="succeeded"))
    return server.get(f"/deliveries/{delivery['id']}")


def forwardable(headers: list[list[str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in ("host", "content-length")}


def test_an_attempt_id_is_not_believed_from_someone_else(server: Server) -> None:
    """Neither one that is over nor one made up, and least of all while the real one is under way."""
    attempt = deliver(server, "robbed")["attempts"][0]
    headers = forwardable(attempt["request"]["headers"])

    for forged in (attempt["id"], "att_00000000000000000000000000_1", ""):
        headers["hookbin-attempt-id"] = forged
        server.request("POST", "/b/forged", content=b"{}", headers=headers)

    captured = server.captured("forged")
    assert [(row["attempt_id"], row["signature"]["state"]) for row in captured] == [(None, "unchecked")] * 3


def test_a_body_that_was_changed_on_the_way_fails_its_signature(server: Server) -> None:
    """As if the destination relayed what it got, altered, while the attempt is still under way."""
    server.post("/bins", {"name": "held", "response": {"delay_ms": 1000}})
    server.register(f"{server.url}/b/held")
    first = eventually(lambda: server.captured("held"))[0]

    headers = forwardable(first["headers"])
    server.request("POST", "/b/altered", content=b"{}", headers=headers)

    assert first["signature"]["state"] == "ok"
    assert only(server, "altered")["signature"]["state"] == "failed"
