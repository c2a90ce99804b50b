"""New connections: the name resolved, its addresses judged and raced, a proxy passed, TLS begun."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from hookbin.models.deliveries import ErrorClass
from hookbin.wire import failure
from hookbin.wire.client_connection import ClientConnection
from hookbin.wire.evidence import Evidence, Phase
from hookbin.wire.failure import Failure
from hookbin.wire.place import Place, address_text
from hookbin.wire.proxy import Proxy
from hookbin.wire.resolver import Resolver, is_address
from hookbin.wire.tls import TlsLayer

CONNECT_SECONDS = 10.0
"""For a connection with all that it needs: through a proxy, with TLS."""
HEAD_START = 0.25
"""Seconds that one address has before the next is tried beside it (RFC 8305, 8)."""


class Dialer:
    """Makes connections to what its resolver allows. With a proxy they go through that."""

    def __init__(
        self, *, resolver: Resolver, tls: ssl.SSLContext, proxy: Proxy | None = None, proxies: Resolver | None = None
    ) -> None:
        """`proxies` resolves the proxy's name, which its owner has chosen: no policy holds for it."""
        self._resolver = resolver
        self._tls = tls
        self.proxy = proxy
        self._proxies = proxies or resolver

    async def dial(self, place: Place, evidence: Evidence) -> ClientConnection:
        """Raises `Failure`; `OutOfResources` for what this process lacks."""
        evidence.phase = Phase.RESOLVING
        addresses, port = await self._resolver.resolve(place.host), place.port
        if not is_address(place.host):
            evidence.resolved = evidence.monotonic()
        if self.proxy is not None:
            addresses, port = await self._proxies.resolve(self.proxy.host), self.proxy.port
        evidence.phase = Phase.CONNECTING
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._connect(place, addresses, port, evidence)
        except TimeoutError:
            what = "TLS with" if evidence.phase is Phase.HANDSHAKING else "connection to"
            detail = f"no {what} {place.named} within {CONNECT_SECONDS:g} s"
            raise Failure(ErrorClass.CONNECT_TIMEOUT, detail) from None

    async def _connect(self, place: Place, addresses: Sequence[str], port: int, evidence: Evidence) -> ClientConnection:
        evidence.address = address_text(addresses[0], port)
        try:
            address, sock = await race(addresses, port)
        except OSError as error:
            raise failure.no_connection(error, self._next_hop(place)) from error
        evidence.address = address_text(address, port)
        connection = ClientConnection(sock, place.named)
        connection.address = evidence.address
        await connection.open()
        evidence.connected = evidence.monotonic()
        try:
            if place.scheme == "https":
                if self.proxy is not None:
                    await self.proxy.open_tunnel(connection, place, evidence)
                await self._secure(connection, place, evidence)
        except BaseException:
            connection.close()
            raise
        return connection

    def _next_hop(self, place: Place) -> str:
        return place.named if self.proxy is None else f"the proxy {self.proxy.named}"

    async def _secure(self, connection: ClientConnection, place: Place, evidence: Evidence) -> None:
        evidence.phase = Phase.HANDSHAKING
        layer = TlsLayer(self._tls, place.host)
        try:
            await connection.secure(layer)
        except ssl.SSLError as error:
            evidence.certificate = layer.certificate
            raise failure.no_tls(error, place.named, began=layer.first) from error
        except ConnectionError:
            detail = f"{place.named} closed the connection while TLS began"
            raise Failure(ErrorClass.TLS_ERROR, detail) from None
        evidence.secured = evidence.monotonic()


async def race(addresses: Sequence[str], port: int) -> tuple[str, socket.socket]:
    """The first of the addresses that lets us in, each tried a little after the one before (RFC 8305, 5).

    Raises the first `OSError` when none does.
    """
    if len(addresses) == 1:
        return addresses[0], await connect(addresses[0], port)
    waiting, errors = deque(addresses), list[OSError]()
    tasks: dict[asyncio.Task[socket.socket], str] = {}
    try:
        while waiting or tasks:
            if waiting:
                address = waiting.popleft()
                tasks[asyncio.create_task(connect(address, port))] = address
            timeout = HEAD_START if waiting else None
            done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                address = tasks.pop(task)
                try:
                    return address, task.result()
                except OSError as error:
                    errors.append(error)
        raise errors[0]
    finally:
        for task in tasks:
            task.cancel()
            task.add_done_callback(_close_late)


async def connect(address: str, port: int) -> socket.socket:
    """Raises `OSError`."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _close_late(task: asyncio.Task[socket.socket]) -> None:
    """One that had come through when another already had."""
    with suppress(asyncio.CancelledError, OSError):
        task.result().close()
