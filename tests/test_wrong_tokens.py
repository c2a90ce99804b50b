"""Wrong tokens of an address: some at once, then one a second, and not more than a few waiting."""

from __future__ import annotations

import asyncio

import pytest

from hookbin.errors import TooManyTries
from hookbin.live.wrong_tokens import FREE, MAX_ADDRESSES, MAX_WAITING, WrongTokens
from tests.support import FakeClock

pytestmark = pytest.mark.anyio


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_after_some_that_are_answered_at_once_one_a_second_is() -> None:
    clock = FakeClock()
    wrong = WrongTokens(clock)
    tries = [asyncio.create_task(wrong.add("192.0.2.1")) for _ in range(FREE + MAX_WAITING)]
    for answered in range(FREE, FREE + MAX_WAITING + 1):
        await turns()
        assert [task.done() for task in tries] == [number < answered for number in range(FREE + MAX_WAITING)]
        if answered == FREE:
            with pytest.raises(TooManyTries):
                wrong.check("192.0.2.1")
            wrong.check("192.0.2.2")
        clock.advance(1)
    wrong.check("192.0.2.1")
    clock.advance(FREE)
    await asyncio.wait_for(wrong.add("192.0.2.1"), timeout=1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
async def test_an_address_is_what_one_peer_has(one: str, other: str, same: bool) -> None:
    wrong = WrongTokens(FakeClock())
    tries = [asyncio.create_task(wrong.add(one)) for _ in range(FREE + MAX_WAITING)]
    await turns()
    if same:
        with pytest.raises(TooManyTries):
            wrong.check(other)
    else:
        wrong.check(other)
    for task in tries:
        task.cancel()


async def test_the_address_that_was_quiet_for_longest_is_forgotten() -> None:
    wrong = WrongTokens(FakeClock())
    tries = [asyncio.create_task(wrong.add("192.0.2.1")) for _ in range(FREE + MAX_WAITING)]
    await turns()
    for number in range(MAX_ADDRESSES):
        await wrong.add(f"10.0.{number >> 8}.{number & 255}")
    wrong.check("192.0.2.1")
    for task in tries:
        task.cancel()
