"""httpx-aiohttp's transport, with the target and the headers going out as they are."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions
from yarl import URL


class ExactTransport(AiohttpTransport):
    """Sends what it is given.

    The one it stands on quotes the URL anew, writes the names of headers in lower case and joins
    those that stand there twice. A request's extension `target` is the URL as it is to be sent,
    and `timeout` has the seconds for a `connect`. Headers must be UTF-8: aiohttp writes no other. The
    session that it is given must have `exact_headers()` among its trace configs.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        session = self.get_client()
        self.client = session
        with map_aiohttp_exceptions():
            response = await session.request(
                request.method,
                _exact(request.extensions["target"]),
                trace_request_ctx=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=_body(request),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=request.extensions["timeout"]["connect"]),
            )
        return httpx.Response(
            response.status, headers=response.raw_headers, stream=AiohttpResponseStream(response), request=request
        )


def exact_headers() -> aiohttp.TraceConfig:
    """Puts a request's headers in last of all: given to `request`, of two that differ in case one would be lost."""
    trace = aiohttp.TraceConfig()

    async def starting(
        _: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        params.headers.clear()
        params.headers.extend(context.trace_request_ctx)

    trace.on_request_start.append(starting)
    return trace


@lru_cache(maxsize=4096)
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


def _body(request: httpx.Request) -> bytes | httpx.AsyncByteStream | None:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        return request.stream
