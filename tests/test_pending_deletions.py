"""Deletions that can be undone: hidden at once, there again when undone, gone when they are due."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from hookbin.conditions.filters import NO_FILTER
from hookbin.errors import BinNotFound, UndoNotFound, WebhookNotFound
from hookbin.models.bins import Bin
from hookbin.models.deliveries import DeliveryState
from hookbin.store.delete_requests import STEP, RequestRemoval
from hookbin.store.exporting import RequestExport
from hookbin.store.search import RequestSearch
from tests.builders import Stores, Workshop, open_stores
from tests.support import FakeClock, Server, eventually
from tests.wire import check_problem

pytestmark = pytest.mark.anyio


async def settle(stores: Stores) -> None:
    """Until the trimmer has nothing more to do."""
    for _ in range(30):
        await stores.database.read("SELECT 1")
        await stores.database.probe()


async def turn(stores: Stores, seconds: float) -> None:
    stores.clock.advance(seconds)
    await settle(stores)


async def seen(stores: Stores, bin: Bin) -> list[set[int]]:
    """The numbers that each reader of a bin's requests sees."""
    found = await RequestSearch(stores.database).find(
        bin, replace(NO_FILTER, methods=("POST",)), limit=900, before=None
    )
    exported = RequestExport(stores.database).oldest_first(bin, NO_FILTER, until=stores.database.last_seq)
    return [
        set(await stores.kept(bin)),
        {row.seq for row in found.rows},
        {row.seq async for row in exported},
        {row.seq for row in await stores.log.newest(limit=900)},
        {seq for seq in range(1, stores.database.last_seq + 1) if await stores.requests.get(seq) is not None},
    ]


async def capture(stores: Stores, bin: Bin, count: int) -> None:
    for _ in range(count):
        await stores.capture(bin)


@pytest.mark.parametrize(
    ("seqs", "with_pinned", "left"),
    [(None, False, {2}), (None, True, set()), ([2, 3], False, {1, 2, 4}), ([2, 3], True, {1, 4})],
)
async def test_hidden_requests_are_seen_by_nobody_until_that_is_undone(
    stores: Stores, seqs: list[int] | None, with_pinned: bool, left: set[int]
) -> None:
    bin = await stores.make_bin()
    await capture(stores, bin, 4)
    await stores.requests.edit(2, lambda row: replace(row, pinned=True))
    hidden = await stores.pending_deletions.hide_requests(bin, seqs, with_pinned=with_pinned, seconds=10)
    assert hidden is not None
    assert hidden.count == 4 - len(left)
    assert await seen(stores, bin) == [left] * 5
    assert await stores.requests.edit(3, lambda row: row) is None
    assert (stores.bins.count(bin), stores.bins.count_unpinned(bin)) == (len(left), len(left - {2}))
    assert await RequestRemoval(stores.database).all(bin, with_pinned=True) == len(left), "those have their own end"
    await stores.pending_deletions.undo(hidden.id)
    back = {1, 2, 3, 4} - left
    assert await seen(stores, bin) == [back] * 5
    assert (stores.bins.count(bin), stores.bins.count_unpinned(bin)) == (len(back), len(back - {2}))
    with pytest.raises(UndoNotFound):
        await stores.pending_deletions.undo(hidden.id)


async def test_what_is_hidden_goes_when_it_is_due_in_steps_and_is_not_counted_twice(stores: Stores) -> None:
    bin = await stores.make_bin(max_requests=STEP + 2)
    await capture(stores, bin, STEP + 5)
    async with stores.trimming():
        hidden = await stores.pending_deletions.hide_requests(bin, None, with_pinned=False, seconds=10)
        one = await stores.capture(bin)
        assert hidden is not None
        await turn(stores, 9.9)
        assert await stores.count("requests") == STEP + 6, "what is hidden is not trimmed"
        await turn(stores, 0.1)
        assert await stores.count("requests") == stores.bins.count(bin) == 1
        with pytest.raises(UndoNotFound):
            await stores.pending_deletions.undo(hidden.id)
        alone = await stores.pending_deletions.hide_request(one.seq, seconds=1)
        assert alone is not None
        assert await stores.pending_deletions.hide_request(one.seq, seconds=1) is None
        await turn(stores, 1)
        assert await stores.count("requests") == await stores.count("hidden_requests") == stores.bins.count(bin) == 0


@pytest.mark.parametrize("seconds_off", [0, 100])
async def test_a_deletion_is_carried_out_after_a_restart_too(tmp_path: Path, seconds_off: float) -> None:
    clock = FakeClock()
    async with open_stores(tmp_path / "hookbin.db", clock=clock) as stores:
        bin, gone = await stores.make_bin("joe"), await stores.make_bin("gone")
        await capture(stores, bin, 3)
        await stores.pending_deletions.hide_requests(bin, [1, 2], with_pinned=False, seconds=10)
        await stores.pending_deletions.hide_bin(gone, seconds=10)
        await stores.pending_deletions.hide_webhook(await stores.register(), seconds=10)
    clock.advance(seconds_off)
    async with open_stores(tmp_path / "hookbin.db", clock=clock) as stores:
        assert (stores.bins.count(bin), stores.bins.all(), stores.webhooks.all()) == (1, [bin], [])
        async with stores.trimming():
            await settle(stores)
            await turn(stores, max(0, 10 - seconds_off))
            assert await stores.pending_deletions.all() == []
        assert await stores.kept(bin) == [3]
        assert (await stores.count("bins"), await stores.count("webhooks")) == (1, 0)


async def test_a_hidden_bin_goes_on_capturing_and_comes_back_with_all_of_it(stores: Stores) -> None:
    bin = await stores.make_bin()
    await capture(stores, bin, 2)
    hidden = await stores.pending_deletions.hide_bin(bin, seconds=10)
    assert stores.bins.find("joe") == bin, "for what captures"
    with pytest.raises(BinNotFound):
        stores.bins.get("joe")
    await capture(stores, bin, 1)
    assert (await stores.requests.get(1), await stores.log.newest(limit=9)) == (None, [])
    await stores.pending_deletions.undo(hidden.id)
    assert stores.bins.get("joe") == bin
    assert (stores.bins.count(bin), await stores.kept(bin)) == (3, [3, 2, 1][::-1])


async def test_a_hidden_webhook_gets_nothing_and_comes_back_with_what_was_pending(shop: Workshop) -> None:
    webhook = await shop.stores.register(retry_schedule=(1.0,))
    shop.sender.script["wh_1"] = [500, 200]
    shop.sender.hold("wh_1")
    (delivery,) = await shop.stores.publish()
    await shop.seen.until(lambda: shop.sender.calls)
    hidden = await shop.stores.pending_deletions.hide_webhook(webhook, seconds=10)
    with pytest.raises(WebhookNotFound):
        shop.stores.webhooks.get("wh_1")
    assert await shop.stores.publish() == []
    await shop.stores.pending_deletions.undo(hidden.id)
    shop.sender.release("wh_1")
    await shop.seen.until(lambda: shop.seen.attempts)
    shop.clock.advance(1)
    await shop.seen.until(lambda: len(shop.seen.attempts) == 2)
    assert await shop.state(delivery) is DeliveryState.SUCCEEDED
    assert shop.stores.webhooks.get("wh_1") == webhook


def test_a_deletion_is_undone_through_the_api(server: Server) -> None:
    server.post("/bins", {"name": "regretted"})
    for number in range(3):
        server.post(f"/b/regretted/{number}")
    rows = server.captured("regretted")
    webhook = server.register(f"{server.url}/b/regretted", ping=False)
    asked = [
        ("/bins/regretted/requests?path=/0", 200),
        (f"/requests/{rows[1]['id']}", 200),
        (f"/webhooks/{webhook['id']}", 200),
        ("/bins/regretted", 200),
    ]
    undos = []
    for path, status in asked:
        response = server.request("DELETE", path + ("&" if "?" in path else "?") + "undo=60")
        assert response.status_code == status, response.text
        undos.append(response.json()["undo"])
    check_problem(server.request("GET", "/bins/regretted"), 404, "bin_not_found")
    check_problem(server.request("GET", f"/webhooks/{webhook['id']}"), 404, "webhook_not_found")
    check_problem(server.request("GET", f"/requests/{rows[2]['id']}"), 404, "request_not_found")
    for undo in reversed(undos):
        assert undo["until"] > rows[0]["received_at"]
        assert server.post(f"/undo/{undo['id']}").status_code == 204
    assert server.captured("regretted") == rows
    assert server.get(f"/webhooks/{webhook['id']}?secret=true")["secret"] == webhook["secret"]
    check_problem(server.post(f"/undo/{undos[0]['id']}"), 404, "undo_not_found")
    server.request("DELETE", f"/requests/{rows[0]['id']}?undo=1")
    eventually(lambda: server.post(f"/undo/{undos[0]['id']}").status_code == 404)
