"""What is taken as HTTP/1.1 and what is not, byte by byte, and what its sender is told."""

from __future__ import annotations

import base64
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest

from hookbin.wire.head import MAX_FIELDS, MAX_HEAD
from tests.support import Server, eventually
from tests.wire import Wire, check_problem, connected, exchange, parsed, read_all

METHODS = ("GET", "LIST", "BAN", "patch", "FOO", "M-SEARCH", "head", "PRI", "x" * 1000, "!#$%&'*+-.^_`|~0aZ")
HOST = "Host: x\r\nConnection: close\r\n"


def sent(server: Server, request: str) -> Wire:
    return exchange(server, request.encode("latin-1"))


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_any_token_in_any_case(server: Server, method: str) -> None:
    bin = f"method-{METHODS.index(method)}"
    assert sent(server, f"{method} /b/{bin} HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\nhi").status == 200

    (captured,) = server.captured(bin)
    assert (captured["method"], captured["body"]["text"]) == (method, "hi")


@pytest.mark.parametrize("size", [65_000, 65_535, 65_540, 200_000])
def test_a_target_may_be_long(server: Server, size: int) -> None:
    target = f"/b/long-{size}?q=".ljust(size, "a")
    assert sent(server, f"GET {target} HTTP/1.1\r\n{HOST}\r\n").status == 200

    (captured,) = server.captured(f"long-{size}")
    assert captured["target"] == target


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "not whole"])
def test_a_head_may_have_256_kib(server: Server, over: int, whole: bool) -> None:
    head = f"GET /b/largest-{over}? HTTP/1.1\r\n{HOST}\r\n"
    head = head.replace("?", "?".ljust(MAX_HEAD - len(head) + 1 + over, "a"))
    with connected(server) as connection:
        connection.sendall(head.encode() if whole else head[:-1].encode() + b"x" * over)
        if not (whole or over):
            connection.sendall(b"\n")
        answer = parsed(read_all(connection))

    assert answer.status == (431 if over else 200)
    assert not over or b'"code":"head_too_large"' in answer.body


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "not whole"])
def test_a_head_may_have_2000_fields(server: Server, over: int, whole: bool) -> None:
    fields = "A:\r\n" * (MAX_FIELDS - 2 + over)
    with connected(server) as connection:
        connection.sendall(f"GET /b/fields-{over} HTTP/1.1\r\n{HOST}{fields}".encode())
        if whole or not over:
            connection.sendall(b"\r\n")
        assert parsed(read_all(connection)).status == (431 if over else 200)


TRAILERS = {
    "most": "A: b\r\n" * MAX_FIELDS,
    "more": "A: b\r\n" * (MAX_FIELDS + 1),
    "long": f"A: {'b' * 3 * MAX_HEAD}\r\n",
}


@pytest.mark.parametrize("kind", TRAILERS)
def test_a_body_may_have_2000_trailers_and_none_without_end(server: Server, kind: str) -> None:
    head = f"POST /b/trailers-{kind} HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    assert sent(server, f"{head}{TRAILERS[kind]}\r\n").status == (200 if kind == "most" else 431)

    (captured,) = eventually(lambda: server.captured(f"trailers-{kind}"))
    assert (captured["body"]["text"], captured["incomplete"]) == ("a", kind != "most")
    assert len(captured["trailers"]) == (MAX_FIELDS if kind == "most" else 0)


FAULTS = {
    "GET /b/x HTTP/1.1\nHost: x\n\n": "line 1: the line ends in LF alone; a line of HTTP ends in CR LF (byte 17)",
    "GET /b/x HTTP/1.1\r\nHost: x\n\r\n": "line 2: the line ends in LF alone; a line of HTTP ends in CR LF (byte 26)",
    "GET /b/x HTTP/1.1\r\nA: 1\r\n 2\r\n\r\n": "line 3: the header field before goes on here",
    "GET /b/x HTTP/1.1\r\n A: 1\r\n\r\n": "line 2: the header field before goes on here",
    "GET /b/x?q=a b HTTP/1.1\r\n\r\n": "line 1: the target has a blank; in a URL it is written %20 (byte 13)",
    "GET /b/\xc3\xbc HTTP/1.1\r\n\r\n": "line 1: the target has the byte 0xC3; in a URL it is written %C3 (byte 7)",
    "GET  /b/x HTTP/1.1\r\n\r\n": "line 1: the target has a blank",
    "GET /b/x\x01 HTTP/1.1\r\n\r\n": "line 1: the target has the byte 0x01",
    "G@T /b/x HTTP/1.1\r\n\r\n": "line 1: the method has '@', which no method can have (byte 1)",
    " GET /b/x HTTP/1.1\r\n\r\n": "line 1: the request line begins with a blank",
    "GET b/x HTTP/1.1\r\n\r\n": "line 1: the target is neither a path that begins with / nor a whole URL (byte 4)",
    "GET /b/x\r\n\r\n": "line 1: the request line is not METHOD TARGET HTTP/1.1",
    "GET /b/x HTTP/1.1 \r\n\r\n": "line 1: the target has a blank",
    "GET /b/x HTTP/2.0\r\n\r\n": "line 1: the version HTTP/2.0 is not spoken here; use HTTP/1.1",
    "GET /b/x HTTP/1.2\r\n\r\n": "line 1: the version HTTP/1.2 is not spoken here; use HTTP/1.1",
    "GET /b/x http/1.1\r\n\r\n": "line 1: the request line does not end in HTTP/1.1",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": "line 1: the version HTTP/2.0 is not spoken here",
    "\x16\x03\x01\x02\x00\x01\x00": "line 1: this is a TLS handshake; the server speaks plain HTTP here",
    "GET /b/x HTTP/1.1\r\nno colon\r\n\r\n": "line 2: the line is no header field: it has no colon",
    "GET /b/x HTTP/1.1\r\n: x\r\n\r\n": "line 2: the header field has no name",
    "GET /b/x HTTP/1.1\r\nA : x\r\n\r\n": "line 2: the header field's name has a blank (byte 20)",
    "GET /b/x HTTP/1.1\r\nA\xe9: x\r\n\r\n": "line 2: the header field's name has the byte 0xE9",
    "GET /b/x HTTP/1.1\r\nA: a\0b\r\n\r\n": "line 2: the header field's value has a NUL (byte 23)",
    "GET /b/x HTTP/1.1\r\nA: a\rb\r\n\r\n": "line 2: the header field's value has a CR that ends no line",
    "POST /b/x HTTP/1.1\r\nContent-Length: 2\r\nA: b\r\ncontent-length: 2\r\n\r\nhi": "line 4: Content-Length is there",
    "POST /b/x HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\nhi": "line 2: Content-Length is no number of bytes (byte 20)",
    "POST /b/x HTTP/1.1\r\nContent-Length: +2\r\n\r\nhi": "line 2: Content-Length is no number",
    "POST /b/x HTTP/1.1\r\nContent-Length:\r\n\r\n": "line 2: Content-Length is no number",
    "POST /b/x HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n": "line 2: Content-Length is no number",
    "POST /b/x HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "line 3: Content-Length",
    "POST /b/x HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n": "line 2: Transfer-Encoding must",
    "POST /b/x HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n": "line 2: Transfer-Encoding must",
    "POST /b/x HTTP/1.1\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n": "line 2: Transfer-Encoding must",
    "PUT /b/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "line 3: Tran",
}
"""What is no HTTP, and what its sender is told."""


@pytest.mark.parametrize("message", FAULTS, ids=range(len(FAULTS)))
def test_what_is_no_http_is_answered_with_the_fault_and_its_place(server: Server, message: str) -> None:
    with connected(server) as connection:
        connection.sendall(message.replace("/b/x", "/b/faults").encode("latin-1"))
        answer = parsed(read_all(connection))

    assert answer.status == 400
    assert answer.header("connection") == "close"
    assert answer.header("content-type") == "application/problem+json"
    words = FAULTS[message].partition(" (byte ")[0]
    assert words in answer.body.decode()


def test_a_good_request_with_rubbish_behind_it_is_answered_first(server: Server) -> None:
    good = b"POST /b/good HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
    with connected(server) as connection:
        connection.sendall(good + b"\x00\xffrubbish\r\n\r\n")
        answers = read_all(connection)

    assert answers.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answers.count(b"HTTP/1.1 400 Bad Request\r\n") == 1
    assert [captured["body"]["text"] for captured in server.captured("good")] == ["hi"]


def test_bytes_behind_the_last_request_are_not_looked_at(server: Server) -> None:
    last = f"POST /b/last HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\nhi"
    assert sent(server, f"{last}GET /b/last HTTP/1.1\r\n\r\n").status == 200
    assert len(server.captured("last")) == 1


CHUNK_FAULTS = [
    "3 \r\nabc\r\n0\r\n\r\n",
    "3\nabc\r\n0\r\n\r\n",
    "3\r\nabcd\r\n0\r\n\r\n",
    "-3\r\nabc\r\n0\r\n\r\n",
    "0x3\r\nabc\r\n",
    "3;\x01\r\nabc\r\n0\r\n\r\n",
    "\r\n3\r\nabc\r\n0\r\n\r\n",
    "0\r\n A: b\r\n\r\n",
    "0\r\nA : b\r\n\r\n",
    "fffffffffffffffff\r\n",
]


@pytest.mark.parametrize("chunks", CHUNK_FAULTS, ids=range(len(CHUNK_FAULTS)))
def test_a_broken_chunk_ends_the_request_and_what_came_before_is_kept(server: Server, chunks: str) -> None:
    bin = f"chunk-{CHUNK_FAULTS.index(chunks)}"
    answer = sent(server, f"POST /b/{bin} HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n{chunks}")

    assert answer.status == 400
    (captured,) = eventually(lambda: server.captured(bin))
    assert captured["incomplete"]
    assert captured["body"]["text"].startswith("hi")


def test_the_next_request_is_not_begun_while_the_last_answer_is_not_read(server: Server) -> None:
    """Pipelined, with an answer of 256 KiB that nobody takes: the server holds one of them."""
    server.post("/bins", {"name": "unread", "response": {"body": "x" * 256 * 1024}}).raise_for_status()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.settimeout(0.5)
        with suppress(TimeoutError):
            for _ in range(200):
                connection.sendall(b"GET /b/unread HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        begun = server.get("/bins/unread")["request_count"]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert begun < 50


# What a refusal leaves


def test_what_is_no_http_and_names_a_bin_is_kept_in_it(server: Server) -> None:
    server.post("/bins", {"name": "broken"}).raise_for_status()
    message = b"GET /b/broken?q=a b HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(server) as connection:
        connection.sendall(message)
        connection.sendall(b"and \xff more")
        assert parsed(connection.recv(65536)).status == 400
        (captured,) = server.captured("broken")  # what was answered is kept

    reason = "line 1: the target has a blank; in a URL it is written %20"
    assert captured["malformed"] == {"reason": reason, "offset": 17}
    assert (captured["method"], captured["target"], captured["headers"]) == ("", "", [])
    assert captured["answer"]["status"] == 400
    assert base64.b64decode(captured["body"]["base64"]) == message + b"and \xff more"
    for format in ("curl", "httpie", "python", "har"):
        answer = server.call("GET", f"/requests/{captured['id']}/export?format={format}")
        check_problem(answer, 409, "request_malformed")
    raw = server.call("GET", f"/requests/{captured['id']}/export?format=raw").content
    assert raw == message + b"and \xff more"
    assert server.call("GET", "/bins/broken/export?format=ndjson").json()["malformed"]["offset"] == 17
    har = server.call("GET", "/bins/broken/export?format=har").json()["log"]
    assert (har["entries"], "NDJSON" in har["comment"]) == ([], True)
    check_problem(server.call("GET", "/bins/broken/wait?timeout=0"), 408, "wait_timed_out")
    replay = server.post(f"/requests/{captured['id']}/replay", {"destination": f"{server.url}/b/other"})
    check_problem(replay, 409, "request_malformed")
    assert "This is no HTTP" in server.call("GET", f"/ui/requests/{captured['id']}").text
    assert f"<bdi>{reason}</bdi>" in server.call("GET", "/ui/bins/broken").text


def test_what_names_no_bin_is_told_of_by_itself(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with connected(server) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        read_all(connection)

    newest = eventually(lambda: [row for row in server.get("/refusals")["data"] if "TLS" in row["reason"]])[0]

    assert (newest["status"], newest["offset"]) == (400, 0)
    assert newest["client"].startswith("127.0.0.1:")
    assert newest["beginning"]["text"] == "\x16\x03\x01\x02\x00\x01\x00"
    assert "TLS handshake" in server.call("GET", "/ui/?show=problems").text
    assert "TLS handshake" in server.log()
    assert "hookbin_refusals_total 1.0" in server.call("GET", "/metrics").text


HOSTS = {
    "Host: localhost\r\nHost: evil.example\r\n": "host_repeated",
    "Host: localhost, evil.example\r\n": "host_malformed",
    "Host: local host\r\n": "host_malformed",
    "Host: localhost/x\r\n": "host_malformed",
    "Host: [::1\r\n": "host_malformed",
}


@pytest.mark.parametrize("hosts", HOSTS, ids=range(len(HOSTS)))
def test_a_doubtful_host_is_refused_on_the_api_and_flagged_in_a_bin(server: Server, hosts: str) -> None:
    bin = f"host-{list(HOSTS).index(hosts)}"
    assert sent(server, f"GET /b/{bin} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n").status == 200
    for path in ("/bins", "/ui/"):
        assert sent(server, f"GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n").status == 400

    (captured,) = server.captured(bin)
    assert captured["flags"] == [HOSTS[hosts]]
