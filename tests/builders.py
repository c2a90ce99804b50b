"""What the tests of the core are built from: rows with sensible values, opened stores, a scripted sender."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from hookbin.clock import Ids, Randomness
from hookbin.delivery.trails import Trails
from hookbin.dispatch.attempts import Attempts
from hookbin.dispatch.dispatcher import Dispatcher
from hookbin.dispatch.event_factory import EventFactory
from hookbin.dispatch.forwarding import Forwarding
from hookbin.dispatch.meta_events import MetaEventMaker
from hookbin.dispatch.pacing import MAX_IN_FLIGHT, Slots
from hookbin.dispatch.published_cache import PublishedCache
from hookbin.dispatch.publisher import Publisher
from hookbin.dispatch.recovery import Recovery
from hookbin.dispatch.sender import Sender, Sent
from hookbin.models.announcements import Announcement, Removed
from hookbin.models.answers import BinResponse
from hookbin.models.bins import Bin
from hookbin.models.deliveries import Action, Attempt, AttemptSummary, Delivery, DeliveryState, ErrorClass, Trigger
from hookbin.models.events import Event
from hookbin.models.pending_deletions import PendingDeletion
from hookbin.models.requests import CapturedRequest, RequestSummary
from hookbin.models.webhooks import Webhook
from hookbin.store.bins import BinStore
from hookbin.store.database import Database
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.events import EventStore
from hookbin.store.log import LogStore
from hookbin.store.pending_deletions import PendingDeletions
from hookbin.store.recovery import RecoveryStore
from hookbin.store.requests import RequestStore
from hookbin.store.retention import Retention
from hookbin.store.sending_search import DeliveryFilter, SendingSearch
from hookbin.store.trimmer import Trimmer
from hookbin.store.webhooks import WebhookStore
from tests.support import FakeClock

S = TypeVar("S", bound=Struct)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
NOW = FakeClock().now()
LATER = 2_000_000_000_000_000
"""When an attempt that is to be repeated is due, µs."""
PATIENCE = 20.0


def a_request(bin: Bin, **changes: Any) -> CapturedRequest:
    request = CapturedRequest(
        bin_id=bin.id,
        received_at=NOW,
        method="POST",
        target="/b/joe?q=1",
        http_version="1.1",
        scheme="http",
        client="127.0.0.1:5000",
        content_type="text/plain",
        size=len(changes.get("body", b"hello")),
        declared_size=5,
        answer_status=200,
        headers=(("Host", "localhost"), ("X-A", "1"), ("x-a", "2")),
        body=b"hello",
    )
    return replace(request, **changes)


def a_bin(**changes: Any) -> Bin:
    bin = Bin(
        key=1,
        id="bin_aaaaaaaaaaaaaaaa",
        name="joe",
        created_at=NOW,
        response=BinResponse(),
        verify=None,
        max_requests=10_000,
        max_age=None,
    )
    return replace(bin, **changes)


def a_webhook(id: str = "wh_1", **changes: Any) -> Webhook:
    webhook = Webhook(
        id=id,
        name=f"name of {id}",
        destination="http://localhost:1/hook",
        events=("*",),
        secret=SECRET,
        retry_schedule=(1.0, 5.0, 30.0),
        retry_on=("5xx", "network"),
        timeout=15.0,
        max_in_flight=8,
        created_at=NOW,
    )
    return replace(webhook, **changes)


def an_event(id: str = "evt_1", **changes: Any) -> Event:
    event = Event(
        id=id,
        type="user.created",
        created_at=NOW,
        content_type="application/json",
        size=len(changes.get("body", b"{}")),
        fingerprint=b"f",
        body=b"{}",
    )
    return replace(event, **changes)


def a_delivery(event: Event, webhook: Webhook, **changes: Any) -> Delivery:
    delivery = Delivery(
        id=f"dlv_{event.id}_{webhook.id}",
        event_id=event.id,
        event_type=event.type,
        webhook_id=webhook.id,
        webhook_name=webhook.name,
        destination=webhook.destination,
        state=DeliveryState.PENDING,
        attempt_count=0,
        next_attempt_at=event.created_at,
        next_trigger=Trigger.AUTO,
        created_at=event.created_at,
        finished_at=None,
        turn=event.created_at,
    )
    return replace(delivery, **changes)


def an_attempt(delivery: Delivery, **changes: Any) -> Attempt:
    attempt = Attempt(
        delivery_id=delivery.id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        webhook_id=delivery.webhook_id,
        webhook_name=delivery.webhook_name,
        number=delivery.attempt_count + 1,
        trigger=Trigger.AUTO,
        started_at=NOW,
        duration=1_000,
        status=200,
        delivery_state=DeliveryState.PENDING,
        method="POST",
        url=delivery.destination,
        request_headers=(("webhook-id", delivery.event_id),),
        response_headers=(("Server", "x"),),
        response_body=b"ok",
    )
    return replace(attempt, **changes)


class Seen:
    """Everything that was announced, and a way to wait for more of it."""

    def __init__(self) -> None:
        self.rows: list[Announcement] = []
        self.commits: list[list[Announcement]] = []
        self._changed = asyncio.Event()

    def committed(self, rows: Sequence[Announcement]) -> None:
        self.commits.append(list(rows))
        self.rows += rows
        self.touch()

    def touch(self) -> None:
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    @property
    def attempts(self) -> list[AttemptSummary]:
        return [row for row in self.rows if isinstance(row, AttemptSummary)]

    @property
    def requests(self) -> list[RequestSummary]:
        return [row for row in self.rows if isinstance(row, RequestSummary)]


class Stores:
    """An open database and everything that stands on it, below the dispatcher."""

    def __init__(self, database: Database, clock: FakeClock, randomness: Randomness) -> None:
        self.database = database
        self.clock = clock
        self.ids = Ids(clock, randomness=randomness)
        self.bins = BinStore(database, clock=clock, ids=self.ids)
        self.requests = RequestStore(database)
        self.webhooks = WebhookStore(database, clock=clock)
        self.events = EventStore(database)
        self.deliveries = DeliveryStore(database)
        self.pending_deletions = PendingDeletions(database, clock=clock, ids=self.ids)
        self.log = LogStore(database)
        self.trails = Trails(lambda: self.webhooks.trail_key)
        self.factory = EventFactory(clock=clock, ids=self.ids, trails=self.trails)
        self.publisher = Publisher(self.events, self.webhooks, self.factory)
        self.forwarding = Forwarding(self.events, self.webhooks, self.factory)
        self.recovery = Recovery(
            RecoveryStore(database), events=self.events, webhooks=self.webhooks, factory=self.factory, clock=clock
        )
        self.seen = Seen()
        self.search = SendingSearch(database)

    async def listed(self, **wanted: Any) -> list[Delivery]:
        """All deliveries that are as wanted, the newest first."""
        found = await self.search.deliveries(DeliveryFilter(**wanted), limit=100_000)
        return [row.delivery for row in found.rows]

    async def make_bin(self, name: str | None = "joe", **changes: Any) -> Bin:
        settings: dict[str, Any] = {"max_requests": 10_000, "max_age": None, **changes}
        return await self.bins.create(name=name, response=BinResponse(), **settings)

    async def capture(self, bin: Bin, **changes: Any) -> CapturedRequest:
        request = a_request(bin, received_at=self.clock.now())
        request = replace(request, **changes)
        await self.requests.add(request, bin)
        return request

    async def register(self, id: str = "wh_1", **changes: Any) -> Webhook:
        webhook = a_webhook(id, **changes)
        await self.webhooks.create(webhook)
        return webhook

    async def publish(self, type: str = "user.created", **options: Any) -> list[Delivery]:
        """The deliveries of a newly published event."""
        return list((await self.publisher.publish_json(type, b"{}", **options)).deliveries)

    async def finish(
        self,
        delivery: Delivery,
        action: Action,
        *,
        disable: str | None = None,
        generation: int = 0,
        **changes: Any,
    ) -> Attempt:
        """Commit an attempt at the delivery as it is now."""
        now = await self.found(delivery)
        attempt = an_attempt(now, next_attempt_at=LATER if action is Action.RESCHEDULE else None, **changes)
        return await self.deliveries.finish(attempt, began=now, generation=generation, action=action, disable=disable)

    def trimmer(self, **options: Any) -> Trimmer:
        retention = Retention(self.database, **options)
        return Trimmer(retention, bins=self.bins, pending=self.pending_deletions, clock=self.clock)

    @asynccontextmanager
    async def trimming(self) -> AsyncIterator[None]:
        """The trimmer is at work, and hears of what is committed."""
        trimmer = self.trimmer()
        self.database.on_commit(trimmer.captured, of=(RequestSummary,))
        self.database.on_commit(trimmer.changed, of=(Bin, Removed, PendingDeletion))
        trimmer.start()
        try:
            yield
        finally:
            await trimmer.stop()

    async def found(self, delivery: Delivery) -> Delivery:
        """The delivery as it is now."""
        found = await self.deliveries.get(delivery.id)
        assert found is not None
        return found

    async def kept(self, bin: Bin) -> list[int]:
        """The numbers of a bin's requests, in order."""
        rows = await self.requests.list(bin, limit=100_000, before=None)
        return [row.seq for row in reversed(rows)]

    async def count(self, table: str) -> int:
        ((count,),) = await self.database.read(f"SELECT count(*) FROM {table}")
        return int(count)


@asynccontextmanager
async def open_stores(
    path: Path, *, clock: FakeClock | None = None, randomness: Randomness = secrets.token_bytes, **options: Any
) -> AsyncIterator[Stores]:
    stores = Stores(Database(path, **options), clock or FakeClock(), randomness)
    await stores.database.open()
    try:
        await stores.bins.load()
        await stores.webhooks.load()
        await stores.log.go_on(stores.ids)
        stores.database.on_commit(stores.seen.committed)
        yield stores
    finally:
        await stores.database.close()


Answer = int | ErrorClass


class FakeSender(Sender):
    """Answers from a script, one list per webhook, its last answer for ever; a webhook on `hold` hangs."""

    def __init__(self, seen: Seen) -> None:
        self.script: dict[str, list[Answer]] = {}
        self.retry_after: str | None = None
        self.calls: list[tuple[str, str, int]] = []
        """`(webhook, delivery, attempt number)` of every attempt that began."""
        self.under_way: Counter[str] = Counter()
        self.most_under_way: Counter[str] = Counter()
        self.by_delivery: Counter[str] = Counter()
        self.held: dict[str, asyncio.Event] = {}
        self._seen = seen

    def hold(self, webhook_id: str) -> None:
        self.held[webhook_id] = asyncio.Event()

    def release(self, webhook_id: str) -> None:
        self.held.pop(webhook_id).set()

    def to(self, webhook_id: str) -> list[tuple[str, str, int]]:
        return [call for call in self.calls if call[0] == webhook_id]

    async def send(self, webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int) -> Sent:
        self.calls.append((webhook.id, delivery_id, number))
        assert not self.by_delivery[delivery_id], "two attempts of one delivery at once"
        for key in (webhook.id, "*"):
            self.under_way[key] += 1
            self.most_under_way[key] = max(self.most_under_way[key], self.under_way[key])
        self.by_delivery[delivery_id] += 1
        self._seen.touch()
        try:
            if webhook.id in self.held:
                await self.held[webhook.id].wait()
        finally:
            self.under_way.subtract([webhook.id, "*"])
            self.by_delivery[delivery_id] -= 1
        return self._answer(webhook)

    def _answer(self, webhook: Webhook) -> Sent:
        script = self.script.get(webhook.id, [200])
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, ErrorClass):
            return Sent(url=webhook.destination, request_headers=(), error=answer, error_detail="as scripted")
        headers = (("Retry-After", self.retry_after),) if self.retry_after else ()
        return Sent(
            url=webhook.destination, request_headers=(), status=answer, response_headers=headers, response_body=b""
        )


class Workshop:
    """Stores with a dispatcher at work, a scripted sender and a clock to turn."""

    def __init__(
        self,
        stores: Stores,
        clock: FakeClock,
        *,
        sender: Sender | None = None,
        deliveries: Callable[[Database], DeliveryStore] = DeliveryStore,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self.stores = stores
        self.clock = clock
        self.sender = FakeSender(stores.seen)
        self.deliveries = deliveries(stores.database)
        published = PublishedCache()
        self.attempts = Attempts(
            deliveries=self.deliveries,
            events=stores.events,
            webhooks=stores.webhooks,
            published=published,
            sender=sender or self.sender,
            meta_events=MetaEventMaker(stores.webhooks, stores.factory),
            clock=clock,
            jitter=lambda: 0.0,
        )
        self.dispatcher = Dispatcher(
            self.attempts,
            Slots(max_in_flight),
            published=published,
            deliveries=self.deliveries,
            webhooks=stores.webhooks,
            clock=clock,
        )

    @property
    def seen(self) -> Seen:
        return self.stores.seen

    async def settle(self, *, rounds: int = 20, held: Callable[[], int] | None = None) -> None:
        """Let everything come to rest that is not waiting for the clock or for a held destination."""
        held = held or (lambda: self.sender.under_way["*"])
        quiet = 0
        while quiet < rounds:
            calls = len(self.sender.calls)
            await self.stores.database.read("SELECT 1")
            await self.stores.database.probe()
            busy = self.dispatcher.in_flight > held() or self.dispatcher.reading
            quiet = 0 if busy or len(self.sender.calls) > calls else quiet + 1

    async def state(self, delivery: Delivery) -> DeliveryState:
        return (await self.stores.found(delivery)).state


@asynccontextmanager
async def open_workshop(
    path: Path, *, clock: FakeClock | None = None, randomness: Randomness = secrets.token_bytes, **options: Any
) -> AsyncIterator[Workshop]:
    clock = clock or FakeClock()
    async with open_stores(path, clock=clock, randomness=randomness) as stores:
        workshop = Workshop(stores, clock, **options)
        stores.database.on_commit(workshop.dispatcher.committed)
        await workshop.dispatcher.start()
        try:
            yield workshop
        finally:
            await workshop.dispatcher.stop(grace=0)
