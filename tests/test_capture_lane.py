"""Which captures go the short way, and that it promises what the long one does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hookbin.answers.plan import Plans
from hookbin.capture.lane import CaptureLane
from hookbin.capture.services import CaptureServices
from hookbin.config import Settings
from hookbin.models.answers import AnswerRule, BinHandshake, BinResponse, Chance, Fault, Provider, SequenceStep, When
from hookbin.models.bins import Bin, Verify
from hookbin.models.webhooks import WebhookKind
from hookbin.templating.pool import TemplatePool
from hookbin.wire.exchange import Exchange
from hookbin.wire.head import Head, by_name
from tests.builders import Stores, a_webhook, open_stores

pytestmark = pytest.mark.anyio

BODY = b"hello"
PAIRS = [("Host", "localhost"), ("X-b", "2"), ("Content-Length", "5"), ("x-B", "é")]


class Peer:
    """The connection that an exchange answers on."""

    client: tuple[str, int] | None = ("::1", 5000)

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.answered = asyncio.Event()

    def answer(self, exchange: Exchange, *, status: int, fields: bytes, body: bytes) -> None:
        self.statuses.append(status)
        self.answered.set()

    def break_off(self, exchange: Exchange) -> None:
        raise AssertionError

    def drop(self, exchange: Exchange, *, last_words: bytes, reset: bool) -> None:
        raise AssertionError


def a_head(target: str = "/b/joe/x?q=1", **changes: Any) -> Head:
    head = Head(
        method="POST",
        target=target,
        http_version="1.1",
        pairs=PAIRS,
        named=by_name(PAIRS),
        length=len(BODY),
        keep_alive=True,
        expects_continue=False,
    )
    return replace(head, **changes)


def a_lane(stores: Stores, stopping: asyncio.Event | None = None) -> CaptureLane:
    return CaptureLane(
        CaptureServices(
            settings=Settings(max_body=100),
            clock=stores.clock,
            random=lambda: 0.5,
            bins=stores.bins,
            plans=Plans(),
            requests=stores.requests,
            webhooks=stores.webhooks,
            webhook_of=lambda id: None,
            forwarding=stores.forwarding,
            templates=TemplatePool(),
            stopping=stopping or asyncio.Event(),
        )
    )


def take(lane: CaptureLane, head: Head) -> Peer:
    peer, taker = Peer(), lane.taker_of(head)
    assert taker is not None
    taker(Exchange(head.target, head.pairs, peer), head, BODY)
    return peer


async def a_bin(stores: Stores, response: BinResponse, **settings: Any) -> Bin:
    return await stores.bins.create(name="joe", response=response, max_requests=10, max_age=None, **settings)


async def test_a_plain_capture_is_kept_as_it_came_and_answered_from_its_commit(stores: Stores) -> None:
    bin = await a_bin(stores, BinResponse(status=418))

    peer = take(a_lane(stores), a_head(f"/b/{bin.id}?q=1"))
    assert peer.statuses == []
    await peer.answered.wait()

    assert peer.statuses == [418]
    kept = await stores.requests.get(stores.database.last_seq)
    assert kept is not None
    assert (kept.bin_id, kept.method, kept.target, kept.client) == (bin.id, "POST", f"/b/{bin.id}?q=1", "[::1]:5000")
    assert kept.headers == (("Host", "localhost"), ("X-b", "2"), ("Content-Length", "5"), ("x-B", "é"))
    assert (kept.body, kept.size, kept.declared_size, kept.answer_status) == (BODY, 5, 5, 418)
    assert stores.bins.count(bin) == 1


@pytest.mark.parametrize("target", ["/b/joe", "/b/joe/", "/b/joe?", "/b/joe#f", "/b/joe/%2F/../x"])
async def test_whatever_follows_the_bin_is_taken(stores: Stores, target: str) -> None:
    await a_bin(stores, BinResponse())

    assert a_lane(stores).taker_of(a_head(target)) is not None


@pytest.mark.parametrize(
    "target",
    ["/", "*", "/b/", "/b/nobody", "/b/JOE", "/b/%6aoe", "/b/joe%2Fx", "/b/joe;x", "http://x/b/joe", "/bins"],
)
async def test_what_is_not_plainly_a_bin_s_address_goes_the_long_way(stores: Stores, target: str) -> None:
    await a_bin(stores, BinResponse())

    assert a_lane(stores).taker_of(a_head(target)) is None


@pytest.mark.parametrize(
    "changes",
    [{"length": 101}, {"named": {"hookbin-attempt-id": "att_1"}}],
    ids=["a body over the limit", "of an attempt of ours"],
)
async def test_a_request_that_wants_more_goes_the_long_way(stores: Stores, changes: dict[str, Any]) -> None:
    await a_bin(stores, BinResponse())

    assert a_lane(stores).taker_of(a_head(**changes)) is None


@pytest.mark.parametrize(
    "response",
    [
        BinResponse(delay_ms=1),
        BinResponse(fault=Fault.HANG),
        BinResponse(cors=True),
        BinResponse(template=True),
        BinResponse(rules=(AnswerRule(when=When(method="PUT")),)),
        BinResponse(chance=Chance(probability=0.5)),
        BinResponse(sequence=(SequenceStep(),)),
        BinResponse(handshake=BinHandshake(provider=Provider.SLACK)),
    ],
)
async def test_a_bin_that_does_more_than_answer_goes_the_long_way(stores: Stores, response: BinResponse) -> None:
    await a_bin(stores, response)

    assert a_lane(stores).taker_of(a_head()) is None


async def test_a_bin_that_checks_or_forwards_goes_the_long_way(stores: Stores) -> None:
    checks = await a_bin(stores, BinResponse(), verify=Verify(scheme="github", secret="secret"))
    forwards = await stores.make_bin("jim")
    await stores.webhooks.create(a_webhook(kind=WebhookKind.FORWARD, bin_id=forwards.id))

    for bin in (checks, forwards):
        assert a_lane(stores).taker_of(a_head(f"/b/{bin.id}")) is None


async def test_a_changed_bin_counts_at_once(stores: Stores) -> None:
    lane, bin = a_lane(stores), await a_bin(stores, BinResponse())
    assert lane.taker_of(a_head()) is not None

    await stores.bins.edit(bin, lambda now: replace(now, response=BinResponse(delay_ms=1)))

    assert lane.taker_of(a_head()) is None


async def test_nothing_is_taken_once_the_server_stops(stores: Stores) -> None:
    await a_bin(stores, BinResponse())
    stopping = asyncio.Event()
    stopping.set()

    assert a_lane(stores, stopping).taker_of(a_head()) is None


async def test_more_than_the_writer_holds_is_refused_at_once(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "hookbin.db", queue_bytes=600) as stores:
        await a_bin(stores, BinResponse())
        first, second = (take(a_lane(stores), a_head()) for _ in range(2))
        assert (first.statuses, second.statuses) == ([], [503])

        await first.answered.wait()
        assert first.statuses == [200]


async def test_what_can_not_be_written_is_answered_with_the_error(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    await a_bin(stores, BinResponse())
    peer = take(a_lane(stores), a_head(method="lone \ud800"))
    good = take(a_lane(stores), a_head())
    await peer.answered.wait()
    await good.answered.wait()

    assert (peer.statuses, good.statuses) == ([500], [200])
    assert "a capture could not be written" in caplog.text
