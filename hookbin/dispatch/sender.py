"""One attempt over HTTP: what goes out, what comes back, or why nothing did."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache, partial

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from msgspec import Struct

from hookbin.delivery.headers import masked
from hookbin.delivery.targets import Policy, literal_address, refusal
from hookbin.dispatch import request_headers
from hookbin.errors import FieldsInvalid
from hookbin.models.common import Headers
from hookbin.models.deliveries import ErrorClass
from hookbin.models.events import Event
from hookbin.models.webhooks import Webhook
from hookbin.wire.client import Connector, ExactTransport, put_exact_headers, request_of, url_as_sent
from hookbin.wire.resolver import BlockedTarget, Lookup, Resolver
from hookbin.wire.tls import trusting

RESPONSE_BYTES = 64 * 1024
"""How much of a response body is kept."""
DETAIL_CHARACTERS = 500
"""What is kept of a library's words on a failure, which can quote what came back."""
CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 15.0
MAX_TARGETS = 4096
"""Destinations of which is kept what a look at their URL says."""


class Sent(Struct, frozen=True, kw_only=True):
    """An attempt as it went over the wire. Without an answer `status` is None and `error` says why."""

    url: str
    request_headers: Headers
    status: int | None = None
    response_headers: Headers | None = None
    response_body: bytes | None = None
    response_truncated: bool = False
    error: ErrorClass | None = None
    error_detail: str | None = None


class _Answer(Struct, frozen=True):
    status: int
    headers: Headers
    body: bytes
    truncated: bool


class _Target(Struct, frozen=True):
    """What a look at a URL says."""

    url: str
    """As it goes out."""
    own: bool
    """It is one of our own bins'."""


class _Dial:
    """What is known of the connection that one attempt uses."""

    __slots__ = ("connecting", "resolving", "reused")

    def __init__(self) -> None:
        self.resolving = False
        self.connecting = False
        self.reused = False

    @property
    def late(self) -> ErrorClass:
        """What a deadline cut short."""
        if self.resolving:
            return ErrorClass.DNS_ERROR
        return ErrorClass.CONNECT_TIMEOUT if self.connecting else ErrorClass.TIMEOUT


_dial: ContextVar[_Dial] = ContextVar("hookbin_dial")


class Sender:
    """Sends attempts and keeps connections alive between them. `aclose` ends it."""

    def __init__(
        self,
        *,
        policy: Policy,
        is_own: Callable[[str], bool],
        origin: str = "localhost",
        tls: ssl.SSLContext | None = None,
        lookup: Lookup = socket.getaddrinfo,
    ) -> None:
        """`origin` is what destinations know this server by, in a handshake and after it.

        `tls` says which certificates are trusted, by default those that the system trusts.
        """
        self.origin = origin
        self._policy = policy
        self._is_own = is_own
        self._destination = lru_cache(maxsize=MAX_TARGETS)(self._target)
        context = tls or trusting(None)
        # Two, so that no connection that was allowed as one to a bin is used again for anything else.
        to_bins = Resolver(refusal=lambda address: None, lookup=lookup)
        to_others = Resolver(refusal=partial(refusal, policy), lookup=lookup)
        self._to_bins = ExactTransport(verify=context, client=lambda: _session(context, to_bins))
        self._to_others = ExactTransport(verify=context, client=lambda: _session(context, to_others))

    async def aclose(self) -> None:
        await self._to_bins.aclose()
        await self._to_others.aclose()

    async def send(self, webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int) -> Sent:
        """Send the event's body. `timestamp` is this attempt's second (Standard Webhooks). Never raises."""
        url = request_headers.url(webhook, event)
        try:
            headers = request_headers.request_headers(
                webhook, event, delivery_id=delivery_id, number=number, timestamp=timestamp, origin=self.origin
            )
        except FieldsInvalid as failure:  # the library that a stored secret needs is no longer there
            error, detail = ErrorClass.SIGNING_ERROR, failure.detail
            return Sent(url=url_as_sent(url), request_headers=(), error=error, error_detail=detail)
        return await self._send(request_headers.method(event), webhook, url, headers, event.body)

    async def ask(self, webhook: Webhook, headers: Headers) -> Sent:
        """Send OPTIONS to the destination in this server's name, with these headers and the owner's. Never raises."""
        named = (
            *request_headers.opening(webhook.destination, chosen=webhook.headers, size=0),
            (request_headers.REQUEST_ORIGIN, self.origin),
            *headers,
            *webhook.headers,
        )
        return await self._send("OPTIONS", webhook, webhook.destination, named, b"")

    async def _send(self, method: str, webhook: Webhook, url: str, headers: Headers, body: bytes) -> Sent:
        """`url` is the webhook's destination with what was captured added, which no rule for destinations holds for."""
        target = self._destination(url) if url == webhook.destination else self._target(url)
        url = target.url
        sent_headers = masked(headers)
        blocked = None if target.own else self._literal_refusal(webhook.destination)
        if blocked is not None:
            return Sent(url=url, request_headers=sent_headers, error=ErrorClass.BLOCKED_TARGET, error_detail=blocked)
        request = request_of(method, url, headers, body, connect=CONNECT_SECONDS)
        dial = _Dial()
        _dial.set(dial)
        try:
            async with asyncio.timeout(webhook.timeout):
                answer = await _exchange(self._to_bins if target.own else self._to_others, request, dial)
        except TimeoutError:
            detail = f"no complete answer within {webhook.timeout:g} s"
            return Sent(url=url, request_headers=sent_headers, error=dial.late, error_detail=detail)
        except Exception as failure:
            error, detail = classify(failure)
            return Sent(url=url, request_headers=sent_headers, error=error, error_detail=detail)
        return Sent(
            url=url,
            request_headers=sent_headers,
            status=answer.status,
            response_headers=answer.headers,
            response_body=answer.body,
            response_truncated=answer.truncated,
        )

    def _target(self, url: str) -> _Target:
        exact = url_as_sent(url)
        return _Target(exact, self._is_own(exact))

    def _literal_refusal(self, url: str) -> str | None:
        address = literal_address(url)
        return None if address is None else refusal(self._policy, address)


async def _exchange(transport: ExactTransport, request: httpx.Request, dial: _Dial) -> _Answer:
    try:
        response = await transport.handle_async_request(request)
    except httpx.TransportError as failure:
        if not (dial.reused and _is_stale(failure)):
            raise
        dial.reused = False  # the receiver had closed the kept connection before it saw this request
        response = await transport.handle_async_request(request)
    body = bytearray()
    try:
        async for chunk in response.stream:  # type: ignore[union-attr]
            body += chunk
            if len(body) > RESPONSE_BYTES:
                break
    finally:
        await response.aclose()
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
    return _Answer(response.status_code, headers, bytes(body[:RESPONSE_BYTES]), len(body) > RESPONSE_BYTES)


def _session(context: ssl.SSLContext, resolver: AbstractResolver) -> aiohttp.ClientSession:
    connector = Connector(
        resolver=resolver,
        use_dns_cache=False,
        limit=0,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        ssl=context,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        trust_env=False,
        trace_configs=[_tracing()],
    )


def classify(failure: Exception) -> tuple[ErrorClass, str]:
    """The class of a failure and what it says, told by its cause: httpx-aiohttp maps many to one."""
    causes = _causes(failure)
    detail = " ".join(str(causes[-1]).split())[:DETAIL_CHARACTERS] or type(causes[-1]).__name__
    for wanted, error in _CLASSES:
        if any(isinstance(cause, wanted) for cause in causes):
            return error, detail
    return ErrorClass.PROTOCOL_ERROR, detail


_CLASSES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], ErrorClass], ...] = (
    (BlockedTarget, ErrorClass.BLOCKED_TARGET),
    ((aiohttp.ClientConnectorDNSError, socket.gaierror), ErrorClass.DNS_ERROR),
    (
        (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError, ssl.CertificateError),
        ErrorClass.TLS_ERROR,
    ),
    (aiohttp.ConnectionTimeoutError, ErrorClass.CONNECT_TIMEOUT),
    (TimeoutError, ErrorClass.TIMEOUT),
    (aiohttp.ClientConnectorError, ErrorClass.CONNECTION_REFUSED),
    ((aiohttp.ServerDisconnectedError, ConnectionError, aiohttp.ClientOSError), ErrorClass.CONNECTION_RESET),
    (aiohttp.ClientPayloadError, ErrorClass.CONNECTION_RESET),
)
"""The first row that any of the causes matches decides; what matches none broke the protocol."""


def _causes(failure: BaseException) -> list[BaseException]:
    causes = [failure]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    return causes


def _is_stale(failure: Exception) -> bool:
    stale = (aiohttp.ServerDisconnectedError, ConnectionResetError, BrokenPipeError, aiohttp.ClientOSError)
    return any(isinstance(cause, stale) for cause in _causes(failure))


def _tracing() -> aiohttp.TraceConfig:
    """One for all that is traced: aiohttp calls each at a dozen points of every request."""
    trace = aiohttp.TraceConfig()

    async def connecting(*_: object) -> None:
        _dial.get().connecting = True

    async def connected(*_: object) -> None:
        _dial.get().connecting = False

    async def resolving(*_: object) -> None:
        _dial.get().resolving = True

    async def resolved(*_: object) -> None:
        _dial.get().resolving = False

    async def reused(*_: object) -> None:
        _dial.get().reused = True

    trace.on_request_start.append(put_exact_headers)
    trace.on_connection_create_start.append(connecting)
    trace.on_connection_create_end.append(connected)
    trace.on_dns_resolvehost_start.append(resolving)
    trace.on_dns_resolvehost_end.append(resolved)
    trace.on_connection_reuseconn.append(reused)
    return trace
