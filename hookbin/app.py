"""The house: every object is built here, once, and every route leads from here."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
from platformdirs import user_data_path
from starlette.types import Receive, Scope, Send

from hookbin.answers.plan import Plans
from hookbin.capture.handler import Capture
from hookbin.capture.lane import CaptureLane
from hookbin.capture.refused import RefusedCapture
from hookbin.capture.services import CaptureServices
from hookbin.clock import Clock, Ids, SystemClock
from hookbin.config import Settings
from hookbin.delivery.targets import Policy, is_loopback_host
from hookbin.delivery.trails import Trails
from hookbin.dispatch.attempts import Attempts
from hookbin.dispatch.dispatcher import Dispatcher
from hookbin.dispatch.event_factory import EventFactory
from hookbin.dispatch.forwarding import Forwarding
from hookbin.dispatch.heartbeats import Heartbeats
from hookbin.dispatch.meta_events import MetaEventMaker
from hookbin.dispatch.pacing import Slots
from hookbin.dispatch.published_cache import PublishedCache
from hookbin.dispatch.publisher import Publisher
from hookbin.dispatch.recovery import Recovery
from hookbin.dispatch.secret_expiry import SecretExpiry
from hookbin.dispatch.sender import Sender
from hookbin.errors import BinsElsewhere, HookbinError, NotFound, StartError
from hookbin.live.activity import Activity
from hookbin.live.metrics import Metrics
from hookbin.live.refusals import Refusals
from hookbin.live.timeline import Timeline
from hookbin.live.waiters import Waiting
from hookbin.live.wrong_tokens import WrongTokens
from hookbin.models.announcements import Removed
from hookbin.models.bins import Bin
from hookbin.models.deliveries import AttemptSummary, Delivery
from hookbin.models.pending_deletions import PendingDeletion
from hookbin.models.request_target import PREFIX
from hookbin.models.requests import RequestSummary
from hookbin.models.webhooks import Webhook
from hookbin.store.backup import Backups
from hookbin.store.bins import BinStore
from hookbin.store.database import Database
from hookbin.store.delete_requests import RequestRemoval
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.events import EventStore
from hookbin.store.exporting import RequestExport
from hookbin.store.log import LogStore
from hookbin.store.pending_deletions import PendingDeletions
from hookbin.store.recovery import RecoveryStore
from hookbin.store.requests import RequestStore
from hookbin.store.retention import Retention
from hookbin.store.search import RequestSearch
from hookbin.store.sending_search import SendingSearch
from hookbin.store.sessions import SessionStore
from hookbin.store.trimmer import Trimmer
from hookbin.store.webhooks import WebhookStore
from hookbin.templating.pool import TemplatePool
from hookbin.web.api.stream import Encoder
from hookbin.web.html.coloring import colored
from hookbin.web.rest.addresses import Addresses
from hookbin.web.rest.bin_shaper import BinShaper
from hookbin.web.rest.problem_response import problem_response
from hookbin.web.rest.services import Delivering, Live, Services, Site, Stores
from hookbin.web.rest.viewer import Viewer
from hookbin.web.site import site_app
from hookbin.wire.forwarded import TrustedProxies
from hookbin.wire.lane import Lane
from hookbin.wire.proxy import parse_proxy
from hookbin.wire.tls import trusting

DRAIN_SECONDS = 2.0
"""What attempts under way get when the server stops."""
REMEMBERED = 2_000
"""Rows of the log that the charts begin with."""


def create_app(
    settings: Settings | None = None,
    *,
    port: int | None = None,
    bin_port: int | None = None,
    clock: Clock | None = None,
) -> Hookbin:
    """The application. The ports are those that are bound, when they are not those in the settings."""
    settings = settings or Settings()
    addresses = Addresses(
        settings,
        port=settings.port if port is None else port,
        bin_port=settings.bin_port if bin_port is None else bin_port,
    )
    return Hookbin(settings, addresses=addresses, clock=clock or SystemClock())


def default_database() -> Path:
    """The file that is used when none was named."""
    return user_data_path("hookbin", appauthor=False) / "hookbin.db"


class Hookbin:
    """The ASGI application, and the tasks that work behind it while it is `running`."""

    def __init__(self, settings: Settings, *, addresses: Addresses, clock: Clock) -> None:
        ids = Ids(clock)
        metrics = Metrics()
        database = Database(
            settings.database or default_database(),
            ballast=settings.ballast,
            observe_batch=metrics.observe_batch,
            monotonic=clock.monotonic,
        )
        stores = _stores(database, settings=settings, addresses=addresses, clock=clock, ids=ids)
        delivering = _delivering(stores, settings=settings, addresses=addresses, clock=clock, ids=ids)
        encode = Encoder(stores.bin_shape, find_bin=stores.bins.shown)
        live = Live(
            timeline=Timeline(encode, later=database.do_later),
            encode=encode,
            activity=Activity(now=clock.now),
            waiting=Waiting(),
            metrics=metrics,
            refusals=Refusals(monotonic=clock.monotonic),
            wrong_tokens=WrongTokens(clock),
            stopping=asyncio.Event(),
        )
        site = Site(
            settings=settings,
            started_at=clock.now(),
            clock=clock,
            ids=ids,
            addresses=addresses,
            templates=TemplatePool(),
            viewer=Viewer(clock, colored=colored),
        )
        self.services = Services(stores=stores, delivering=delivering, live=live, site=site)
        self._heartbeats = Heartbeats(
            publisher=delivering.publisher, deliveries=stores.deliveries, webhooks=stores.webhooks, clock=clock
        )
        self._secret_expiry = SecretExpiry(stores.webhooks, clock=clock)
        self._trimmer = Trimmer(Retention(database), bins=stores.bins, pending=stores.pending_deletions, clock=clock)
        capturing = _capture_services(self.services)
        self._capture = Capture(capturing)
        self.proxies = TrustedProxies(settings.trust_proxy)
        self.lane: Lane | None = None if settings.trust_proxy else CaptureLane(capturing)
        """The way of plain captures past ASGI, inside the server's protocol; it knows no proxy's headers."""
        self.refused = RefusedCapture(
            find_bin=stores.bins.find,
            plans=capturing.plans,
            requests=stores.requests,
            refusals=live.refusals,
            clock=clock,
        )
        """Told by the server's protocol of what it refused."""
        self._tell_of_commits()
        self._watch_numbers()
        self._site = site_app(self.services, lifespan=self.running)

    def _tell_of_commits(self) -> None:
        """Who hears what was committed, in this order."""
        database, live = self.services.stores.database, self.services.live
        database.on_commit(live.metrics.committed)
        sent = (Delivery, AttemptSummary, Webhook, Removed)
        database.on_commit(self.services.delivering.dispatcher.committed, of=sent)
        database.on_commit(self._heartbeats.committed, of=(Webhook, Removed))
        database.on_commit(self._secret_expiry.committed, of=(Webhook,))
        database.on_commit(self._trimmer.captured, of=(RequestSummary,))
        database.on_commit(self._trimmer.changed, of=(Bin, Removed, PendingDeletion))
        database.on_commit(live.activity.committed, of=(RequestSummary, AttemptSummary, Removed))
        database.on_commit(live.timeline.committed)
        database.on_commit(live.waiting.committed, of=(RequestSummary,))

    def _watch_numbers(self) -> None:
        database, live = self.services.stores.database, self.services.live
        dispatcher, memory = self.services.delivering.dispatcher, self._capture.memory
        watch = live.metrics.watch
        watch("hookbin_writer_queue_bytes", "Bytes that wait for the writer", lambda: database.queued_bytes)
        watch("hookbin_writes_failing", "Writes fail now: 1, else 0", lambda: bool(database.trouble))
        watch("hookbin_stream_subscribers", "Open streams", lambda: live.timeline.followers)
        watch("hookbin_waiters", "Calls that wait for requests", lambda: live.waiting.waiters)
        watch("hookbin_attempts_in_flight", "Attempts under way", lambda: dispatcher.in_flight)
        watch("hookbin_draining_bytes", "Bytes of large bodies in memory", lambda: memory.taken)
        count, lacks = live.metrics.watch_count, dispatcher.lacks
        count("hookbin_refusals", "Messages that were no HTTP", lambda: live.refusals.count)
        count("hookbin_attempts_postponed", "Attempts that waited for what this server lacked", lambda: lacks.count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.proxies.restore(scope)
            bin_port = self.services.site.addresses.bin_port
            is_bin = scope["path"].startswith(PREFIX)
            if bin_port is not None and is_bin is not (scope["server"][1] == bin_port):
                await self._refuse_port(scope, receive, send)
                return
            if is_bin:
                await self._capture(scope, receive, send)
                return
            scope["path"] = scope["path"].rstrip("/") or "/"
        await self._site(scope, receive, send)

    def comes_first(self, address: str) -> bool:
        """Whether room is kept for connections from there: whoever is signed in, and this machine.

        Where a proxy is trusted all may seem to come from this machine.
        """
        if self.services.stores.sessions.is_signed_in_from(address):
            return True
        return not self.services.site.settings.trust_proxy and is_loopback_host(address)

    async def _refuse_port(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page is no bin's neighbour, nor a bin a page's, once bins have a port of their own."""
        error: HookbinError = NotFound("only bins are at this port; the pages have another")
        if scope["path"].startswith(PREFIX):
            error = BinsElsewhere(
                f"bins are at {self.services.site.addresses.bins_url}{PREFIX}… since --bin-port is set"
            )
        await problem_response(error)(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything opened and at work; stopped and closed at the end. Raises `StartError`."""
        services = self.services
        await _started(services.stores.database.open())
        try:
            await _started(self._load())
            await self._heartbeats.start()
            self._secret_expiry.start()
            self._trimmer.start()
            try:
                yield
            finally:
                await self.wind_down()
                await self.refused.aclose()
                await self._trimmer.stop()
                await services.delivering.sender.aclose()
                await services.site.templates.aclose()
        finally:
            await services.stores.database.close()

    async def _load(self) -> None:
        """Have in memory what is kept there, what is due, and every module, for when no file can be opened any more."""
        await anyio.lowlevel.checkpoint()  # it imports its backend when that is first asked of it
        stores, live = self.services.stores, self.services.live
        await stores.bins.load()
        await stores.webhooks.load()
        await stores.sessions.load()
        live.timeline.position = stores.database.last_seq
        live.activity.committed(reversed(await stores.log.newest(limit=REMEMBERED)))
        await stores.log.go_on(self.services.site.ids)
        await self.services.delivering.dispatcher.start()

    async def wind_down(self) -> None:
        """Start nothing more, let what is under way finish, end the streams. May be called twice."""
        if not self.services.live.stopping.is_set():
            self.services.live.stopping.set()
            self.services.live.waiting.close()
            await self._heartbeats.stop()
            await self._secret_expiry.stop()
            await self.services.delivering.dispatcher.stop(grace=DRAIN_SECONDS)
            self.services.live.timeline.close()


async def _started(starting: Awaitable[None]) -> None:
    """Wait for it. Raises `StartError`, whatever a damaged file or the lack of memory leads to."""
    try:
        await starting
    except StartError:
        raise
    except Exception as error:
        cause = error.detail if isinstance(error, HookbinError) else f"{type(error).__name__}: {error}"
        raise StartError(f"the database can't be used: {cause.rstrip(': ')}") from error


def _stores(database: Database, *, settings: Settings, addresses: Addresses, clock: Clock, ids: Ids) -> Stores:
    bins, webhooks = BinStore(database, clock=clock, ids=ids), WebhookStore(database, clock=clock)
    return Stores(
        database=database,
        bins=bins,
        requests=RequestStore(database),
        export=RequestExport(database),
        search=RequestSearch(database),
        removal=RequestRemoval(database),
        pending_deletions=PendingDeletions(database, clock=clock, ids=ids),
        webhooks=webhooks,
        events=EventStore(database),
        deliveries=DeliveryStore(database),
        sending_search=SendingSearch(database),
        log=LogStore(database),
        sessions=SessionStore(database, token=settings.token, clock=clock, ids=ids),
        backups=Backups(database.path),
        bin_shape=BinShaper(bins, webhooks, addresses=addresses),
    )


def _capture_services(services: Services) -> CaptureServices:
    stores, delivering = services.stores, services.delivering
    return CaptureServices(
        settings=services.site.settings,
        clock=services.site.clock,
        random=random.random,
        bins=stores.bins,
        plans=Plans(),
        requests=stores.requests,
        webhooks=stores.webhooks,
        webhook_of=delivering.attempts.webhook_of,
        forwarding=delivering.forwarding,
        templates=services.site.templates,
        stopping=services.live.stopping,
    )


def _delivering(stores: Stores, *, settings: Settings, addresses: Addresses, clock: Clock, ids: Ids) -> Delivering:
    events, webhooks = stores.events, stores.webhooks
    policy = Policy(allow_private=not settings.exposed, allowed=settings.allow_target)
    trails = Trails(lambda: webhooks.trail_key)
    sender = Sender(
        policy=policy,
        is_own=addresses.is_own_bin,
        origin=urlsplit(addresses.base_url).hostname or "localhost",
        tls=trusting(settings.ca_file, client_cert=settings.client_cert, client_key=settings.client_key),
        proxy=None if settings.proxy is None else parse_proxy(settings.proxy),
        monotonic=clock.monotonic,
        trails=trails,
    )
    factory = EventFactory(clock=clock, ids=ids, trails=trails)
    meta_events = MetaEventMaker(webhooks, factory)
    published = PublishedCache()
    attempts = Attempts(
        deliveries=stores.deliveries,
        events=events,
        webhooks=webhooks,
        published=published,
        sender=sender,
        meta_events=meta_events,
        clock=clock,
        jitter=lambda: random.uniform(-1, 1),
    )
    return Delivering(
        trails=trails,
        publisher=Publisher(events, webhooks, factory),
        forwarding=Forwarding(events, webhooks, factory),
        recovery=Recovery(
            RecoveryStore(stores.database), events=events, webhooks=webhooks, factory=factory, clock=clock
        ),
        meta_events=meta_events,
        attempts=attempts,
        dispatcher=Dispatcher(
            attempts, Slots(), published=published, deliveries=stores.deliveries, webhooks=webhooks, clock=clock
        ),
        sender=sender,
        policy=policy,
    )
