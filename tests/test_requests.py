"""Captured requests: kept byte for byte, listed newest first."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookbin.models.requests import Malformed
from tests.builders import Stores

pytestmark = pytest.mark.anyio
LATIN = st.text(st.characters(min_codepoint=0, max_codepoint=255))


async def test_a_request_comes_back_as_it_was(stores: Stores) -> None:
    bin = await stores.make_bin()
    request = await stores.capture(
        bin,
        method="PROPFIND",
        target="/b/joe/\xe9?a=%20&a=",
        headers=(("HOST", "x"), ("x-A", "\xff"), ("X-a", ""), ("x-A", "\xff")),
        body=bytes(range(256)),
        size=256,
        truncated=True,
        incomplete=True,
        declared_size=1_000,
        answer_status=None,
        attempt_id="att_1_1",
        signature="ok",
        client=None,
        content_type=None,
        malformed=Malformed(reason="no HTTP", offset=3),
        flags=("host_repeated",),
    )
    assert await stores.requests.get(request.seq) == request


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=LATIN, headers=st.lists(st.tuples(LATIN, LATIN)).map(tuple), body=st.binary())
async def test_any_bytes_come_back_as_they_were(
    stores: Stores, target: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    bin = await stores.bins.ensure("joe", max_requests=10, max_age=None)
    request = await stores.capture(bin, target=target, headers=headers, body=body)
    assert await stores.requests.get(request.seq) == request


async def test_a_list_is_the_newest_first_and_goes_on_before_a_number(stores: Stores) -> None:
    bin, other = await stores.make_bin("joe"), await stores.make_bin("other")
    mine = [await stores.capture(bin) for _ in range(5)]
    await stores.capture(other)
    mine.append(await stores.capture(bin))
    first = await stores.requests.list(bin, limit=4, before=None)
    assert [row.seq for row in first] == [row.seq for row in mine[:1:-1]]
    rest = await stores.requests.list(bin, limit=4, before=first[-1].seq)
    assert [row.seq for row in rest] == [mine[1].seq, mine[0].seq]


async def test_what_is_not_there_is_none(stores: Stores) -> None:
    assert await stores.requests.get(1) is None
    assert await stores.requests.get(2**63 - 1) is None


async def test_the_captures_of_attempts_are_found(stores: Stores) -> None:
    bin = await stores.make_bin()
    one = await stores.capture(bin, attempt_id="att_1_1")
    await stores.capture(bin, attempt_id="att_1_2")
    again = await stores.capture(bin, attempt_id="att_1_1")
    found = await stores.requests.of_attempts(["att_1_1", "att_2_1"])
    assert {id: [row.seq for row in rows] for id, rows in found.items()} == {
        "att_1_1": [one.seq, again.seq],
        "att_2_1": [],
    }
    assert found["att_1_1"][0].bin_id == bin.id
