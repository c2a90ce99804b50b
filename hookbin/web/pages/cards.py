"""Bins and webhooks as cards and lists show them: with what they did lately."""

from __future__ import annotations

from msgspec import Struct

from hookbin.live.activity import SPAN, Health
from hookbin.models.bins import Bin
from hookbin.models.common import SECOND
from hookbin.models.webhooks import Webhook
from hookbin.shapes.bins import BinShape
from hookbin.shapes.common import time_or_none
from hookbin.shapes.webhooks import WebhookShape, webhook_shape
from hookbin.web.rest.services import Services

_SPANS_A_MINUTE = 60 * SECOND // SPAN


class Card(Struct, frozen=True, kw_only=True):
    counts: list[int]
    """Requests or attempts in each span of the last minutes."""

    @property
    def a_minute(self) -> int:
        """How many in the last minute."""
        return sum(self.counts[-_SPANS_A_MINUTE:])


class BinCard(Card, frozen=True, kw_only=True):
    bin: BinShape
    last_at: str | None


class WebhookCard(Card, frozen=True, kw_only=True):
    webhook: WebhookShape
    health: Health


def bin_used_at(s: Services, bin: Bin) -> int:
    """When the bin captured last, or else was made."""
    return s.stores.bins.last_at(bin) or bin.created_at


def webhook_used_at(s: Services, webhook: Webhook) -> int:
    """When something was last sent to the webhook, or else it was registered."""
    return s.live.activity.last_at(webhook.id) or webhook.created_at


def bin_card(s: Services, bin: Bin) -> BinCard:
    return BinCard(
        bin=s.stores.bin_shape(bin),
        last_at=time_or_none(s.stores.bins.last_at(bin)),
        counts=s.live.activity.counts(bin.id),
    )


def webhook_card(s: Services, webhook: Webhook) -> WebhookCard:
    return WebhookCard(
        webhook=webhook_shape(webhook),
        health=s.live.activity.health(webhook.id),
        counts=s.live.activity.counts(webhook.id),
    )
