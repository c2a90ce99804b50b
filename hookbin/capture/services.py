"""What a capture needs of the rest of the house, and nothing more."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from hookbin.clock import Clock
from hookbin.config import Settings
from hookbin.dispatch.attempts import Attempts
from hookbin.dispatch.forwarding import Forwarding
from hookbin.store.bins import BinStore
from hookbin.store.database import Database
from hookbin.store.requests import RequestStore
from hookbin.store.webhooks import WebhookStore
from hookbin.templating.pool import TemplatePool


class CaptureServices(Struct, frozen=True, kw_only=True):
    """Built once, by `create_app`."""

    settings: Settings
    clock: Clock
    database: Database
    bins: BinStore
    requests: RequestStore
    webhooks: WebhookStore
    forwarding: Forwarding
    attempts: Attempts
    templates: TemplatePool
    stopping: asyncio.Event
