"""Names to addresses: what may be called, and that a slow name holds up nothing else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hookbin.wire.resolver import MAX_LOOKUPS, BlockedTarget, Resolver

pytestmark = pytest.mark.anyio


class Names:
    """A look-up that knows some names, counts what it is asked, and lets names that start with `slow` wait."""

    def __init__(self, **addresses: list[str]) -> None:
        self._addresses = addresses
        self.release = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        if host.startswith("slow"):
            self.release.wait()
        if host not in self._addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self._addresses[host]]


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names(slow=["192.0.2.1"], fast=["192.0.2.2"], mixed=["10.0.0.1", "192.0.2.3"], inside=["10.0.0.1"])
    yield names
    names.release.set()


def not_ten(address: str) -> str | None:
    return "private" if address.startswith("10.") else None


def resolver(names: Names) -> Resolver:
    return Resolver(refusal=not_ten, lookup=names)


async def addresses(resolver: Resolver, host: str) -> list[str]:
    return [found["host"] for found in await resolver.resolve(host, 80, socket.AF_UNSPEC)]


async def test_a_name_gives_its_addresses(names: Names) -> None:
    assert await addresses(resolver(names), "fast") == ["192.0.2.2"]


async def test_only_the_addresses_that_may_be_called_are_left(names: Names) -> None:
    assert await addresses(resolver(names), "mixed") == ["192.0.2.3"]


async def test_a_name_whose_every_address_is_refused_is_blocked(names: Names) -> None:
    with pytest.raises(BlockedTarget, match="inside: private"):
        await addresses(resolver(names), "inside")


async def test_an_unknown_name_is_an_error_of_the_look_up(names: Names) -> None:
    with pytest.raises(socket.gaierror):
        await addresses(resolver(names), "nobody")


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "app.localhost"])
async def test_this_machine_needs_no_look_up(names: Names, name: str) -> None:
    assert await addresses(resolver(names), name) == ["127.0.0.1", "::1"]
    assert names.asked == []


async def test_a_slow_name_does_not_hold_up_another(names: Names) -> None:
    asked = resolver(names)
    slow = [asyncio.create_task(addresses(asked, f"slow-{number}")) for number in range(40)]
    assert await addresses(asked, "fast") == ["192.0.2.2"]
    assert not any(task.done() for task in slow)
    names.release.set()
    assert all(isinstance(error, OSError) for error in await asyncio.gather(*slow, return_exceptions=True))


async def test_a_name_is_looked_up_once_for_all_who_ask_meanwhile(names: Names) -> None:
    asked = resolver(names)
    waiting = [asyncio.create_task(addresses(asked, "slow")) for _ in range(5)]
    given_up = asyncio.create_task(addresses(asked, "slow"))
    await addresses(asked, "fast")
    given_up.cancel()
    names.release.set()
    assert await asyncio.gather(*waiting) == [["192.0.2.1"]] * 5
    assert names.asked.count("slow") == 1


async def test_one_name_too_many_fails_at_once(names: Names) -> None:
    asked = resolver(names)
    slow = [asyncio.create_task(addresses(asked, f"slow-{number}")) for number in range(MAX_LOOKUPS)]
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="don't answer"):
        await addresses(asked, "fast")
    names.release.set()
    await asyncio.gather(*slow, return_exceptions=True)
    assert await addresses(asked, "fast") == ["192.0.2.2"]
