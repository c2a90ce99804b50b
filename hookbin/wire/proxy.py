"""A proxy that deliveries go through: a tunnel for https, the absolute form for http (RFC 9110, 9.3.6; 9112, 3.2.2).

What is judged is what we resolve ourselves before: the proxy is given the name, and may find another address.
"""

from __future__ import annotations

import base64
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from hookbin.errors import FieldsInvalid
from hookbin.models.common import Headers
from hookbin.models.deliveries import ErrorClass
from hookbin.wire.client_connection import ClientConnection
from hookbin.wire.evidence import Evidence
from hookbin.wire.failure import Failure
from hookbin.wire.place import Place, address_text


class Proxy(Struct, frozen=True, kw_only=True):
    """Where it is, and what it is told of who asks."""

    host: str
    port: int
    authorization: str | None = None

    @property
    def named(self) -> str:
        return address_text(self.host, self.port)

    @property
    def headers(self) -> Headers:
        """What each request to it bears besides its own."""
        return () if self.authorization is None else (("proxy-authorization", self.authorization),)

    async def open_tunnel(self, connection: ClientConnection, place: Place, evidence: Evidence) -> None:
        """Raises `Failure` when it opens none."""
        lines = [f"CONNECT {place.named} HTTP/1.1", f"host: {place.named}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        head = "\r\n".join((*lines, "", "")).encode("latin-1")
        answer = await connection.exchange("CONNECT", head, b"", Evidence(evidence.monotonic))
        if not (answer.status and 200 <= answer.status < 300):
            detail = f"the proxy {self.named} opened no way to {place.named}: it answered {answer.status}"
            raise Failure(ErrorClass.CONNECTION_REFUSED, detail)
        connection.release(evidence.monotonic())


def parse_proxy(url: str) -> Proxy:
    """`http://[user:password@]host:port`. Raises `FieldsInvalid`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.scheme != "http" or parts.path.strip("/") or parts.query or parts.fragment:
        raise FieldsInvalid(("proxy", "use http://HOST:PORT, maybe with USER:PASSWORD@ before the host"))
    if parts.username is None:
        return Proxy(host=host, port=port)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(host=host, port=port, authorization=f"Basic {base64.b64encode(credentials).decode()}")
