"""A webhook: a destination and how it is delivered to."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from hookbin.models.common import Headers

NO_SIGNATURE = "none"
"""The signature style of what is sent on with the signature that it came with."""


class WebhookKind(StrEnum):
    """What a row of webhooks is for."""

    WEBHOOK = "webhook"
    """It was registered by its owner."""
    FORWARD = "forward"
    """A bin sends on to it what it captures."""
    ONCE = "once"
    """Somebody sent single requests there by hand."""


class Handshake(StrEnum):
    """How a destination is asked whether it wants what is sent to it."""

    CLOUDEVENTS = "cloudevents"


class OldSecret(Struct, frozen=True, kw_only=True):
    """A secret that was rotated out and still signs for a while."""

    secret: str
    expires_at: int


class Webhook(Struct, frozen=True, kw_only=True):
    """A destination and how it is to be delivered to."""

    id: str
    kind: WebhookKind = WebhookKind.WEBHOOK
    bin_id: str | None = None
    """The bin whose captures are forwarded to it; None for what is no forward target."""
    name: str
    destination: str
    events: tuple[str, ...] = ()
    headers: Headers = ()
    """Headers of the owner's own, which are sent with every attempt."""
    secret: str
    old_secrets: tuple[OldSecret, ...] = ()
    signature_style: str = "standard"
    """A row of `signatures.styles`, or `NO_SIGNATURE`."""
    handshake: Handshake | None = None
    """The handshake that the destination has agreed by; None when it was not asked."""
    retry_schedule: tuple[float, ...] = ()
    """Seconds to wait before each retry."""
    retry_on: tuple[str, ...] = ()
    timeout: float
    """Seconds that one attempt may take in all."""
    max_in_flight: int
    rate_limit: float | None = None
    """Attempts a second; None for no limit."""
    ordered: bool = False
    """Whether deliveries go one at a time, in the order of publishing; what waits for a retry holds up the rest."""
    disable_after: int | None = None
    """Deliveries in a row that must be exhausted for the webhook to be disabled; None for never."""
    exhausted_in_a_row: int = 0
    generation: int = 0
    """It rises when the destination is changed and when it is enabled anew; the outcome of an attempt that began
    before then says nothing of the webhook."""
    heartbeat: float | None = None
    """Seconds between `webhook.heartbeat` events; None for none."""
    paused: bool = False
    """Whether what it is to get waits, until it is resumed."""
    disabled: bool = False
    disabled_reason: str | None = None
    created_at: int
