"""An alarm rings once for each key, at the time that was set last and not before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hookbin.live.alarm import Alarm
from hookbin.models.common import SECOND
from tests.support import FakeClock

pytestmark = pytest.mark.anyio


class Ringing:
    """An alarm at work, and for which keys it has rung."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.rung: list[str] = []
        self.alarm = Alarm(self._ring, clock=self.clock, name="alarm")

    async def _ring(self, key: str) -> None:
        self.rung.append(key)

    def set(self, key: str, seconds: float) -> None:
        self.alarm.set(key, due=self.clock.ticks() + round(seconds * SECOND))

    async def after(self, seconds: float) -> list[str]:
        """The keys for which it has rung, `seconds` later."""
        await self._turns()
        self.clock.advance(seconds)
        await self._turns()
        return self.rung

    async def _turns(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
async def ringing() -> AsyncIterator[Ringing]:
    ringing = Ringing()
    ringing.alarm.start()
    yield ringing
    await ringing.alarm.stop()


async def test_it_rings_in_the_order_of_the_times_and_not_before(ringing: Ringing) -> None:
    ringing.set("late", 3)
    ringing.set("early", 1)
    assert await ringing.after(0.999999) == []
    assert await ringing.after(0.000001) == ["early"]
    assert await ringing.after(60) == ["early", "late"]


@pytest.mark.parametrize("seconds", [0, -5])
async def test_what_is_due_at_once_rings_without_the_clock_being_turned(ringing: Ringing, seconds: float) -> None:
    await ringing.after(0)
    ringing.set("now", seconds)
    assert await ringing.after(0) == ["now"]


async def test_the_time_that_was_set_last_holds(ringing: Ringing) -> None:
    ringing.set("later", 1)
    ringing.set("later", 5)
    ringing.set("earlier", 5)
    ringing.set("earlier", 1)
    assert await ringing.after(2) == ["earlier"]
    assert await ringing.after(3) == ["earlier", "later"]


async def test_it_rings_once_for_a_time_and_not_for_what_was_cancelled(ringing: Ringing) -> None:
    ringing.set("gone", 1)
    ringing.set("kept", 1)
    ringing.alarm.cancel("gone")
    assert await ringing.after(1) == ["kept"]
    assert await ringing.after(60) == ["kept"]


async def test_what_is_set_while_it_rings_is_not_missed() -> None:
    clock = FakeClock()
    rung: list[int] = []

    async def ring_again(key: str) -> None:
        rung.append(clock.ticks())
        if len(rung) < 3:
            alarm.set(key, due=clock.ticks())

    alarm = Alarm(ring_again, clock=clock, name="alarm")
    alarm.set("again", due=clock.ticks())
    alarm.start()
    for _ in range(3):
        await asyncio.sleep(0)
    await alarm.stop()
    assert len(rung) == 3


def test_times_that_were_overtaken_do_not_pile_up() -> None:
    ringing = Ringing()
    for number in range(1_000):
        ringing.set("often", 3_600 - number)
        ringing.set("too", number + 1)
    assert len(ringing.alarm) <= 2 * 2 + 16
