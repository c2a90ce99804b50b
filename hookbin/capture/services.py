"""What a capture needs of the rest of the house, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from hookbin.answers.plan import Plans
from hookbin.clock import Clock
from hookbin.config import Settings
from hookbin.dispatch.forwarding import Forwarding
from hookbin.models.webhooks import Webhook
from hookbin.store.bins import BinStore
from hookbin.store.requests import RequestStore
from hookbin.store.webhooks import WebhookStore
from hookbin.templating.pool import TemplatePool


class CaptureServices(Struct, frozen=True, kw_only=True):
    """Built once, by `create_app`."""

    settings: Settings
    clock: Clock
    random: Callable[[], float]
    """0 to 1, for answers by chance."""
    bins: BinStore
    plans: Plans
    requests: RequestStore
    webhooks: WebhookStore
    """Whose secrets the diagnosis of a failed signature tries."""
    webhook_of: Callable[[str], Webhook | None]
    """The webhook whose attempt of that id is under way."""
    forwarding: Forwarding
    templates: TemplatePool
    stopping: asyncio.Event
    """Set when the server begins to stop."""
