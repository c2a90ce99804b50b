"""Bins: made once, found by name and id, counted, changed and deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from hookbin.errors import BinNotFound
from hookbin.models.answers import BinResponse
from tests.builders import Stores, open_stores

pytestmark = pytest.mark.anyio


async def test_bins_and_their_counts_are_there_after_a_restart(tmp_path: Path) -> None:
    response = BinResponse(status=503, headers=(("X-A", "ä"), ("X-A", "b")), body="é", delay_ms=7)
    async with open_stores(tmp_path / "hookbin.db") as stores:
        bin = await stores.bins.create(name="joe", response=response, max_requests=5, max_age=60)
        for _ in range(3):
            await stores.capture(bin)
        await stores.make_bin(None)
        before = stores.bins.all()
    async with open_stores(tmp_path / "hookbin.db") as stores:
        assert stores.bins.all() == before
        assert stores.bins.count(bin) == 3
        assert stores.bins.get("joe").response == response


async def test_a_hundred_callers_at_once_make_one_bin(stores: Stores) -> None:
    made = await asyncio.gather(*[stores.bins.ensure("joe", max_requests=1, max_age=None) for _ in range(100)])
    assert {bin.id for bin in made} == {stores.bins.get("joe").id}
    assert await stores.count("bins") == 1


async def test_a_caller_that_is_cancelled_takes_the_bin_from_nobody(stores: Stores) -> None:
    callers = [asyncio.create_task(stores.bins.ensure("joe", max_requests=1, max_age=None)) for _ in range(3)]
    await asyncio.sleep(0)
    callers[0].cancel()
    done = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert done[1] == done[2] == stores.bins.get("joe")


async def test_ensuring_a_bin_that_someone_makes_at_the_same_time_gives_that_bin(stores: Stores) -> None:
    made, ensured = await asyncio.gather(
        stores.make_bin("joe"), stores.bins.ensure("joe", max_requests=1, max_age=None)
    )
    assert ensured == made


async def test_a_bin_is_counted_after_each_commit(stores: Stores) -> None:
    bin = await stores.make_bin()
    await asyncio.gather(*[stores.capture(bin) for _ in range(10)])
    assert stores.bins.count(bin) == 10
    assert stores.bins.last_at(bin) == stores.clock.now()


async def test_a_changed_bin_is_found_by_its_new_name_only(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    changed = replace(bin, name="jim", response=BinResponse(status=500))
    await stores.bins.edit(changed, lambda _: changed)
    assert stores.bins.find("joe") is None
    in_its_next_run = replace(changed, sequence_run=1)
    assert stores.bins.get("jim") == stores.bins.get(bin.id) == in_its_next_run
    assert in_its_next_run in stores.seen.rows


async def test_two_bins_can_pass_a_name_on_in_one_batch(stores: Stores) -> None:
    one, other = await stores.make_bin("one"), await stores.make_bin("other")
    await asyncio.gather(
        stores.bins.edit(one, lambda now: replace(now, name="third")),
        stores.bins.edit(other, lambda now: replace(now, name="one")),
    )
    assert stores.bins.get("one").id == other.id
    assert stores.bins.get("third").id == one.id
    assert stores.bins.find("other") is None


async def test_a_deleted_bin_cannot_be_changed(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await stores.bins.delete(bin)
    with pytest.raises(BinNotFound):
        await stores.bins.edit(bin, lambda now: replace(now, name="jim"))
    assert stores.bins.all() == []


async def test_a_name_is_free_after_its_bin_was_deleted_and_the_new_bin_is_empty(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        old = await stores.make_bin("joe")
        await stores.capture(old)
        await stores.bins.delete(old)
    async with open_stores(tmp_path / "hookbin.db") as stores:
        new = await stores.make_bin("joe")
        assert new.key > old.key
        assert stores.bins.count(new) == 0
        assert await stores.requests.list(new, limit=10, before=None) == []


async def test_a_request_that_comes_as_its_bin_goes_is_counted_for_nobody(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await stores.bins.delete(bin)
    await stores.capture(bin)
    assert stores.bins.count(bin) == 0


async def test_of_two_changes_at_once_none_is_lost(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await asyncio.gather(
        stores.bins.edit(bin, lambda now: replace(now, max_requests=5)),
        stores.bins.edit(bin, lambda now: replace(now, max_age=60)),
    )
    assert stores.bins.get("joe") == replace(bin, max_requests=5, max_age=60)
