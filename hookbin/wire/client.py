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

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import httpx

from hookbin.errors import OutOfResources
from hookbin.models.common import Headers
from hookbin.models.deliveries import ErrorClass
from hookbin.wire import failure
from hookbin.wire.client_connection import ClientConnection
from hookbin.wire.dialing import Dialer
from hookbin.wire.evidence import Evidence
from hookbin.wire.failure import Failure
from hookbin.wire.place import Located, Place
from hookbin.wire.pool import Pool

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class WireRequest(httpx.Request):
    """A request for `WireTransport`, which sends exactly this.

    It is httpx's by its type, so that another transport can take the place of ours, and by nothing else: httpx takes
    no URL as long as a captured one can be, and would take the headers apart and sort them for nobody. `evidence` is
    filled in, and `seconds` are how long all of it may take.
    """

    def __init__(
        self, method: str, where: Located, pairs: Headers, body: bytes, *, evidence: Evidence, seconds: float
    ) -> None:
        self.method = method
        self.where = where
        self.pairs = pairs
        self.evidence = evidence
        self.seconds = seconds
        self._content = body  # where httpx looks for it

    @property
    def body(self) -> bytes:
        return self._content


class WireResponse(httpx.Response):
    """An answer, for the same reason httpx's by its type alone; `pairs` are its headers as they came."""

    def __init__(self, status: int, pairs: Headers, stream: httpx.AsyncByteStream) -> None:
        self.status_code = status
        self.pairs = pairs
        self.stream = self._body = stream

    async def aclose(self) -> None:
        await self._body.aclose()


class WireTransport(httpx.AsyncBaseTransport):
    """Sends what is a `WireRequest`. Raises `Failure`, `OutOfResources`, and `TimeoutError` when its time is over."""

    def __init__(self, dialer: Dialer, *, monotonic: Callable[[], float]) -> None:
        self._dialer = dialer
        self._pool = Pool(monotonic)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request, WireRequest)
        evidence, seconds = request.evidence, request.seconds
        place = request.where.place
        head = self._head(request)
        connection = self._pool.take(place)
        evidence.reused = connection is not None
        try:
            if connection is None:
                async with asyncio.timeout(seconds):
                    connection = await self._dial(place, evidence)
                seconds -= evidence.monotonic() - evidence.started
            evidence.address = connection.address
            evidence.tls, evidence.certificate = connection.tls_version, connection.certificate
            connection.limit(seconds)
            answer = await connection.exchange(request.method, head, request.body, evidence)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, Failure):
                error.evidence = evidence
            raise
        assert answer.status is not None
        return WireResponse(answer.status, answer.headers, _AnswerStream(connection, self._pool, place, evidence))

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

    def _head(self, request: WireRequest) -> bytes:
        """The request line and the headers, as bytes (RFC 9112, 3 and 5)."""
        proxy = self._dialer.proxy
        if proxy is None or request.where.place.scheme != "http":
            return head_of(request.method, request.where.target, request.pairs)
        if request.method == "CONNECT":
            raise Failure(ErrorClass.UNSENDABLE, "CONNECT can't go through a proxy: it would be meant for that")
        return head_of(request.method, request.where.as_sent, (*request.pairs, *proxy.headers))


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

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._connection.read()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Before the end of the body it costs the connection."""
        if not self._is_closed:
            self._is_closed = True
            self._evidence.note = self._connection.note
            self._pool.give_back(self._place, self._connection)
