"""Connections by TLS and through a proxy: who is trusted, what is shown, and what each is asked."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from hookbin.config import Settings, check
from hookbin.errors import FieldsInvalid, StartError
from hookbin.models.deliveries import ErrorClass
from hookbin.wire.proxy import parse_proxy
from hookbin.wire.tls import trusting
from tests.raw_receiver import (
    LARGE,
    OK,
    RawReceiver,
    anyio_backend,
    listening,
    outcome,
    post,
    seen,
    sending,
)
from tests.support import free_port

__all__ = ["anyio_backend"]
pytestmark = pytest.mark.anyio


class Authority:
    """A root, an intermediate below it, and a receiver's certificate below that."""

    def __init__(self, *, host: str = "localhost", **options: Any) -> None:
        self.root = trustme.CA()
        self.intermediate = self.root.create_child_ca()
        self.leaf = self.intermediate.issue_cert(host, **options)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.leaf.configure_cert(self.context)

    def trusted(self, folder: Path, what: str) -> ssl.SSLContext:
        named = {
            "root": self.root.cert_pem,
            "intermediate": self.intermediate.cert_pem,
            "leaf": self.leaf.cert_chain_pems[0],
        }
        named[what].write_to_path(folder / f"{what}.pem")
        return trusting(folder / f"{what}.pem")


@pytest.mark.parametrize("what", ["root", "intermediate", "leaf"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_what_a_file_of_one_s_own_names_is_trusted(tmp_path: Path, what: str, version: ssl.TLSVersion) -> None:
    authority = Authority()
    authority.context.maximum_version = version
    receiver = RawReceiver(OK)
    async with receiver.serving(authority.context) as port, sending(tls=authority.trusted(tmp_path, what)) as sender:
        sent, again = [await post(sender, f"https://localhost:{port}/", body=LARGE) for _ in range(2)]
    assert outcome(sent) == outcome(again) == (200, None)
    assert (receiver.connections, receiver.bodies) == (1, [LARGE, LARGE])
    times, connection = seen(sent)
    assert times.tls is not None
    assert connection.tls == seen(again)[1].tls == version.name.replace("_", ".")
    assert connection.certificate == seen(again)[1].certificate
    assert connection.certificate is not None
    assert "trustme" in connection.certificate.subject


async def test_a_file_of_one_s_own_is_trusted_besides_the_system_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, other = Authority(), Authority()
    system.root.cert_pem.write_to_path(tmp_path / "system.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    async with RawReceiver(OK).serving(system.context) as port, sending(tls=other.trusted(tmp_path, "root")) as sender:
        assert outcome(await post(sender, f"https://localhost:{port}/")) == (200, None)


PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "trusts", "host", "words"),
    [
        ({}, False, "localhost", "is not trusted"),
        ({}, True, "127.0.0.1", "IP address mismatch"),
        ({"not_after": PAST}, True, "localhost", "has expired"),
    ],
)
async def test_a_certificate_that_is_refused_is_a_tls_error_and_shown(
    tmp_path: Path, options: dict[str, Any], trusts: bool, host: str, words: str
) -> None:
    authority, receiver = Authority(**options), RawReceiver(OK)
    tls = authority.trusted(tmp_path, "root") if trusts else trusting(None)
    async with receiver.serving(authority.context) as port, sending(tls=tls) as sender:
        sent = await post(sender, f"https://{host}:{port}/")
    assert outcome(sent) == (None, ErrorClass.TLS_ERROR)
    assert words in (sent.error_detail or "")
    certificate = seen(sent)[1].certificate
    assert certificate is not None
    assert "trustme" in certificate.issuer
    assert certificate.names == ("localhost",)
    assert receiver.heads == []


async def test_who_speaks_no_tls_is_told_from_who_is_not_trusted() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(refuse) as port, sending() as sender:
        sent = await post(sender, f"https://127.0.0.1:{port}/")
    assert outcome(sent) == (None, ErrorClass.TLS_ERROR)
    assert "speaks no TLS" in (sent.error_detail or "")
    assert sent.response_raw == b"HTTP/1.1 400 Bad Request\r\n\r\n"


@pytest.mark.parametrize("shown", [True, False])
async def test_a_client_certificate_is_shown_to_who_asks_for_one(tmp_path: Path, shown: bool) -> None:
    authority, own = Authority(), trustme.CA()
    authority.root.cert_pem.write_to_path(tmp_path / "ca.pem")
    mine = own.issue_cert("client.example")
    mine.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    mine.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.configure_trust(authority.context)
    authority.context.verify_mode = ssl.CERT_REQUIRED
    authority.context.maximum_version = ssl.TLSVersion.TLSv1_2  # where it is asked for before the handshake ends
    files = {"client_cert": tmp_path / "cert.pem", "client_key": tmp_path / "key.pem"} if shown else {}
    async with (
        RawReceiver(OK).serving(authority.context) as port,
        sending(tls=trusting(tmp_path / "ca.pem", **files)) as sender,
    ):
        sent = await post(sender, f"https://localhost:{port}/")
    assert outcome(sent) == ((200, None) if shown else (None, ErrorClass.TLS_ERROR))


async def test_who_wants_a_certificate_of_ours_says_so_also_behind_the_handshake(tmp_path: Path) -> None:
    """As by TLS 1.3. asyncio's own server would swallow the alert."""
    authority = Authority()
    trustme.CA().configure_trust(authority.context)
    authority.context.verify_mode = ssl.CERT_REQUIRED

    def refuse(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer, pytest.raises(ssl.SSLError):
            authority.context.wrap_socket(peer, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = asyncio.create_task(asyncio.to_thread(refuse, listener))
        async with sending(tls=authority.trusted(tmp_path, "root")) as sender:
            sent = await post(sender, f"https://localhost:{listener.getsockname()[1]}/")
        await refusing
    assert outcome(sent) == (None, ErrorClass.TLS_ERROR)
    assert (sent.error_detail or "").endswith("alert certificate required")


@pytest.mark.parametrize("content", [b"", b"no certificate", b"\xff\x00", None])
def test_a_file_without_certificates_is_no_start(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StartError, match=r"ca\.pem"):
        trusting(file)
    with pytest.raises(StartError, match=r"ca\.pem"):
        trusting(None, client_cert=file)


# A proxy


class TunnelProxy:
    """It opens the tunnels that it is asked for, and keeps the heads that it was asked with."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        self._answer = answer
        self.heads: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        writer.write(self._answer)
        if head.startswith(b"CONNECT") and b" 200 " in self._answer:
            host, _, port = head.split(b" ")[1].decode().rpartition(":")
            there, back = await asyncio.open_connection(host, int(port))
            await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                target.write(data)
        finally:
            target.transport.abort()


async def test_https_goes_through_a_tunnel_and_http_in_the_absolute_form(tmp_path: Path) -> None:
    authority, proxy = Authority(), TunnelProxy()
    async with listening(proxy) as at, RawReceiver(OK).serving(authority.context) as port:
        place = f"127.0.0.1:{at}"
        tunnel = parse_proxy(f"http://joe:s%40fe@{place}")
        async with sending(tls=authority.trusted(tmp_path, "root"), proxy=tunnel) as sender:
            sent = await post(sender, f"https://localhost:{port}/hook")
        assert outcome(sent) == (200, None)
        assert seen(sent)[1].address == place
        asked = f"CONNECT localhost:{port} HTTP/1.1\r\nhost: localhost:{port}\r\n"
        assert proxy.heads.pop().decode() == f"{asked}proxy-authorization: Basic am9lOnNAZmU=\r\n\r\n"
        async with sending(proxy=parse_proxy(f"http://{place}"), is_own=lambda url: "/b/" in url) as sender:
            sent = await post(sender, f"http://127.0.0.1:{port}/hook?x=%41", seconds=0.3)
            assert proxy.heads.pop().startswith(
                b"POST http://127.0.0.1:%d/hook?x=%%41 HTTP/1.1\r\nhost: 127.0.0.1" % port
            )
            await post(sender, f"http://127.0.0.1:{port}/b/joe", seconds=0.3)
    assert proxy.heads == [], "our own bins are reached without it"


async def test_a_proxy_that_opens_no_way_is_told_with_its_answer() -> None:
    async with listening(TunnelProxy(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")) as at:
        place = f"127.0.0.1:{at}"
        async with sending(proxy=parse_proxy(f"http://{place}")) as sender:
            sent = await post(sender, "https://localhost:9/")
            nowhere = await post(sender, "https://169.254.169.254/")
    assert outcome(sent) == (None, ErrorClass.CONNECTION_REFUSED)
    assert sent.error_detail == f"the proxy {place} opened no way to localhost:9: it answered 407"
    assert nowhere.error is ErrorClass.BLOCKED_TARGET
    port = free_port()
    async with sending(proxy=parse_proxy(f"http://localhost:{port}")) as sender:
        gone = await post(sender, "https://localhost:9/")
    assert gone.error_detail == f"nothing listens on the proxy localhost:{port}"


@pytest.mark.parametrize(
    "url", ["proxy:3128", "https://proxy:1", "http://proxy", "http://proxy:1/x", "http://:1", "http://a:b"]
)
def test_a_proxy_is_named_by_a_url_with_a_port(url: str) -> None:
    with pytest.raises(FieldsInvalid, match="HOST:PORT"):
        check(Settings(proxy=url))
