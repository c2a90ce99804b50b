"""Notes, pins and deletions of captured requests, and that a bin's counts stay right through all of them."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from hookbin.errors import TooManyPinned
from hookbin.store.delete_requests import STEP, RequestRemoval
from hookbin.store.requests import MAX_PINNED
from hookbin.store.retention import Retention
from tests.builders import NOW, Stores, open_stores
from tests.support import PATIENCE, Server, sse
from tests.wire import check_problem

pytestmark = pytest.mark.anyio


async def pin(stores: Stores, seq: int, *, pinned: bool = True) -> None:
    await stores.requests.edit(seq, lambda row: replace(row, pinned=pinned))


async def test_pinned_requests_are_trimmed_neither_by_number_nor_by_age(stores: Stores) -> None:
    bin = await stores.make_bin(max_requests=3, max_age=60)
    for _ in range(6):
        await stores.capture(bin)
    for seq in (1, 3):
        await pin(stores, seq)
    trimmer = stores.trimmer()
    await trimmer.trim()
    assert await stores.kept(bin) == [1, 3, 4, 5, 6]
    stores.clock.advance(61)
    await trimmer.trim()
    assert await stores.kept(bin) == [1, 3]
    assert (stores.bins.count(bin), stores.bins.count_unpinned(bin)) == (2, 0)
    await pin(stores, 1, pinned=False)
    await trimmer.trim()
    assert await stores.kept(bin) == [3]


async def test_only_so_many_can_be_pinned(stores: Stores) -> None:
    bin = await stores.make_bin()
    for _ in range(MAX_PINNED + 1):
        await stores.capture(bin)
    for seq in range(1, MAX_PINNED + 1):
        await pin(stores, seq)
    with pytest.raises(TooManyPinned):
        await pin(stores, MAX_PINNED + 1)
    await pin(stores, 1)  # it is already
    await pin(stores, 1, pinned=False)
    await pin(stores, MAX_PINNED + 1)
    assert stores.bins.count_unpinned(bin) == 1


async def test_all_are_deleted_but_the_pinned_and_what_comes_later(stores: Stores) -> None:
    bin, other = await stores.make_bin("joe"), await stores.make_bin("other")
    await asyncio.gather(*[stores.capture(bin) for _ in range(STEP + 20)], stores.capture(other))
    await pin(stores, 7)
    removal = RequestRemoval(stores.database)
    clearing = asyncio.create_task(removal.all(bin, with_pinned=False))
    await asyncio.sleep(0)
    later = await stores.capture(bin)
    assert await clearing == STEP + 19
    assert await stores.kept(bin) == [7, later.seq]
    assert (stores.bins.count(bin), stores.bins.count(other)) == (2, 1)
    assert await removal.all(bin, with_pinned=True) == 2
    assert stores.bins.count(bin) == stores.bins.count_unpinned(bin) == 0


async def test_large_bodies_go_in_smaller_steps(stores: Stores) -> None:
    bin = await stores.make_bin()
    for _ in range(5):
        await stores.capture(bin, size=20 * 1024 * 1024)
    assert await Retention(stores.database).trim_bin(replace(bin, max_requests=1), count=5, now=0) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_counts_are_right_after_any_mix_of_captures_pins_deletions_and_trimming(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    async with open_stores(tmp_path / "hookbin.db") as stores:
        bins = [await stores.make_bin(name, max_requests=20) for name in ("a", "b")]
        removal = RequestRemoval(stores.database)
        trimmer = stores.trimmer()

        async def something() -> None:
            bin, seq = chance.choice(bins), chance.randint(1, stores.database.last_seq + 1)
            what = chance.choices(range(6), [50, 10, 10, 1, 2, 3])[0]
            if what == 0:
                await stores.capture(bin)
            elif what == 1:
                await pin(stores, seq, pinned=chance.random() < 0.5)
            elif what == 2:
                await removal.one(seq)
            elif what == 3:
                await removal.all(bin, with_pinned=chance.random() < 0.5)
            elif what == 4:
                await removal.found(bin, list(range(seq, seq + 5)), with_pinned=chance.random() < 0.5)
            else:
                await trimmer.trim()

        for _ in range(20):
            await asyncio.gather(*[something() for _ in range(40)])
        for bin in bins:
            rows = await stores.requests.list(bin, limit=100_000, before=None)
            assert stores.bins.count(bin) == len(rows)
            assert stores.bins.count_unpinned(bin) == sum(not row.pinned for row in rows)
        counts = [(stores.bins.count(bin), stores.bins.count_unpinned(bin)) for bin in bins]
    async with open_stores(tmp_path / "hookbin.db") as again:
        assert [(again.bins.count(bin), again.bins.count_unpinned(bin)) for bin in bins] == counts


async def test_when_a_bin_captured_last_is_known_after_a_restart(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db") as stores:
        bin, empty = await stores.make_bin("joe"), await stores.make_bin("empty")
        for n in range(3):
            await stores.capture(bin, received_at=NOW + n)
        assert (stores.bins.last_at(bin), stores.bins.last_at(empty)) == (NOW + 2, None)
    async with open_stores(tmp_path / "hookbin.db") as stores:
        assert (stores.bins.last_at(bin), stores.bins.last_at(empty)) == (NOW + 2, None)


# Over HTTP


def filled(server: Server, name: str, *paths: str) -> list[str]:
    """A bin with these captures; their ids in order."""
    server.post("/bins", {"name": name})
    for path in paths:
        server.request("POST", f"/b/{name}/{path}", content=path)
    return [row["id"] for row in reversed(server.get(f"/bins/{name}/requests")["data"])]


def test_a_request_is_noted_pinned_and_put_back(server: Server) -> None:
    (id,) = filled(server, "noted", "a")
    changed = server.request("PATCH", f"/requests/{id}", json={"note": "the odd one ✓", "pinned": True}).json()
    assert (changed["note"], changed["pinned"], changed["body"]["text"]) == ("the odd one ✓", True, "a")
    assert server.get(f"/requests/{id}") == changed
    assert server.get("/bins/noted/requests?pinned=true")["data"][0]["note"] == "the odd one ✓"
    back = server.request("PATCH", f"/requests/{id}", json={"note": None}).json()
    assert (back["note"], back["pinned"]) == (None, True)
    assert server.request("PATCH", f"/requests/{id}", json={}).json() == back


@pytest.mark.parametrize("note", ["", "x" * 1001, "a\nb", "a\0", "\x1b[31m", "\u202e"])
def test_a_note_that_could_deceive_is_refused(server: Server, note: str) -> None:
    (id,) = filled(server, f"refused-{abs(hash(note))}", "a")
    check_problem(server.request("PATCH", f"/requests/{id}", json={"note": note}), 422, "invalid_fields", loc="note")


def test_a_deleted_request_is_gone(server: Server) -> None:
    first, second = filled(server, "one-less", "a", "b")
    assert server.request("DELETE", f"/requests/{first}").status_code == 204
    for method, path in (("GET", ""), ("GET", "/body"), ("DELETE", ""), ("PATCH", "")):
        response = server.request(method, f"/requests/{first}{path}", **({"json": {}} if method == "PATCH" else {}))
        check_problem(response, 404, "request_not_found")
    assert [row["id"] for row in server.get("/bins/one-less/requests")["data"]] == [second]
    assert server.get("/bins/one-less")["request_count"] == 1


def test_a_bin_is_emptied_but_for_what_is_pinned(server: Server) -> None:
    ids = filled(server, "emptied", "a", "b", "c")
    server.request("PATCH", f"/requests/{ids[1]}", json={"pinned": True})
    assert server.request("DELETE", "/bins/emptied/requests").json() == {"deleted": 2, "next_cursor": None}
    assert [row["id"] for row in server.get("/bins/emptied/requests")["data"]] == [ids[1]]
    assert server.request("DELETE", "/bins/emptied/requests?include_pinned=true").json()["deleted"] == 1
    assert server.get("/bins/emptied")["request_count"] == 0


def test_what_a_query_shows_is_deleted(server: Server) -> None:
    ids = filled(server, "garden", "weed", "rose", "weed2")
    server.request("PATCH", f"/requests/{ids[2]}", json={"pinned": True})
    assert server.request("DELETE", "/bins/garden/requests?q=weed").json() == {"deleted": 1, "next_cursor": None}
    assert server.request("DELETE", "/bins/garden/requests?pinned=true").json()["deleted"] == 1
    assert [row["id"] for row in server.get("/bins/garden/requests")["data"]] == [ids[1]]


def test_the_stream_tells_of_changes_and_deletions_beside_the_log(server: Server) -> None:
    ids = filled(server, "told", "a", "b", "c")
    bin = server.get("/bins/told")
    url = f"{server.url}/stream?bin=told&after={server.get(f'/requests/{ids[-1]}')['seq']}"
    with httpx.stream("GET", url, trust_env=False, verify=False, timeout=PATIENCE) as stream:
        messages = sse(stream.iter_lines())
        server.request("PATCH", f"/requests/{ids[0]}", json={"pinned": True})
        server.request("DELETE", f"/requests/{ids[1]}")
        server.request("DELETE", "/bins/told/requests")
        changed, deleted, emptied = (next(messages) for _ in range(3))
    assert (changed[:2], changed[2]["id"], changed[2]["pinned"]) == ((None, "request"), ids[0], True)
    assert deleted == (None, "request", {"id": ids[1], "bin": bin["id"], "deleted": True, "request_count": 2})
    assert (emptied[:2], emptied[2]["request_count"]) == ((None, "bin"), 1)


def test_open_pages_follow_what_is_deleted(server: Server, browser: Browser) -> None:
    ids = filled(server, "watched", "a", "b", "c", "d")
    with browser.new_context() as context:
        bin, overview = context.new_page(), context.new_page()
        bin.goto(f"{server.url}/ui/bins/watched")
        overview.goto(f"{server.url}/ui/")
        for page in (bin, overview):
            expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
        expect(bin.locator("[data-requests] > li")).to_have_count(4)

        server.request("DELETE", f"/requests/{ids[1]}")
        expect(bin.locator("[data-requests] > li")).to_have_count(3)
        expect(bin.locator("[data-count]")).to_have_text("3")
        expect(overview.locator(f"a[href$='{ids[1]}']")).to_have_count(0)

        server.request("PATCH", f"/requests/{ids[0]}", json={"pinned": True})
        server.request("DELETE", "/bins/watched/requests")
        expect(bin.locator("[data-requests] > li")).to_have_count(1)
        expect(bin.locator("[data-count]")).to_have_text("1")

        server.request("POST", "/b/watched/later")
        expect(bin.locator("[data-requests] > li")).to_have_count(2)
        expect(bin.locator("[data-count]")).to_have_text("2")
