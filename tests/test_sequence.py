"""Turns of a bin's sequence: each given once, kept with the request that it answers, given back when that fails."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from hookbin.models.answers import BinResponse, SequenceStep
from hookbin.models.bins import Bin
from hookbin.store.bins import SequencePosition
from tests.builders import Stores, a_request, open_stores

pytestmark = pytest.mark.anyio

RESPONSE = BinResponse(sequence=(SequenceStep(status=500, repeat=2), SequenceStep()))
OTHER = replace(RESPONSE, body="other")


async def a_sequence(stores: Stores) -> Bin:
    return await stores.bins.create(name="joe", response=RESPONSE, max_requests=100, max_age=None)


async def capture(stores: Stores, bin: Bin, turn: SequencePosition) -> None:
    await stores.requests.add(a_request(0, bin), bin, turn=turn)


async def kept(stores: Stores) -> int:
    ((position,),) = await stores.database.read("SELECT sequence_position FROM bins")
    return int(position)


async def test_each_turn_is_given_once(stores: Stores) -> None:
    bin = await a_sequence(stores)

    assert [stores.bins.next_position(bin).position for _ in range(4)] == [0, 1, 2, 3]
    assert stores.bins.sequence_position(bin) == 4


async def test_what_is_given_back_is_the_next(stores: Stores) -> None:
    bin = await a_sequence(stores)
    turns = [stores.bins.next_position(bin) for _ in range(4)]
    stores.bins.give_back(bin, turns[2])
    stores.bins.give_back(bin, turns[0])

    assert stores.bins.sequence_position(bin) == 0
    assert [stores.bins.next_position(bin).position for _ in range(3)] == [0, 2, 4]


async def test_the_position_is_there_after_a_restart(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        bin = await a_sequence(stores)
        await asyncio.gather(*(capture(stores, bin, stores.bins.next_position(bin)) for _ in range(3)))
        stores.bins.next_position(bin)  # taken by a request that was never kept

    async with open_stores(tmp_path / "hookbin.db") as stores:
        assert stores.bins.next_position(stores.bins.get("joe")).position == 3


async def test_a_turn_is_kept_with_its_request_or_not_at_all(stores: Stores) -> None:
    bin = await a_sequence(stores)
    await capture(stores, bin, stores.bins.next_position(bin))
    refused = a_request(0, bin, client=object())

    with pytest.raises(sqlite3.Error):
        await stores.requests.add(refused, bin, turn=stores.bins.next_position(bin))

    assert await kept(stores) == 1


async def test_a_turn_of_an_earlier_response_does_not_count_for_the_next(stores: Stores) -> None:
    """The capture is queued behind the change, and was answered by the response before it."""
    bin = await a_sequence(stores)
    turn = stores.bins.next_position(bin)

    changed, _ = await asyncio.gather(
        stores.bins.edit(bin, lambda now: replace(now, response=OTHER)), capture(stores, bin, turn)
    )

    assert await kept(stores) == 0
    assert stores.bins.sequence_position(changed) == 0
    stores.bins.give_back(changed, turn)  # of a run that is over: not given again
    assert [stores.bins.next_position(changed).position for _ in range(2)] == [0, 1]


@pytest.mark.parametrize("response", [RESPONSE, OTHER])
async def test_another_response_begins_anew_and_the_same_does_not(stores: Stores, response: BinResponse) -> None:
    bin = await a_sequence(stores)
    await capture(stores, bin, stores.bins.next_position(bin))

    changed = await stores.bins.edit(bin, lambda now: replace(now, response=response, name="jim"))

    begins = response != RESPONSE
    assert stores.bins.sequence_position(changed) == await kept(stores) == (0 if begins else 1)


async def test_a_deleted_bin_leaves_no_turns(stores: Stores) -> None:
    bin = await a_sequence(stores)
    stores.bins.next_position(bin)
    await stores.bins.delete(bin)

    assert stores.bins.sequence_position(bin) == 0
