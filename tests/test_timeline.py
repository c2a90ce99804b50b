"""The live feed: who gets what, how much may wait, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hookbin.live.timeline import QUEUE, Message, Subscription, Timeline, Topic, place
from hookbin.models.announcements import Announcement, Removed
from tests.builders import a_bin, a_delivery, a_request, a_webhook, an_attempt, an_event

pytestmark = pytest.mark.anyio
BIN, OTHER = a_bin(id="bin_1"), a_bin(id="bin_2")
WEBHOOK = a_webhook("wh_1")
DELIVERY = a_delivery(an_event(), WEBHOOK)


class Encoder:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[Announcement] = []

    def __call__(self, row: Announcement, headlines: bool) -> Message | None:
        self.asked.append(row)
        kind, bin_id, webhook_id = place(row)
        return None if kind == "delivery" else Message(getattr(row, "seq", None), kind, bin_id, webhook_id, b"")


def requests(*seqs: int) -> list[Announcement]:
    return [a_request(BIN, seq=seq) for seq in seqs]


async def ready(subscription: Subscription) -> list[int | None]:
    return [message.seq for message in await subscription.next()]


def followed() -> tuple[Timeline, Subscription]:
    timeline = Timeline(Encoder())
    return timeline, timeline.subscribe(Topic())


async def test_a_commit_that_is_told_later_goes_to_those_who_followed_at_the_commit() -> None:
    later: list[Callable[[], None]] = []
    timeline = Timeline(Encoder(), later=lambda work, *, together: later.append(work))
    first = timeline.subscribe(Topic())
    timeline.committed(requests(1, 2))
    second = timeline.subscribe(Topic())
    timeline.committed(requests(3))
    for work in later:
        work()

    assert (await ready(first), second.position, await ready(second)) == ([1, 2, 3], 2, [3])


async def test_what_counts_a_bin_s_requests_is_made_at_its_commit() -> None:
    later: list[Callable[[], None]] = []
    encoder = Encoder()
    timeline = Timeline(encoder, later=lambda work, *, together: later.append(work))
    follower = timeline.subscribe(Topic())
    timeline.committed([BIN, *requests(1)])
    assert encoder.asked == [BIN]
    later[0]()
    assert await ready(follower) == [None, 1]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (a_request(BIN, seq=1), ("request", "bin_1", None)),
        (an_event(), ("event", None, None)),
        (an_attempt(DELIVERY, seq=1), ("attempt", None, "wh_1")),
        (BIN, ("bin", "bin_1", None)),
        (WEBHOOK, ("webhook", None, "wh_1")),
        (Removed(kind="bin", id="bin_1"), ("bin", "bin_1", None)),
        (Removed(kind="webhook", id="wh_1"), ("webhook", None, "wh_1")),
        (DELIVERY, ("delivery", None, "wh_1")),
    ],
)
def test_every_row_has_its_place(row: Announcement, expected: tuple[str, str | None, str | None]) -> None:
    assert place(row) == expected


ROWS: list[Announcement] = [
    a_request(BIN, seq=1),
    a_request(OTHER, seq=2),
    an_event(seq=3),
    an_attempt(DELIVERY, seq=4),
    an_attempt(a_delivery(an_event(), a_webhook("wh_2")), seq=5),
]


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (Topic(), [1, 2, 3, 4, 5]),
        (Topic(bin_id="bin_1"), [1]),
        (Topic(webhook_id="wh_1"), [4]),
        (Topic(bin_id="bin_2", webhook_id="wh_2"), [2, 5]),
        (Topic(kinds=frozenset({"event", "request"})), [1, 2, 3]),
        (Topic(kinds=frozenset({"attempt"}), webhook_id="wh_2"), [5]),
    ],
)
async def test_a_follower_gets_what_its_topic_wants(topic: Topic, expected: list[int]) -> None:
    timeline = Timeline(Encoder())
    subscription = timeline.subscribe(topic)
    timeline.committed(ROWS)
    assert await ready(subscription) == expected


async def test_a_follower_that_waits_is_woken() -> None:
    timeline, subscription = followed()
    waiting = asyncio.create_task(ready(subscription))
    await asyncio.sleep(0)
    assert not waiting.done()
    timeline.committed(requests(1))
    assert await waiting == [1]


async def test_a_message_is_made_once_for_all_followers() -> None:
    encoder = Encoder()
    timeline = Timeline(encoder)
    subscriptions = [timeline.subscribe(Topic()) for _ in range(50)]
    timeline.committed(requests(1, 2, 3))
    assert len(encoder.asked) == 3
    messages = [await subscription.next() for subscription in subscriptions]
    assert all(each[0] is messages[0][0] for each in messages)


async def test_nothing_is_made_while_nobody_follows() -> None:
    encoder = Encoder()
    timeline = Timeline(encoder)
    timeline.committed(requests(1))
    subscription = timeline.subscribe(Topic())
    timeline.unsubscribe(subscription)
    timeline.committed(requests(2))
    assert encoder.asked == []


async def test_a_follower_that_is_too_slow_is_closed_and_still_gets_what_was_queued() -> None:
    timeline = Timeline(Encoder())
    slow, quick = timeline.subscribe(Topic()), timeline.subscribe(Topic(bin_id="bin_2"))
    for seq in range(1, QUEUE + 2):
        timeline.committed(requests(seq))
    timeline.committed(requests(QUEUE + 2))
    assert slow.closed
    assert not quick.closed
    assert await ready(slow) == list(range(1, QUEUE + 1))
    assert await ready(slow) == []
    assert await ready(slow) == []


async def test_after_an_overflow_nothing_is_queued_even_when_there_is_room_again() -> None:
    timeline, subscription = followed()
    timeline.committed(requests(*range(1, QUEUE + 1)))
    timeline.committed(requests(QUEUE + 1))
    await ready(subscription)
    timeline.committed(requests(QUEUE + 2))
    assert await ready(subscription) == []


async def test_a_follower_knows_the_position_at_which_it_began() -> None:
    timeline = Timeline(Encoder(), position=7)
    assert timeline.subscribe(Topic()).position == 7
    timeline.committed([a_request(BIN, seq=8), a_request(BIN, seq=9), BIN])
    assert timeline.subscribe(Topic()).position == 9
    timeline.committed([BIN])
    assert timeline.position == 9


async def test_closing_ends_every_follower_and_those_that_come_later() -> None:
    timeline = Timeline(Encoder())
    waiting, late = timeline.subscribe(Topic()), timeline.subscribe(Topic())
    timeline.committed(requests(1))
    await waiting.next()
    task = asyncio.create_task(ready(waiting))
    await asyncio.sleep(0)
    timeline.close()
    assert await task == []
    assert await ready(late) == [1]
    assert await ready(timeline.subscribe(Topic())) == []


async def test_followers_are_counted() -> None:
    timeline, subscription = followed()
    assert timeline.followers == 1
    timeline.unsubscribe(subscription)
    timeline.unsubscribe(subscription)
    assert timeline.followers == 0
