"""Places in a bin's sequence: each given once, kept with the request that it answers, given back when that fails."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hookbin.models.answers import BinResponse, SequenceStep
from hookbin.models.bins import Bin
from tests.builders import Stores, a_request, open_stores

pytestmark = pytest.mark.anyio

RESPONSE = BinResponse(sequence=(SequenceStep(status=500, repeat=2), SequenceStep()))
OTHER = replace(RESPONSE, body="other")


async def a_sequence(stores: Stores) -> Bin:
    return await stores.bins.create(name="joe", response=RESPONSE, max_requests=100, max_age=None)


async def capture(stores: Stores, bin: Bin, **changes: Any) -> int:
    """Answer one request by the sequence, as a capture does; its place."""
    with stores.bins.next_position(bin) as position:
        place = position.take()
        await stores.requests.add(a_request(bin, **changes), bin, position=position.taken)
    return place


async def kept(stores: Stores) -> int:
    ((position,),) = await stores.database.read("SELECT sequence_position FROM bins")
    return int(position)


async def test_each_place_is_given_once(stores: Stores) -> None:
    bin = await a_sequence(stores)

    assert await asyncio.gather(*(capture(stores, bin) for _ in range(4))) == [0, 1, 2, 3]
    assert stores.bins.sequence_position(bin) == 4


async def test_what_is_given_back_is_the_next_the_lowest_first(stores: Stores) -> None:
    bin = await a_sequence(stores)
    changes: list[dict[str, Any]] = [{"client": object()}, {}, {"client": object()}]
    results = await asyncio.gather(*(capture(stores, bin, **each) for each in changes), return_exceptions=True)

    assert results[1] == 1
    assert stores.bins.sequence_position(bin) == 0
    assert [await capture(stores, bin) for _ in range(3)] == [0, 2, 3]


async def test_the_position_is_there_after_a_restart(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        bin = await a_sequence(stores)
        await asyncio.gather(*(capture(stores, bin) for _ in range(3)))
        with stores.bins.next_position(bin) as position:
            position.take()  # by a request that was never kept

    async with open_stores(tmp_path / "hookbin.db") as stores:
        assert await capture(stores, stores.bins.get("joe")) == 3


async def test_a_place_is_kept_with_its_request_or_not_at_all(stores: Stores) -> None:
    bin = await a_sequence(stores)
    await capture(stores, bin)
    with pytest.raises(sqlite3.Error):
        await capture(stores, bin, client=object())

    assert await kept(stores) == stores.bins.sequence_position(bin) == 1


async def test_a_place_whose_capture_was_cancelled_is_kept_since_that_is_written(stores: Stores) -> None:
    bin = await a_sequence(stores)
    cancelled = asyncio.create_task(capture(stores, bin))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)

    assert await capture(stores, bin) == 1
    assert await kept(stores) == 2


async def test_a_place_of_an_earlier_response_does_not_count_for_the_next(stores: Stores) -> None:
    """The capture is queued behind the change, and was answered by the response before it."""
    bin = await a_sequence(stores)
    changed, place, _ = await asyncio.gather(
        stores.bins.edit(bin, lambda now: replace(now, response=OTHER)),
        capture(stores, bin),
        capture(stores, bin, client=object()),
        return_exceptions=True,
    )

    assert isinstance(changed, Bin)
    assert place == 0
    assert await kept(stores) == 0
    assert [await capture(stores, changed) for _ in range(2)] == [0, 1]


@pytest.mark.parametrize("response", [RESPONSE, OTHER])
async def test_another_response_begins_anew_and_the_same_does_not(stores: Stores, response: BinResponse) -> None:
    bin = await a_sequence(stores)
    await capture(stores, bin)

    changed = await stores.bins.edit(bin, lambda now: replace(now, response=response, name="jim"))

    begins = response != RESPONSE
    assert stores.bins.sequence_position(changed) == await kept(stores) == (0 if begins else 1)
