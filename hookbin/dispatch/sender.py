"""One attempt over HTTP: what goes out, what comes back, or why nothing did."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterable, Callable
from functools import lru_cache, partial
from typing import cast

import httpx
from msgspec import Struct

from hookbin.clock import SystemClock
from hookbin.delivery.headers import masked
from hookbin.delivery.targets import Policy, refusal
from hookbin.delivery.trails import NO_TRAILS, Trails
from hookbin.dispatch import request_headers
from hookbin.errors import FieldsInvalid
from hookbin.models.common import Headers
from hookbin.models.deliveries import Connection, ErrorClass, Timings
from hookbin.models.events import Event
from hookbin.models.webhooks import Webhook
from hookbin.wire.client import WireRequest, WireResponse, WireTransport
from hookbin.wire.dialing import Dialer
from hookbin.wire.evidence import Evidence, Phase
from hookbin.wire.failure import Failure
from hookbin.wire.place import Located, locate
from hookbin.wire.proxy import Proxy
from hookbin.wire.resolver import Lookup, Resolver
from hookbin.wire.tls import trusting

RESPONSE_BYTES = 64 * 1024
"""How much of a response body is kept."""
MAX_DETAIL = 500
"""Characters that are kept of the words on a failure, which can quote what came back."""
MAX_TARGETS = 4096
"""Destinations of which is kept what a look at their URL says."""
_CLOCK = SystemClock()
_LATE = {
    Phase.RESOLVING: (ErrorClass.DNS_ERROR, "the destination's name was not looked up"),
    Phase.CONNECTING: (ErrorClass.CONNECT_TIMEOUT, "no connection was made"),
    Phase.HANDSHAKING: (ErrorClass.CONNECT_TIMEOUT, "TLS had not begun"),
    Phase.EXCHANGING: (ErrorClass.TIMEOUT, "no complete answer"),
}
"""What a deadline cut short."""


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
    note: str | None = None
    timings: Timings | None = None
    connection: Connection | None = None
    response_raw: bytes | None = None


class _Target(Struct, frozen=True):
    """What a look at a URL says."""

    where: Located
    url: str
    """As it goes out."""
    own: bool
    """It is one of our own bins'."""


class Sender:
    """Sends attempts and keeps connections alive between them. `aclose` ends it."""

    def __init__(
        self,
        *,
        policy: Policy,
        is_own: Callable[[str], bool],
        origin: str = "localhost",
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        lookup: Lookup = socket.getaddrinfo,
        transport: httpx.AsyncBaseTransport | None = None,
        monotonic: Callable[[], float] = _CLOCK.monotonic,
        trails: Trails = NO_TRAILS,
    ) -> None:
        """`origin` is what destinations know this server by, in a handshake and after it.

        `tls` says which certificates are trusted, by default those that the system trusts. `proxy` is what all goes
        through but what goes to our own bins. `transport` takes the place of everything that dials.
        """
        self.origin = origin
        self._trails = trails
        self._is_own = is_own
        self._monotonic = monotonic
        self._destination = lru_cache(maxsize=MAX_TARGETS)(self._target)
        context = tls or trusting(None)
        anywhere = Resolver(refusal=lambda address: None, lookup=lookup)
        allowed = Resolver(refusal=partial(refusal, policy), lookup=lookup)
        # Two, so that no connection that was allowed as one to a bin is used again for anything else.
        to_bins = Dialer(resolver=anywhere, tls=context)
        to_others = Dialer(resolver=allowed, tls=context, proxy=proxy, proxies=anywhere)
        self._to_bins = transport or WireTransport(to_bins, monotonic=monotonic)
        self._to_others = transport or WireTransport(to_others, monotonic=monotonic)

    async def aclose(self) -> None:
        await self._to_bins.aclose()
        await self._to_others.aclose()

    async def send(self, webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int) -> Sent:
        """Send the event's body. `timestamp` is this attempt's second (Standard Webhooks).

        Raises `OutOfResources` when this server can't send it now: then nothing was sent.
        """
        url = request_headers.url(webhook, event)
        try:
            headers = request_headers.of_attempt(
                webhook,
                event,
                delivery_id=delivery_id,
                number=number,
                timestamp=timestamp,
                origin=self.origin,
                trail=self._trails.sealed(event.trail, webhook.id),
            )
        except FieldsInvalid as failure:  # the library that a stored secret needs is no longer there
            error, detail = ErrorClass.SIGNING_ERROR, failure.detail
            return Sent(url=locate(url).as_sent, request_headers=(), error=error, error_detail=detail)
        return await self._send(request_headers.method(event), webhook, url, headers, event.body)

    async def ask(self, webhook: Webhook, headers: Headers) -> Sent:
        """Send OPTIONS in this server's name, with these headers and the owner's. Raises as `send`."""
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
        transport = self._to_bins if target.own else self._to_others
        evidence = Evidence(self._monotonic)
        request = WireRequest(method, target.where, headers, body, evidence=evidence, seconds=webhook.timeout)
        try:
            outcome = await _exchange(transport, request)
        except TimeoutError:
            outcome = _late(evidence, webhook.timeout)
        except httpx.TransportError as failure:
            outcome = _failed(failure)
        return Sent(
            url=target.url,
            request_headers=masked(headers),
            status=outcome.status,
            response_headers=outcome.headers,
            response_body=outcome.body,
            response_truncated=outcome.truncated,
            error=outcome.error,
            error_detail=outcome.detail,
            note=evidence.note,
            timings=evidence.timings(),
            connection=evidence.connection(),
            response_raw=outcome.raw,
        )

    def _target(self, url: str) -> _Target:
        where = locate(url)
        return _Target(where, where.as_sent, self._is_own(where.as_sent))


class _Outcome(Struct, frozen=True, kw_only=True):
    """What came back, or why nothing did."""

    status: int | None = None
    headers: Headers | None = None
    body: bytes | None = None
    truncated: bool = False
    error: ErrorClass | None = None
    detail: str | None = None
    raw: bytes | None = None


async def _exchange(transport: httpx.AsyncBaseTransport, request: WireRequest) -> _Outcome:
    response = await transport.handle_async_request(request)
    body = bytearray()
    try:
        async for piece in cast(AsyncIterable[bytes], response.stream):
            body += piece
            if len(body) > RESPONSE_BYTES:
                break
    finally:
        await response.aclose()
    return _Outcome(
        status=response.status_code,
        headers=_headers_of(response),
        body=bytes(body[:RESPONSE_BYTES]),
        truncated=len(body) > RESPONSE_BYTES,
    )


def _headers_of(response: httpx.Response) -> Headers:
    if isinstance(response, WireResponse):
        return response.pairs
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)


def _late(evidence: Evidence, seconds: float) -> _Outcome:
    error, what = _LATE[evidence.phase]
    return _Outcome(error=error, detail=f"{what} within {seconds:g} s")


def _failed(failure: httpx.TransportError) -> _Outcome:
    detail = " ".join(str(failure).split())[:MAX_DETAIL] or type(failure).__name__
    if isinstance(failure, Failure):
        return _Outcome(error=failure.error, detail=detail, raw=failure.raw or None)
    return _Outcome(error=ErrorClass.PROTOCOL_ERROR, detail=detail)
