"""One attempt over HTTP: what goes out, what comes back, or why nothing did."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextvars import ContextVar

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport
from msgspec import Struct

from hookbin import __version__
from hookbin.models import ErrorClass, Event, Headers, Webhook, attempt_id
from hookbin.signing import sign
from hookbin.targets import Policy, literal_address, refusal

RESPONSE_BYTES = 64 * 1024
"""How much of a response body is kept."""
CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 15.0
USER_AGENT = f"hookbin/{__version__}"


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


class BlockedTarget(OSError):
    """The policy forbids every address that a name leads to."""


class _Dial:
    """What is known of the connection that one attempt uses."""

    __slots__ = ("connecting", "own", "reused")

    def __init__(self, *, own: bool) -> None:
        self.own = own
        self.connecting = False
        self.reused = False


_dial: ContextVar[_Dial] = ContextVar("hookbin_dial")


class Sender:
    """Sends attempts and keeps connections alive between them. `aclose` ends it."""

    def __init__(self, *, policy: Policy, is_own: Callable[[str], bool]) -> None:
        self._policy = policy
        self._is_own = is_own
        self._session: aiohttp.ClientSession | None = None
        self._transport = AiohttpTransport(verify=ssl.create_default_context(), client=self._client)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int) -> Sent:
        """POST the event's body. `timestamp` is this attempt's second (Standard Webhooks). Never raises."""
        headers = request_headers(webhook, event, delivery_id=delivery_id, number=number, timestamp=timestamp)
        request = httpx.Request("POST", webhook.destination, headers=headers, content=event.body)
        request.extensions["timeout"] = {"connect": CONNECT_SECONDS}
        url = str(request.url)
        sent_headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        own = self._is_own(url)
        blocked = None if own else self._literal_refusal(url)
        if blocked is not None:
            return Sent(url=url, request_headers=sent_headers, error=ErrorClass.BLOCKED_TARGET, error_detail=blocked)
        dial = _Dial(own=own)
        _dial.set(dial)
        try:
            async with asyncio.timeout(webhook.timeout):
                answer = await self._exchange(request, dial)
        except TimeoutError:
            error = ErrorClass.CONNECT_TIMEOUT if dial.connecting else ErrorClass.TIMEOUT
            detail = f"no complete answer within {webhook.timeout:g} s"
            return Sent(url=url, request_headers=sent_headers, error=error, error_detail=detail)
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

    async def _exchange(self, request: httpx.Request, dial: _Dial) -> _Answer:
        try:
            response = await self._transport.handle_async_request(request)
        except httpx.TransportError as failure:
            if not (dial.reused and _is_stale(failure)):
                raise
            dial.reused = False  # the receiver had closed the kept connection before it saw this request
            response = await self._transport.handle_async_request(request)
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

    def _literal_refusal(self, url: str) -> str | None:
        address = literal_address(url)
        return None if address is None else refusal(self._policy, address)

    def _client(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=_PolicyResolver(self._policy),
            use_dns_cache=False,
            limit=0,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ssl=self._transport.ssl_context,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            trust_env=False,
            trace_configs=[_tracing()],
        )
        return self._session


class _PolicyResolver(AbstractResolver):
    """Resolves names to those of their addresses that may be called; it sees every dial by name."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if _dial.get().own:
            return found
        refusals = [refusal(self._policy, result["host"]) for result in found]
        allowed = [result for result, refused in zip(found, refusals, strict=True) if refused is None]
        if not allowed:
            raise BlockedTarget(f"{host}: {next((text for text in refusals if text), 'no address')}")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()


def request_headers(
    webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int
) -> list[tuple[str, str]]:
    """The headers of one attempt; the first three `webhook-` ones are those of Standard Webhooks."""
    return [
        ("user-agent", USER_AGENT),
        ("accept", "*/*"),
        ("content-type", event.content_type),
        ("webhook-id", event.id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", sign((webhook.secret,), message_id=event.id, timestamp=timestamp, body=event.body)),
        ("hookbin-event-type", event.type),
        ("hookbin-delivery-id", delivery_id),
        ("hookbin-attempt-id", attempt_id(delivery_id, number)),
        ("hookbin-attempt-number", str(number)),
        ("hookbin-hops", str(event.hops + 1)),
    ]


def classify(failure: Exception) -> tuple[ErrorClass, str]:
    """The class of a failure and what it says, told by its cause: httpx-aiohttp maps many to one."""
    causes = _causes(failure)
    detail = str(causes[-1]) or type(causes[-1]).__name__
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
    trace = aiohttp.TraceConfig()

    async def connecting(*_: object) -> None:
        _dial.get().connecting = True

    async def connected(*_: object) -> None:
        _dial.get().connecting = False

    async def reused(*_: object) -> None:
        _dial.get().reused = True

    trace.on_connection_create_start.append(connecting)
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(reused)
    return trace
