"""HTTP/1.1 towards a receiver, behind httpx's transport interface: one attempt is one request on the wire.

A log is only true if nothing is sent that it does not show. A client that pools connections usually sends a
request again, by itself, when a kept connection turns out to be closed: it can't know whether the receiver had
read the first one. Here nothing is ever sent twice. From the first byte that was handed over, whatever happens is
this attempt's outcome, and the next attempt is the dispatcher's to make.

- A kept connection is used only if one look at its descriptor, right before the request goes out, finds it open
  and nothing to be read (RFC 9112, 9.3 and 9.5), and if it was idle for less than 4 s or what the receiver said in
  `Keep-Alive`. What comes on an idle connection closes it, and is never an answer (9.2).
- What remains is the instant in which a receiver closes while a request is on its way: an outcome, told as such.
- The status line decides. Whatever is wrong behind it costs the connection and is noted (`wire.answer`).
- An answer that comes while the body still goes out is read, and ends the sending (9.5).
- Everything is bounded: 256 KiB of head, 20 interim answers, 256 KiB of body ahead of its reader, 256 idle
  connections, 64 look-ups; time is bounded by whoever calls, and 10 s for a connection.
- What this process lacks itself (descriptors, memory, threads) is no failure of the receiver's: `OutOfResources`.
- `Evidence` goes along with each exchange, and holds what was seen of it whether it failed or not.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx

from hookbin.errors import OutOfResources
from hookbin.models.common import Headers
from hookbin.models.deliveries import ErrorClass
from hookbin.wire import failure
from hookbin.wire.client_connection import ClientConnection
from hookbin.wire.dialing import Dialer
from hookbin.wire.evidence import Evidence
from hookbin.wire.failure import Failure
from hookbin.wire.place import Place, split_url, url_as_sent
from hookbin.wire.pool import Pool

_ANY_URL = httpx.URL("http://localhost/")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def request_of(method: str, url: str, headers: Headers, body: bytes, *, evidence: Evidence) -> httpx.Request:
    """A request for `WireTransport`, which sends exactly this.

    httpx is not shown the URL, since it takes none as long as a captured one can be, nor the headers, which it
    would take apart and sort for nobody: `target` and `headers` among the extensions are what is sent.
    """
    extensions = {"target": url, "headers": headers, "body": body, "evidence": evidence}
    return httpx.Request(method, _ANY_URL, extensions=extensions)


class WireTransport(httpx.AsyncBaseTransport):
    """Sends what `request_of` makes. Raises `Failure` and `OutOfResources`."""

    def __init__(self, dialer: Dialer, *, monotonic: Callable[[], float]) -> None:
        self._dialer = dialer
        self._pool = Pool(monotonic)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        given = request.extensions
        evidence: Evidence = given["evidence"]
        place, target = split_url(given["target"])
        head = self._head(request.method, place, target, given)
        connection = self._pool.take(place)
        evidence.reused = connection is not None
        try:
            if connection is None:
                connection = await self._dial(place, evidence)
            evidence.address = connection.address
            evidence.tls, evidence.certificate = connection.tls_version, connection.certificate
            answer = await connection.exchange(request.method, head, given["body"], evidence)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, Failure):
                error.evidence = evidence
            raise
        assert answer.status is not None
        stream = _AnswerStream(connection, self._pool, place, evidence)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        return httpx.Response(answer.status, headers=headers, stream=stream, request=request)

    async def aclose(self) -> None:
        self._pool.clear()

    async def _dial(self, place: Place, evidence: Evidence) -> ClientConnection:
        try:
            return await self._dialer.dial(place, evidence)
        except OutOfResources as error:
            if not (isinstance(error.__cause__, OSError) and self._pool.clear()):
                raise
            return await self._dialer.dial(place, evidence)  # with the descriptors of what was idle
        except MemoryError as error:
            raise failure.out_of_memory() from error

    def _head(self, method: str, place: Place, target: str, given: Mapping[str, Any]) -> bytes:
        """The request line and the headers, as bytes (RFC 9112, 3 and 5)."""
        headers: Headers = given["headers"]
        proxy = self._dialer.proxy
        if proxy is not None and place.scheme == "http":
            if method == "CONNECT":
                raise Failure(ErrorClass.UNSENDABLE, "CONNECT can't go through a proxy: it would be meant for that")
            target, headers = url_as_sent(given["target"]), (*headers, *proxy.headers)
        return head_of(method, target, headers)


def head_of(method: str, target: str, headers: Headers) -> bytes:
    """The bytes of a request up to its body. Raises `Failure` for what would read as something else."""
    lines = [f"{method} {target} HTTP/1.1\r\n", *[f"{name}: {value}\r\n" for name, value in headers], "\r\n"]
    text = "".join(lines)
    whole = text.count("\n") == text.count("\r") == len(lines) and "\0" not in text
    if not whole or " " in target or _TOKEN.fullmatch(method) is None:
        detail = "its method, target or a header holds a line break, a NUL or a space where HTTP allows none"
        raise Failure(ErrorClass.UNSENDABLE, detail)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise Failure(ErrorClass.UNSENDABLE, "a header holds characters that HTTP can't carry") from None


class _AnswerStream(httpx.AsyncByteStream):
    """An answer's body as it comes in."""

    def __init__(self, connection: ClientConnection, pool: Pool, place: Place, evidence: Evidence) -> None:
        self._connection = connection
        self._pool = pool
        self._place = place
        self._evidence = evidence
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._connection.read():
            yield piece

    async def aclose(self) -> None:
        """Before the end of the body it costs the connection."""
        if not self._is_closed:
            self._is_closed = True
            self._evidence.note = self._connection.note
            self._pool.give_back(self._place, self._connection)
