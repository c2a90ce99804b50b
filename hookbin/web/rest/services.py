"""What handlers are given, in small objects by who needs what, and the one way to reach them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct
from starlette.requests import HTTPConnection

from hookbin.clock import Clock, Ids
from hookbin.config import Settings
from hookbin.delivery.targets import Policy
from hookbin.delivery.trails import Trails
from hookbin.dispatch.attempts import Attempts
from hookbin.dispatch.dispatcher import Dispatcher
from hookbin.dispatch.forwarding import Forwarding
from hookbin.dispatch.meta_events import MetaEventMaker
from hookbin.dispatch.publisher import Publisher
from hookbin.dispatch.recovery import Recovery
from hookbin.dispatch.sender import Sender
from hookbin.live.activity import Activity
from hookbin.live.metrics import Metrics
from hookbin.live.refusals import Refusals
from hookbin.live.timeline import Message, Timeline
from hookbin.live.waiters import Waiting
from hookbin.live.wrong_tokens import WrongTokens
from hookbin.models.announcements import Announcement
from hookbin.models.requests import Opening
from hookbin.store.backup import Backups
from hookbin.store.bins import BinStore
from hookbin.store.database import Database
from hookbin.store.delete_requests import RequestRemoval
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.events import EventStore
from hookbin.store.exporting import RequestExport
from hookbin.store.log import LogStore
from hookbin.store.pending_deletions import PendingDeletions
from hookbin.store.requests import RequestStore
from hookbin.store.search import RequestSearch
from hookbin.store.sending_search import SendingSearch
from hookbin.store.sessions import SessionStore
from hookbin.store.webhooks import WebhookStore
from hookbin.templating.pool import TemplatePool
from hookbin.web.rest.addresses import Addresses
from hookbin.web.rest.bin_shaper import BinShaper
from hookbin.web.rest.viewer import Viewer


class Stores(Struct, frozen=True, kw_only=True):
    """What is kept, a store for each noun."""

    database: Database
    bins: BinStore
    requests: RequestStore
    export: RequestExport
    search: RequestSearch
    removal: RequestRemoval
    pending_deletions: PendingDeletions
    webhooks: WebhookStore
    events: EventStore
    deliveries: DeliveryStore
    sending_search: SendingSearch
    log: LogStore
    sessions: SessionStore
    backups: Backups
    bin_shape: BinShaper


class Delivering(Struct, frozen=True, kw_only=True):
    """What makes events and sends them."""

    trails: Trails
    publisher: Publisher
    forwarding: Forwarding
    recovery: Recovery
    meta_events: MetaEventMaker
    attempts: Attempts
    dispatcher: Dispatcher
    sender: Sender
    policy: Policy


class Live(Struct, frozen=True, kw_only=True):
    """What follows the log as it grows."""

    timeline: Timeline
    encode: Callable[[Announcement, bool, Opening | None], Message | None]
    """Makes the stream's message of a row."""
    activity: Activity
    waiting: Waiting
    metrics: Metrics
    refusals: Refusals
    wrong_tokens: WrongTokens
    stopping: asyncio.Event
    """Set when the server begins to stop."""


class Site(Struct, frozen=True, kw_only=True):
    """What every call can need, and nothing that keeps or sends."""

    settings: Settings
    started_at: int
    """µs since the epoch."""
    clock: Clock
    ids: Ids
    addresses: Addresses
    templates: TemplatePool
    """Renders the templates of bins' answers."""
    viewer: Viewer

    @property
    def base_url(self) -> str:
        """Where the server is reached, without a slash at the end."""
        return self.addresses.base_url


class Services(Struct, frozen=True, kw_only=True):
    """All of it, built once by `create_app`."""

    stores: Stores
    delivering: Delivering
    live: Live
    site: Site


def services(connection: HTTPConnection) -> Services:
    found: Services = connection.app.state.services
    return found
