"""The threads that make views: bounded work, the same answer for everybody."""

from __future__ import annotations

import threading

import anyio
import pytest

from hookbin.bodies import limits
from hookbin.clock import SystemClock
from hookbin.errors import ViewsBusy
from hookbin.web.html.coloring import colored
from hookbin.web.rest.viewer import Bytes, Viewer

pytestmark = pytest.mark.anyio


class HeldClock(SystemClock):
    """Holds every view up at its first look at the time, until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def monotonic(self) -> float:
        self.go.wait()
        return super().monotonic()


def of(body: bytes, content_type: str = "application/json") -> Bytes:
    return Bytes(body=body, headers=(("content-type", content_type),), size=len(body))


async def test_who_comes_when_too_much_waits_is_sent_away_and_the_others_are_served() -> None:
    clock = HeldClock()
    viewer = Viewer(clock, colored=colored)
    large = of(b" " * (limits.HELD // 4))
    served: list[int] = []

    async def look() -> None:
        served.append((await viewer.every(large)).decoded_size)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(look)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ViewsBusy):
            await viewer.every(large)
        clock.go.set()
    assert served == [limits.HELD // 4] * 3
    assert (await viewer.every(large)).decoded_size == limits.HELD // 4


async def test_the_same_body_on_a_page_is_drawn_once() -> None:
    viewer = Viewer(SystemClock(), colored=colored)
    one, again, other = await viewer.look(of(b"[1]"), of(b"[1]"), of(b"[1]", "text/plain"), wanted="text")
    assert one is again
    assert one is not other
    assert str(one.text) == "[1]"


async def test_a_wanted_view_that_does_not_apply_gives_way_to_the_best() -> None:
    (looked,) = await Viewer(SystemClock(), colored=colored).look(of(b"[1]"), wanted="image")
    assert looked.view is not None
    assert looked.view.name == "json"
    assert looked.tabs == (("json", "JSON"), ("text", "Text"), ("hex", "Hex"))


async def test_an_empty_body_has_nothing_to_see() -> None:
    (looked,) = await Viewer(SystemClock(), colored=colored).look(of(b""))
    assert looked.view is None
