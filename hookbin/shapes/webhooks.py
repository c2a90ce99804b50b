"""Webhooks as the JSON API takes and gives them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from hookbin.clock import rfc3339
from hookbin.delivery.headers import MAX_HEADERS, masked
from hookbin.delivery.limits import MAX_OVERLAP
from hookbin.models.common import Pair
from hookbin.models.webhooks import OldSecret, Webhook
from hookbin.shapes.common import fields_of
from hookbin.shapes.sending import AtOnce, DisableAfter, Heartbeat, Patterns, RateLimit, SendingOptions, Timeout
from hookbin.signatures.secrets import hint, public_key
from hookbin.signatures.styles import STYLES, AnyStyleName, StyleName

SentHeaders: TypeAlias = Annotated[
    list[Pair], Meta(max_length=MAX_HEADERS, description="Sent with every attempt: ordered pairs, duplicates kept.")
]
_OF_TEXT = " and ".join(name for name, style in STYLES.items() if style.secret.is_text)
_OF_ONE_SECRET = " and ".join(name for name, style in STYLES.items() if not style.several)
_SIGNING = (
    "`whsec_` and base64 of 24 to 64 bytes, or `whsk_` and base64 of an ed25519 key; "
    f"in the styles {_OF_TEXT} 8 to 256 visible ASCII characters. Made when left out."
)
Agreement: TypeAlias = Literal["cloudevents"]


class NewWebhook(SendingOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(description="1 to 100 characters; need not be unique.")]
    destination: Annotated[str, Meta(description="An http or https URL.")]
    events: Annotated[Patterns, Meta(description="Type patterns such as `user.*`.")] = field(
        default_factory=lambda: ["*"]
    )
    headers: SentHeaders = field(default_factory=list)
    secret: Annotated[str | None, Meta(description=_SIGNING)] = None
    signature_style: Annotated[StyleName, Meta(description="Whose signature headers the attempts carry.")] = "standard"
    handshake: Annotated[
        Agreement | None, Meta(description="Ask the destination first, as CloudEvents' HTTP 1.1 Web Hooks say.")
    ] = None
    rate_limit: Annotated[RateLimit | None, Meta(description="Attempts a second, at most.")] = None
    ordered: Annotated[bool, Meta(description="One after the other, in the order of publishing.")] = False
    disable_after: Annotated[
        DisableAfter | None, Meta(description="Exhausted deliveries in a row that disable the webhook.")
    ] = None
    heartbeat: Annotated[Heartbeat | None, Meta(description="Seconds between `webhook.heartbeat` events.")] = None
    paused: Annotated[bool, Meta(description="What it is to get waits; nothing is sent until it is resumed.")] = False
    disabled: bool = False
    ping: Annotated[bool, Meta(description="Send `webhook.ping` at once.")] = True


class WebhookChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; null puts the default back."""

    name: str | UnsetType = UNSET
    destination: str | UnsetType = UNSET
    events: Patterns | UnsetType | None = UNSET
    headers: SentHeaders | UnsetType | None = UNSET
    signature_style: StyleName | UnsetType | None = UNSET
    handshake: Agreement | UnsetType | None = UNSET
    retry_schedule: Annotated[
        str | list[float] | UnsetType | None,
        Meta(description="Holds from the next attempt on: what waits for a retry already keeps its time."),
    ] = UNSET
    retry_on: list[str] | UnsetType | None = UNSET
    timeout: Timeout | UnsetType | None = UNSET
    max_in_flight: AtOnce | UnsetType | None = UNSET
    rate_limit: RateLimit | UnsetType | None = UNSET
    ordered: bool | UnsetType | None = UNSET
    disable_after: DisableAfter | UnsetType | None = UNSET
    heartbeat: Heartbeat | UnsetType | None = UNSET
    paused: bool | UnsetType | None = UNSET
    disabled: bool | UnsetType | None = UNSET


class ExpiringSecret(Struct, frozen=True, kw_only=True):
    hint: str
    public_key: str | None
    expires_at: str


class WebhookShape(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`secret` is there only when it was asked for, and when the webhook was made.

    In `headers`, the value of one that holds a credential is shown as `********`; sent back in a
    change, that stands for what is there.
    """

    id: str
    name: str
    destination: str
    events: list[str]
    headers: list[Pair]
    signature_style: AnyStyleName
    handshake: Agreement | None
    retry_schedule: list[float]
    retry_on: list[str]
    timeout: float
    max_in_flight: int
    rate_limit: float | None
    ordered: bool
    disable_after: int | None
    heartbeat: float | None
    paused: bool
    disabled: bool
    disabled_reason: str | None
    created_at: str
    secret_hint: str
    old_secrets: Annotated[list[ExpiringSecret], Meta(description="Rotated out, and signing until they expire.")]
    public_key: Annotated[str | None, Meta(description="`whpk_`, when the secret is an ed25519 key.")]
    secret: str | UnsetType = UNSET


class Rotate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new secret, and how long the one so far signs beside it."""

    secret: Annotated[str | None, Meta(description="As at registration; made when left out.")] = None
    overlap: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_OVERLAP)] | None,
        Meta(
            description="Seconds for which the secret so far still signs; 86400 when left out, but 0 in the style "
            f"{_OF_ONE_SECRET}. With 0 only the new one signs from now on."
        ),
    ] = None


class Recover(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events are looked at: those published since a time, from behind `cursor` if one is given."""

    since: Annotated[str, Meta(description="RFC 3339 with an offset; when the event was published.")]
    dry_run: Annotated[bool, Meta(description="Count only, change nothing.")] = False
    cursor: Annotated[str | None, Meta(description="`next_cursor` of the call before.")] = None


class Recovered(Struct, frozen=True, kw_only=True):
    """What was done, or with `dry_run` would be."""

    webhook_id: str
    since: str
    dry_run: bool
    retried: Annotated[int, Meta(description="Deliveries that had failed or been cancelled.")]
    created: Annotated[int, Meta(description="Deliveries of events that had none to this webhook.")]
    total: int
    next_cursor: Annotated[str | None, Meta(description="Send it as `cursor` to go on; null when that was all.")]


class SampleWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: Annotated[
        str | None, Meta(description="Of the catalogue, with or without the provider in front; else user.created.")
    ] = None


class SampleShape(Struct, frozen=True, kw_only=True):
    """What a well-known sender posts. `headers` are its own, beside the signature."""

    type: str
    provider: str
    description: str
    headers: list[Pair]
    body: Annotated[Raw, Meta(description="What is posted, or `data` of an event of hookbin's own form.")]


class Samples(Struct, frozen=True, kw_only=True):
    data: list[SampleShape]


_WEBHOOK = fields_of(Webhook, WebhookShape)


def webhook_shape(webhook: Webhook, *, with_secret: bool = False) -> WebhookShape:
    fields = _WEBHOOK(webhook) | {
        "headers": list(masked(webhook.headers)),
        "old_secrets": [_expiring(old) for old in webhook.old_secrets],
        "secret": webhook.secret if with_secret else UNSET,
    }
    return WebhookShape(**fields, secret_hint=hint(webhook.secret), public_key=public_key(webhook.secret))


def _expiring(old: OldSecret) -> ExpiringSecret:
    return ExpiringSecret(hint=hint(old.secret), public_key=public_key(old.secret), expires_at=rfc3339(old.expires_at))
