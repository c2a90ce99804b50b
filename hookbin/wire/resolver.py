"""Names to addresses that may be called, in a way that one slow name holds up nothing else.

The system's look-up blocks a thread and can't be stopped. The event loop's own threads are few and
shared, so some names that don't answer would stop every delivery, and the end of the process too.
Here each look-up has a thread of its own, which the process does not wait for at its end.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from hookbin.delivery.targets import is_loopback_host

MAX_LOOKUPS = 64
"""Look-ups under way at once; one more name fails as `dns_error`."""

Lookup: TypeAlias = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""
_Key: TypeAlias = tuple[str, int, int]
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class BlockedTarget(OSError):
    """The policy forbids every address that a name leads to."""


class Resolver(AbstractResolver):
    """It sees every dial by name. `refusal` says why an address may not be called, or None."""

    def __init__(self, *, refusal: Callable[[str], str | None], lookup: Lookup = socket.getaddrinfo) -> None:
        self._refusal = refusal
        self._lookup = lookup
        self._under_way: dict[_Key, asyncio.Future[list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if is_loopback_host(host):
            found = [_result(host, port, kind, address) for kind, address in _LOOPBACK if family in (0, kind)]
        else:
            found = await self._look_up(host, port, family)
        refusals = [self._refusal(result["host"]) for result in found]
        allowed = [result for result, refused in zip(found, refusals, strict=True) if refused is None]
        if not allowed:
            raise BlockedTarget(f"{host}: {next((text for text in refusals if text), 'no address')}")
        return allowed

    async def close(self) -> None:
        """Nothing to close: a look-up ends when the system ends it."""

    async def _look_up(self, host: str, port: int, family: int) -> list[ResolveResult]:
        """Everyone who asks for a name while it is being looked up gets the one answer."""
        key = (host, port, family)
        if key not in self._under_way:
            if len(self._under_way) >= MAX_LOOKUPS:
                raise OSError(f"{host}: {MAX_LOOKUPS} other names are being looked up and don't answer")
            loop = asyncio.get_running_loop()
            future: asyncio.Future[list[ResolveResult]] = loop.create_future()
            thread = threading.Thread(target=self._ask, args=(loop, future, key), name="hookbin-lookup", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise OSError(f"{host}: {error}") from error
            self._under_way[key] = future
            future.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(self._under_way[key])

    def _ask(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[list[ResolveResult]], key: _Key) -> None:
        host, port, family = key
        answer: list[ResolveResult] | OSError
        try:
            infos = self._lookup(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            answer = [_result(host, port, kind, address[0]) for kind, _, _, _, address in infos]
        except Exception as error:  # whatever it is, those who wait hear of it
            answer = error if isinstance(error, OSError) else socket.gaierror(str(error))
        with suppress(RuntimeError):  # the event loop is closed: nobody waits for the answer any more
            loop.call_soon_threadsafe(_settle, future, answer)


def _settle(future: asyncio.Future[list[ResolveResult]], answer: list[ResolveResult] | OSError) -> None:
    if isinstance(answer, OSError):
        future.set_exception(answer)
        future.exception()  # whoever asked may have given up
    else:
        future.set_result(answer)


def _result(host: str, port: int, family: int, address: str) -> ResolveResult:
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=socket.IPPROTO_TCP, flags=flags)
