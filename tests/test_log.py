"""The one log read back: three tables as one sequence."""

from __future__ import annotations

from typing import Any

import pytest

from hookbin.models.announcements import LogRow
from hookbin.models.deliveries import Action, AttemptSummary
from hookbin.models.events import EventSummary
from hookbin.models.requests import RequestSummary
from hookbin.store.log import LogFilter
from tests.builders import Stores

pytestmark = pytest.mark.anyio


async def fill(stores: Stores) -> list[LogRow]:
    """Rows of every kind, mixed; what was announced of them."""
    bin = await stores.make_bin()
    await stores.register()
    for number in range(4):
        await stores.capture(bin, target=f"/{number}")
        (delivery,) = await stores.publish(f"type.{number}")
        await stores.finish(delivery, Action.SUCCEED)
    return [row for row in stores.seen.rows if isinstance(row, RequestSummary | EventSummary | AttemptSummary)]


async def test_the_log_holds_what_was_announced_in_the_same_order(stores: Stores) -> None:
    announced = await fill(stores)
    log = await stores.log.between(0, stores.database.last_seq, limit=100)
    assert [row.seq for row in log] == [row.seq for row in announced] == list(range(1, 13))
    assert log == [_summary(row) for row in announced]


async def test_between_begins_behind_and_ends_with_the_numbers_given(stores: Stores) -> None:
    await fill(stores)
    assert [row.seq for row in await stores.log.between(3, 7, limit=100)] == [4, 5, 6, 7]
    assert await stores.log.between(7, 7, limit=100) == []
    assert await stores.log.between(12, 99, limit=100) == []


async def test_a_limit_keeps_the_first_ones(stores: Stores) -> None:
    await fill(stores)
    assert [row.seq for row in await stores.log.between(0, 12, limit=5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("wanted", "seqs"),
    [
        ({"kinds": frozenset({"event"})}, [2, 5, 8, 11]),
        ({"kinds": frozenset({"event", "request"})}, [1, 2, 4, 5, 7, 8, 10, 11]),
        ({"kinds": frozenset({"bin"})}, []),
        ({"bin_id": "bin_joe"}, [1, 4, 7, 10]),
        ({"bin_id": "bin_other"}, []),
        ({"webhook_id": "wh_1"}, [3, 6, 9, 12]),
        ({"webhook_id": "wh_2"}, []),
        ({"bin_id": "bin_joe", "webhook_id": "wh_1"}, [1, 3, 4, 6, 7, 9, 10, 12]),
        ({"bin_id": "bin_joe", "kinds": frozenset({"attempt"})}, []),
    ],
)
async def test_of_what_a_follower_wants_alone_the_rows_are_read(
    stores: Stores, wanted: dict[str, Any], seqs: list[int]
) -> None:
    joe = (await fill(stores))[0]
    assert isinstance(joe, RequestSummary)
    if wanted.get("bin_id") == "bin_joe":
        wanted = {**wanted, "bin_id": joe.bin_id}

    assert [row.seq for row in await stores.log.between(0, 12, limit=100, wanted=LogFilter(**wanted))] == seqs


async def test_newest_is_the_last_ones_backwards(stores: Stores) -> None:
    await fill(stores)
    assert [row.seq for row in await stores.log.newest(limit=5)] == [12, 11, 10, 9, 8]


async def test_requests_of_a_deleted_bin_are_left_out(stores: Stores) -> None:
    await fill(stores)
    await stores.bins.delete(stores.bins.get("joe"))
    assert not any(isinstance(row, RequestSummary) for row in await stores.log.newest(limit=100))


async def test_attempts_of_a_deleted_webhook_stay(stores: Stores) -> None:
    await fill(stores)
    await stores.webhooks.delete(stores.webhooks.get("wh_1"))
    assert sum(isinstance(row, AttemptSummary) for row in await stores.log.newest(limit=100)) == 4


def _summary(row: LogRow) -> LogRow:
    """The row without what only its full type has."""
    kind = next(kind for kind in (RequestSummary, EventSummary, AttemptSummary) if isinstance(row, kind))
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})
