"""What request handlers need, as one object, and the one way to reach it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct
from starlette.requests import HTTPConnection

from hookbin.clock import Clock, Ids
from hookbin.config import Settings
from hookbin.delivery.targets import Policy
from hookbin.dispatch.dispatcher import Dispatcher
from hookbin.dispatch.forwarding import Forwarding
from hookbin.dispatch.meta_events import MetaEventMaker
from hookbin.dispatch.publisher import Publisher
from hookbin.dispatch.recovery import Recovery
from hookbin.dispatch.sender import Sender
from hookbin.live.activity import Activity
from hookbin.live.metrics import Metrics
from hookbin.live.timeline import Message, Timeline
from hookbin.live.waiters import Waiting
from hookbin.models.announcements import Announcement
from hookbin.store.bins import BinStore
from hookbin.store.database import Database
from hookbin.store.delete_requests import RequestRemoval
from hookbin.store.deliveries import DeliveryStore
from hookbin.store.events import EventStore
from hookbin.store.exporting import RequestExport
from hookbin.store.log import LogStore
from hookbin.store.requests import RequestStore
from hookbin.store.search import RequestSearch
from hookbin.store.webhooks import WebhookStore
from hookbin.templating.pool import TemplatePool
from hookbin.web.html.viewer import Viewer


class Services(Struct, frozen=True, kw_only=True):
    """Built once, by `create_app`."""

    settings: Settings
    clock: Clock
    ids: Ids
    database: Database
    bins: BinStore
    requests: RequestStore
    export: RequestExport
    search: RequestSearch
    removal: RequestRemoval
    webhooks: WebhookStore
    events: EventStore
    deliveries: DeliveryStore
    log: LogStore
    timeline: Timeline
    activity: Activity
    waiting: Waiting
    encode: Callable[[Announcement], Message | None]
    """Makes the stream's message of a row."""
    publisher: Publisher
    notices: MetaEventMaker
    recovery: Recovery
    forwarding: Forwarding
    dispatcher: Dispatcher
    sender: Sender
    policy: Policy
    metrics: Metrics
    templates: TemplatePool
    """Renders the templates of bins' answers."""
    viewer: Viewer
    is_own_bin: Callable[[str], bool]
    """Whether a URL is that of one of our own bins."""
    base_url: str
    """Where the server is reached, without a slash at the end."""
    token: str | None
    """What everything but the bins asks for; None while nobody else can reach the server and none was set."""
    stopping: asyncio.Event
    """Set when the server begins to stop."""

    def bin_url(self, name_or_id: str) -> str:
        return f"{self.base_url}/b/{name_or_id}"


def services(connection: HTTPConnection) -> Services:
    found: Services = connection.app.state.services
    return found
