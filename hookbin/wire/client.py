"""httpx-aiohttp's transport, with the target and the headers going out as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import lru_cache, partial
from typing import Any, cast

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import map_aiohttp_exceptions
from yarl import URL

from hookbin.models.common import Headers

PIECE_BYTES = 256 * 1024
"""How much of a request body is handed over at a time."""
MAX_INTERIM = 20
"""Interim answers (1xx) before the answer itself."""
_ANY_URL = httpx.URL("http://localhost/")


def request_of(method: str, url: str, headers: Headers, body: bytes, *, connect: float) -> httpx.Request:
    """A request for `ExactTransport`; `connect` are the seconds that a connection may take to be made.

    httpx is not shown the URL, since it takes none as long as a captured one can be, nor the headers, which it
    would take apart and sort for nobody: `target` and `headers` among the extensions are what is sent.
    """
    extensions = {"target": url, "headers": headers, "timeout": {"connect": connect}}
    return httpx.Request(method, _ANY_URL, stream=_Body(body), extensions=extensions)


class ExactTransport(AiohttpTransport):
    """Sends what `request_of` makes, as it is.

    The one it stands on quotes the URL anew, writes the names of headers in lower case and joins
    those that stand there twice. Headers must be UTF-8: aiohttp writes no other. The session that it
    is given must have `put_exact_headers` in a trace config, for the start of a request.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        session = self.get_client()
        self.client = session
        given = request.extensions
        try:
            response = await session.request(
                request.method,
                _exact(given["target"]),
                trace_request_ctx=[(_text(name), _text(value)) for name, value in given["headers"]],
                data=_data(request),
                allow_redirects=False,
                timeout=_timeout(given["timeout"]["connect"]),
            )
        except Exception:
            with map_aiohttp_exceptions():
                raise
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Answer(response), request=request)


async def put_exact_headers(_: object, context: object, params: aiohttp.TraceRequestStartParams) -> None:
    """Puts a request's headers in last of all: given to `request`, of two that differ in case one would be lost."""
    params.headers.clear()
    params.headers.extend(context.trace_request_ctx)  # type: ignore[attr-defined]


class Connector(aiohttp.TCPConnector):
    """One whose connections take `MAX_INTERIM` interim answers (1xx) in a row and no more.

    aiohttp reads them without a bound and without a pause, so a destination that sends nothing else
    would hold up everything and fill the memory until its time is over.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = cast(Any, partial(_Reader, loop=self._loop))


class _Reader(ResponseHandler):
    _interim = 0

    def feed_data(self, data: Any, size: int = 0) -> None:
        status = data[0].code
        self._interim = self._interim + 1 if 100 <= status < 200 and status != 101 else 0
        if self._interim <= MAX_INTERIM:
            super().feed_data(data, size)
            return
        self.set_exception(HttpProcessingError(code=400, message=f"more than {MAX_INTERIM} interim answers (1xx)"))
        if self.transport is not None:
            self.transport.abort()


class _Body(httpx.AsyncByteStream):
    """What is sent: a large body piece by piece, so that the event loop is never held up for long."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), PIECE_BYTES):
            yield self.content[start : start + PIECE_BYTES]


class _Answer(httpx.AsyncByteStream):
    """A response's body as it comes in, at most aiohttp's buffer at a time."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while chunk := await self._response.content.readany():
                yield chunk
        except Exception:
            with map_aiohttp_exceptions():
                raise

    async def aclose(self) -> None:
        try:
            await self._response.__aexit__(None, None, None)
        except Exception:
            with map_aiohttp_exceptions():
                raise


def url_as_sent(url: str) -> str:
    """The URL as its target and host go out: without anything quoted anew, and with the path that it must have."""
    exact = _exact(url)
    return f"{exact.scheme}://{exact.raw_authority}{exact.raw_path_qs}"


def _exact(url: str) -> URL:
    exact = URL(url, encoded=True)
    if not url.endswith("?") or exact.raw_query_string:
        return exact
    # yarl drops a query that is there and empty; as part of the path it goes out.
    return URL.build(scheme=exact.scheme, authority=exact.raw_authority, path=f"{exact.raw_path or '/'}?", encoded=True)


@lru_cache(maxsize=16)
def _timeout(connect: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect)


def _data(request: httpx.Request) -> bytes | httpx.AsyncByteStream | None:
    assert isinstance(request.stream, _Body)
    return request.stream if len(request.stream.content) > PIECE_BYTES else request.stream.content or None


def _text(value: str) -> str:
    """As aiohttp, which writes UTF-8, has to be given it."""
    return value if value.isascii() else value.encode("latin-1").decode()
