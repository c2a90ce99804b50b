"""The house: every object is built here, once, and every route leads from here."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote, urlsplit

from platformdirs import user_data_path
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from hookbin.capture.handler import PREFIX, Capture
from hookbin.clock import Clock, Ids, SystemClock
from hookbin.config import Settings
from hookbin.delivery.targets import Policy, is_loopback_host
from hookbin.dispatch.dispatcher import Dispatcher
from hookbin.dispatch.forwarding import Forwarding
from hookbin.dispatch.heartbeats import Heartbeats
from hookbin.dispatch.meta_events import MetaEventMaker
from hookbin.dispatch.publisher import Publisher
from hookbin.dispatch.recovery import Recovery
from hookbin.dispatch.secret_expiry import SecretExpiry
from hookbin.dispatch.sender import Sender
from hookbin.errors import HookbinError, InvalidInput, MethodNotAllowed, NotFound
from hookbin.live.activity import Activity
from hookbin.live.metrics import Metrics
from hookbin.live.timeline import Timeline
from hookbin.live.waiters import Waiting
from hookbin.models.announcements import Removed
from hookbin.models.bins import Bin
from hookbin.models.deliveries import AttemptSummary, Delivery
from hookbin.models.requests import RequestSummary
from hookbin.models.webhooks import Webhook
from hookbin.problems import problem, problem_response
from hookbin.store.bins import BinStore
from hookbin.store.database import Database
from hookbin.store.delete_requests import RequestRemoval
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.events import EventStore
from hookbin.store.exporting import RequestExport
from hookbin.store.log import LogStore
from hookbin.store.recovery import RecoveryStore
from hookbin.store.requests import RequestStore
from hookbin.store.retention import Retention, Trimmer
from hookbin.store.search import RequestSearch
from hookbin.store.webhooks import WebhookStore
from hookbin.templating.pool import TemplatePool
from hookbin.web import pages
from hookbin.web.api.bins import shape as bin_shape
from hookbin.web.api.stream import Encoder
from hookbin.web.html.rendering import render
from hookbin.web.html.static import StaticApp
from hookbin.web.html.viewer import Viewer
from hookbin.web.rest.routing import Resource
from hookbin.web.routes import ROUTES
from hookbin.web.security import access
from hookbin.web.security.response_headers import SecurityHeadersMiddleware
from hookbin.web.services import Services
from hookbin.wire.tls import trusting

DRAIN_SECONDS = 2.0
"""What attempts under way get when the server stops."""
REMEMBERED = 2_000
"""Rows of the log that the charts begin with."""


def create_app(settings: Settings | None = None, *, port: int | None = None, clock: Clock | None = None) -> Hookbin:
    """The application. `port` is the one that is bound, when that is not the one in the settings."""
    settings = settings or Settings()
    return Hookbin(settings, port=settings.port if port is None else port, clock=clock or SystemClock())


def default_database() -> Path:
    """The file that is used when none was named."""
    return user_data_path("hookbin", appauthor=False) / "hookbin.db"


class Hookbin:
    """The ASGI application, and the tasks that work behind it while it is `running`."""

    def __init__(self, settings: Settings, *, port: int, clock: Clock) -> None:
        self._port = port
        ids = Ids(clock)
        metrics = Metrics()
        database = Database(
            settings.database or default_database(), observe_batch=metrics.observe_batch, monotonic=clock.monotonic
        )
        bins = BinStore(database, clock=clock, ids=ids)
        webhooks = WebhookStore(database, clock=clock)
        events = EventStore(database)
        deliveries = DeliveryStore(database)
        policy = Policy(allow_private=not settings.exposed, allowed=settings.allow_target)
        self._sender = Sender(
            policy=policy,
            is_own=self._is_own_bin,
            origin=urlsplit(settings.base_url(port)).hostname or "localhost",
            tls=trusting(settings.ca_file),
        )
        notices = MetaEventMaker(webhooks, next_seq=database.next_seq, clock=clock, ids=ids)
        dispatcher = Dispatcher(
            deliveries=deliveries,
            events=events,
            webhooks=webhooks,
            sender=self._sender,
            notices=notices,
            next_seq=database.next_seq,
            clock=clock,
            jitter=lambda: random.uniform(-1, 1),
        )
        publisher = Publisher(events, webhooks, next_seq=database.next_seq, clock=clock, ids=ids)
        encode = Encoder(lambda bin: bin_shape(self.services, bin), find_bin=bins.find)
        self.services = Services(
            settings=settings,
            clock=clock,
            ids=ids,
            database=database,
            bins=bins,
            requests=RequestStore(database),
            export=RequestExport(database),
            search=RequestSearch(database),
            removal=RequestRemoval(database),
            webhooks=webhooks,
            events=events,
            deliveries=deliveries,
            log=LogStore(database),
            timeline=Timeline(encode),
            activity=Activity(now=clock.now),
            waiting=Waiting(),
            encode=encode,
            publisher=publisher,
            recovery=Recovery(RecoveryStore(database), events=events, webhooks=webhooks, clock=clock, ids=ids),
            forwarding=Forwarding(events, webhooks, next_seq=database.next_seq, clock=clock, ids=ids),
            notices=notices,
            dispatcher=dispatcher,
            sender=self._sender,
            policy=policy,
            metrics=metrics,
            templates=TemplatePool(),
            viewer=Viewer(clock),
            is_own_bin=self._is_own_bin,
            base_url=settings.base_url(port),
            token=settings.token,
            stopping=asyncio.Event(),
        )
        self._heartbeats = Heartbeats(publisher=publisher, deliveries=deliveries, webhooks=webhooks, clock=clock)
        self._expiry = SecretExpiry(webhooks, clock=clock)
        self._trimmer = Trimmer(Retention(database), bins=bins, clock=clock)
        database.on_commit(metrics.committed)
        database.on_commit(dispatcher.committed, of=(Delivery, Webhook, Removed))
        database.on_commit(self._heartbeats.committed, of=(Webhook, Removed))
        database.on_commit(self._expiry.committed, of=(Webhook,))
        database.on_commit(self._trimmer.captured, of=(RequestSummary,))
        database.on_commit(self._trimmer.changed, of=(Bin, Removed))
        database.on_commit(self.services.activity.committed, of=(RequestSummary, AttemptSummary, Removed))
        database.on_commit(self.services.timeline.committed)
        database.on_commit(self.services.waiting.committed, of=(RequestSummary,))
        metrics.watch("hookbin_writer_queue_bytes", "Bytes that wait for the writer", lambda: database.queued_bytes)
        metrics.watch("hookbin_stream_subscribers", "Open streams", lambda: self.services.timeline.followers)
        metrics.watch("hookbin_waiters", "Calls that wait for requests", lambda: self.services.waiting.waiters)
        metrics.watch("hookbin_attempts_in_flight", "Attempts under way", lambda: dispatcher.in_flight)
        self._capture = Capture(self.services)
        metrics.watch("hookbin_draining_bytes", "Bytes of large bodies in memory", lambda: self._capture.room.taken)
        self._site = _site(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"].startswith(PREFIX):
                await self._capture(scope, receive, send)
                return
            scope["path"] = scope["path"].rstrip("/") or "/"
        await self._site(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything opened and at work; stopped and closed at the end. Raises `StartError`."""
        services = self.services
        await services.database.open()
        try:
            await services.bins.load()
            await services.webhooks.load()
            services.timeline.position = services.database.last_seq
            services.activity.committed(reversed(await services.log.newest(limit=REMEMBERED)))
            services.dispatcher.start()
            self._heartbeats.start()
            self._expiry.start()
            self._trimmer.start()
            try:
                yield
            finally:
                await self.wind_down()
                await self._trimmer.stop()
                await self._sender.aclose()
                await services.templates.aclose()
        finally:
            await services.database.close()

    async def wind_down(self) -> None:
        """Start nothing more, let what is under way finish, end the streams. May be called twice."""
        if not self.services.stopping.is_set():
            self.services.stopping.set()
            self.services.waiting.close()
            await self._heartbeats.stop()
            await self._expiry.stop()
            await self.services.dispatcher.stop(grace=DRAIN_SECONDS)
            self.services.timeline.close()

    def _is_own_bin(self, url: str) -> bool:
        """Whether a URL leads to one of our own bins, by the public name or over loopback."""
        settings, parts = self.services.settings, urlsplit(url)
        if ".." in unquote(unquote(parts.path)) or not parts.path.startswith(PREFIX):
            return False
        if url.startswith(self.services.base_url + PREFIX):
            return True
        host = parts.hostname or ""
        everywhere = settings.on_loopback or settings.host in ("", "0.0.0.0", "::")
        ours = is_loopback_host(host) if everywhere else host == settings.host
        return ours and parts.scheme == "http" and parts.port == self._port


def _site(house: Hookbin) -> Starlette:
    """Everything but the bins: pages, API, stream, static files."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with house.running():
            yield

    site = Starlette(
        routes=[
            *_api(),
            *pages.ROUTES,
            *access.ROUTES,
            Mount("/static", StaticApp()),
        ],
        middleware=[Middleware(SecurityHeadersMiddleware), Middleware(access.AccessMiddleware)],
        exception_handlers={HookbinError: _problem, HTTPException: _http_problem, Exception: _internal_problem},
        lifespan=lifespan,
    )
    site.router.redirect_slashes = False
    site.state.services = house.services
    site.state.routes = ROUTES
    return site


def _api() -> list[BaseRoute]:
    by_path = sorted(ROUTES, key=lambda route: route.path)
    return [Route(path, Resource(routes)) for path, routes in groupby(by_path, key=lambda route: route.path)]


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HookbinError)
    if request.url.path.startswith("/ui") and "text/html" in request.headers.get("accept", ""):
        shape = problem(error)
        return render(request, "problem.html", status=shape.status, problem=shape)
    return problem_response(error)


async def _http_problem(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: a path that leads nowhere, a page asked for with a wrong method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return await _problem(request, NotFound(f"nothing is at {request.url.path[:200]}; GET / lists what is"))
    if error.status_code == 405:
        allow = tuple(sorted({*(error.headers or {}).get("Allow", "GET, HEAD").split(", "), "OPTIONS"}))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": ", ".join(allow)})
        detail = f"{request.method} is not possible on {request.url.path[:200]}; use {', '.join(allow)}"
        return await _problem(request, MethodNotAllowed(detail, allow=allow))
    return await _problem(request, InvalidInput(error.detail))


async def _internal_problem(request: Request, error: Exception) -> Response:
    return problem_response(HookbinError("hookbin has made a mistake; its log says which"))
