"""Names to addresses that may be called, in a way that one slow name holds up nothing else.

The system's look-up blocks a thread and can't be stopped. The event loop's own threads are few and
shared, so some names that don't answer would stop every delivery, and the end of the process too.
Here each look-up has a thread of its own, which the process does not wait for at its end.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Any, TypeAlias

from hookbin.delivery.targets import is_loopback_host
from hookbin.errors import OutOfResources
from hookbin.models.deliveries import ErrorClass
from hookbin.wire.failure import Failure, no_address

MAX_LOOKUPS = 64
"""Look-ups under way at once; one more name has to wait until one of them has ended."""

Lookup: TypeAlias = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""
_LOOPBACK = ("127.0.0.1", "::1")


class Resolver:
    """It sees every dial, by name or by address. `refusal` says why an address may not be called, or None."""

    def __init__(self, *, refusal: Callable[[str], str | None], lookup: Lookup = socket.getaddrinfo) -> None:
        self._refusal = refusal
        self._lookup = lookup
        self._under_way: dict[str, asyncio.Future[list[str]]] = {}

    async def resolve(self, host: str) -> list[str]:
        """The addresses that may be called, in the order in which they are tried.

        Raises `Failure` when there is none, `OutOfResources` when it can't be asked for now.
        """
        found = [host] if is_address(host) else await self._addresses(host)
        refusals = [self._refusal(address) for address in found]
        allowed = [address for address, refused in zip(found, refusals, strict=True) if refused is None]
        if not allowed:
            reason = next((text for text in refusals if text), "no address")
            raise Failure(ErrorClass.BLOCKED_TARGET, reason if found == [host] else f"{host}: {reason}")
        return allowed

    async def _addresses(self, host: str) -> list[str]:
        if is_loopback_host(host):
            return list(_LOOPBACK)
        try:
            return await self._look_up(host)
        except OSError as error:
            raise no_address(error, host) from error

    async def _look_up(self, host: str) -> list[str]:
        """Everyone who asks for a name while it is being looked up gets the one answer."""
        if host not in self._under_way:
            if len(self._under_way) >= MAX_LOOKUPS:
                raise OutOfResources(f"{MAX_LOOKUPS} names are being looked up and don't answer, so {host} has to wait")
            loop = asyncio.get_running_loop()
            future: asyncio.Future[list[str]] = loop.create_future()
            thread = threading.Thread(target=self._ask, args=(loop, future, host), name="hookbin-lookup", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise OutOfResources(f"no thread is left to look up {host}: {error}") from error
            self._under_way[host] = future
            future.add_done_callback(lambda _: self._under_way.pop(host))
        return await asyncio.shield(self._under_way[host])

    def _ask(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[list[str]], host: str) -> None:
        answer: list[str] | Exception
        try:
            infos = self._lookup(host, None, family=0, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            answer = by_turns([address[0] for _, _, _, _, address in infos])
        except Exception as error:  # whatever it is, those who wait hear of it
            answer = error if isinstance(error, OSError) else socket.gaierror(str(error))
        with suppress(RuntimeError):  # the event loop is closed: nobody waits for the answer any more
            loop.call_soon_threadsafe(_settle, future, answer)


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def by_turns(addresses: Sequence[str]) -> list[str]:
    """IPv6 and IPv4 by turns, beginning with the one that the system prefers (RFC 8305, 4); none twice."""
    addresses = list(dict.fromkeys(addresses))
    first = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    other = [address for address in addresses if address not in first]
    return [address for address in chain.from_iterable(zip_longest(first, other)) if address is not None]


def _settle(future: asyncio.Future[list[str]], answer: list[str] | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
        future.exception()  # whoever asked may have given up
    else:
        future.set_result(answer)
