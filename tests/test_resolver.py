"""Names to addresses: what may be called, and that a slow name holds up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from hookbin.errors import OutOfResources
from hookbin.models.deliveries import ErrorClass
from hookbin.wire.failure import Failure
from hookbin.wire.resolver import MAX_LOOKUPS, Resolver, by_turns
from tests.raw_receiver import Names

pytestmark = pytest.mark.anyio


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names(slow=[["192.0.2.1"]], fast=[["192.0.2.2"]], mixed=[["10.0.0.1", "192.0.2.3"]], inside=[["10.0.0.1"]])
    yield names
    names.release.set()


def not_ten(address: str) -> str | None:
    return "private" if address.startswith("10.") else None


def resolver(names: Names) -> Resolver:
    return Resolver(refusal=not_ten, lookup=names)


async def test_a_name_gives_its_addresses(names: Names) -> None:
    assert await resolver(names).resolve("fast") == ["192.0.2.2"]


async def test_only_the_addresses_that_may_be_called_are_left(names: Names) -> None:
    assert await resolver(names).resolve("mixed") == ["192.0.2.3"]


async def test_a_name_whose_every_address_is_refused_is_blocked(names: Names) -> None:
    for host, detail in (("inside", "inside: private"), ("10.0.0.1", "private")):
        with pytest.raises(Failure) as raised:
            await resolver(names).resolve(host)
        assert (raised.value.error, raised.value.detail) == (ErrorClass.BLOCKED_TARGET, detail)


async def test_an_unknown_name_is_an_error_of_the_look_up(names: Names) -> None:
    with pytest.raises(Failure, match="the name nobody does not exist") as raised:
        await resolver(names).resolve("nobody")
    assert raised.value.error is ErrorClass.DNS_ERROR


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "app.localhost"])
async def test_this_machine_needs_no_look_up(names: Names, name: str) -> None:
    assert await resolver(names).resolve(name) == ["127.0.0.1", "::1"]
    assert names.asked == []


async def test_a_slow_name_does_not_hold_up_another(names: Names) -> None:
    asked = resolver(names)
    slow = [asyncio.create_task(asked.resolve(f"slow-{number}")) for number in range(40)]
    assert await asked.resolve("fast") == ["192.0.2.2"]
    assert not any(task.done() for task in slow)
    names.release.set()
    assert all(isinstance(error, Failure) for error in await asyncio.gather(*slow, return_exceptions=True))


async def test_a_name_is_looked_up_once_for_all_who_ask_meanwhile(names: Names) -> None:
    asked = resolver(names)
    waiting = [asyncio.create_task(asked.resolve("slow")) for _ in range(5)]
    given_up = asyncio.create_task(asked.resolve("slow"))
    await asked.resolve("fast")
    given_up.cancel()
    names.release.set()
    assert await asyncio.gather(*waiting) == [["192.0.2.1"]] * 5
    assert names.asked.count("slow") == 1


async def test_one_name_too_many_is_a_lack_of_ours(names: Names) -> None:
    asked = resolver(names)
    slow = [asyncio.create_task(asked.resolve(f"slow-{number}")) for number in range(MAX_LOOKUPS)]
    await asyncio.sleep(0)
    with pytest.raises(OutOfResources, match="don't answer"):
        await asked.resolve("fast")
    names.release.set()
    await asyncio.gather(*slow, return_exceptions=True)
    assert await asked.resolve("fast") == ["192.0.2.2"]


def test_the_families_take_turns() -> None:
    found = by_turns(["2001:db8::1", "2001:db8::2", "192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"])
    assert found == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"]
