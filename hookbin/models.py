"""The types that everything speaks of, and the delivery state table.

All are frozen. Times are integers: microseconds since 1970-01-01 UTC. Durations are
microseconds too, unless a name says otherwise. Headers are ordered pairs, duplicates kept,
decoded as latin-1 so that every byte on the wire has one character here and back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct

Headers: TypeAlias = tuple[tuple[str, str], ...]

SECOND = 1_000_000
"""One second in the unit that every time and duration here is in."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What can happen to a delivery."""

    SUCCEED = "succeed"
    RESCHEDULE = "reschedule"
    FAIL = "fail"
    CANCEL = "cancel"
    RETRY = "retry"
    REPLAY = "replay"
    """Its event is sent once more, also to who got it."""


TRANSITIONS: dict[tuple[DeliveryState, Action], DeliveryState] = {
    (DeliveryState.PENDING, Action.SUCCEED): DeliveryState.SUCCEEDED,
    (DeliveryState.PENDING, Action.RESCHEDULE): DeliveryState.PENDING,
    (DeliveryState.PENDING, Action.FAIL): DeliveryState.FAILED,
    (DeliveryState.PENDING, Action.CANCEL): DeliveryState.CANCELLED,
    (DeliveryState.PENDING, Action.RETRY): DeliveryState.PENDING,
    (DeliveryState.FAILED, Action.RETRY): DeliveryState.PENDING,
    (DeliveryState.CANCELLED, Action.RETRY): DeliveryState.PENDING,
    (DeliveryState.PENDING, Action.REPLAY): DeliveryState.PENDING,
    (DeliveryState.SUCCEEDED, Action.REPLAY): DeliveryState.PENDING,
    (DeliveryState.FAILED, Action.REPLAY): DeliveryState.PENDING,
    (DeliveryState.CANCELLED, Action.REPLAY): DeliveryState.PENDING,
}
"""Every legal step of a delivery. A pair that is not here is refused."""


class Trigger(StrEnum):
    AUTO = "auto"
    MANUAL = "manual"


class CancelReason(StrEnum):
    """Why a delivery was cancelled."""

    OWNER = "owner"
    """Somebody cancelled this one."""
    WEBHOOK_DISABLED = "webhook_disabled"
    WEBHOOK_DELETED = "webhook_deleted"
    LOOP = "loop"
    """What was captured had come round through this server too often to be sent on."""
    DOT_SEGMENTS = "dot_segments"
    """What was captured had a path that could have led out of the destination's."""


class ErrorClass(StrEnum):
    """Why an attempt got no answer."""

    DNS_ERROR = "dns_error"
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS_ERROR = "tls_error"
    TIMEOUT = "timeout"
    CONNECTION_RESET = "connection_reset"
    PROTOCOL_ERROR = "protocol_error"
    BLOCKED_TARGET = "blocked_target"


class WebhookKind(StrEnum):
    """What a row of webhooks is for."""

    WEBHOOK = "webhook"
    """Registered by its owner."""
    FORWARD = "forward"
    """A bin sends on to it what it captures."""
    ONCE = "once"
    """Somebody sent single requests there by hand."""


class SignatureStyle(StrEnum):
    """Which signature header a webhook's attempts carry."""

    STANDARD = "standard"
    GITHUB = "github"
    STRIPE = "stripe"
    NONE = "none"
    """No signature of ours: what is sent on keeps the one it came with."""


class Handshake(StrEnum):
    """How a destination is asked whether it wants what is sent to it."""

    CLOUDEVENTS = "cloudevents"


class Fault(StrEnum):
    """How a bin can fail to answer as HTTP wants it."""

    RESET = "reset"
    """The connection is reset (TCP RST) without an answer."""
    HANG = "hang"
    """Nothing is answered, and the connection stays open."""
    DRIP = "drip"
    """The body comes a byte at a time."""
    TRUNCATE = "truncate"
    """The connection is closed after half of the body that was announced."""
    GARBAGE = "garbage"
    """Bytes that are no HTTP, then the connection is closed."""
    EMPTY = "empty"
    """The connection is closed without a byte."""


class Then(StrEnum):
    """What follows the last step of a sequence."""

    STAY = "stay"
    CYCLE = "cycle"


class Provider(StrEnum):
    """Whose check that a bin is its owner's the bin can answer."""

    SLACK = "slack"
    META = "meta"
    MICROSOFT_GRAPH = "microsoft-graph"
    DROPBOX = "dropbox"
    ZOOM = "zoom"
    TWITTER = "twitter"
    CLOUDEVENTS = "cloudevents"
    WEBSUB = "websub"


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer."""

    status: int = 200
    headers: Headers = (("content-type", "text/plain; charset=utf-8"),)
    body: str = "ok\n"
    delay_ms: int = 0
    template: bool = False
    """The body is a Jinja template over the request."""
    fault: Fault | None = None


class SequenceStep(Step, frozen=True, kw_only=True, omit_defaults=True):
    repeat: int = 1


class When(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request must be like; what is None or empty is not looked at."""

    method: str | None = None
    path: str | None = None
    """A glob over the path below the bin."""
    header: dict[str, str] = {}
    """Names, each with a glob over its value."""
    query: dict[str, str] = {}
    json: dict[str, Any] = {}
    """Paths into a JSON body, each with a glob over a string or with another value."""


class AnswerRule(Step, frozen=True, kw_only=True, omit_defaults=True):
    when: When


class Chance(Step, frozen=True, kw_only=True, omit_defaults=True):
    probability: float


class BinHandshake(Struct, frozen=True, kw_only=True, omit_defaults=True):
    provider: Provider
    secret: str | None = None


class BinResponse(Step, frozen=True, kw_only=True, omit_defaults=True):
    """What a bin answers: itself, unless something before it does.

    Asked in this order: the preflights of `cors`, `handshake`, `rules`, `chance`, `sequence`.
    """

    sequence: tuple[SequenceStep, ...] = ()
    then: Then = Then.STAY
    chance: Chance | None = None
    rules: tuple[AnswerRule, ...] = ()
    handshake: BinHandshake | None = None
    cors: bool = False


class SignatureScheme(StrEnum):
    """How a provider signs what it sends; `verification.schemes` has the rules."""

    STANDARD = "standard"
    """Standard Webhooks; Svix, which names the headers otherwise, too."""
    GITHUB = "github"
    GITHUB_SHA1 = "github-sha1"
    STRIPE = "stripe"
    SLACK = "slack"
    SHOPIFY = "shopify"
    TWILIO = "twilio"
    ZOOM = "zoom"
    META = "meta"
    LINEAR = "linear"
    GITLAB = "gitlab"
    HMAC = "hmac"
    """Any HMAC of the body alone; header, algorithm, encoding and prefix are set."""


class DigestEncoding(StrEnum):
    HEX = "hex"
    BASE64 = "base64"
    BASE64URL = "base64url"


class Verify(Struct, frozen=True, kw_only=True):
    """How a bin checks signatures: the provider's scheme and the secret shared with it.

    What follows the secret is for the scheme `hmac` alone.
    """

    scheme: SignatureScheme
    secret: str
    header: str | None = None
    algorithm: str = "sha256"
    encoding: DigestEncoding = DigestEncoding.HEX
    prefix: str = ""


class Bin(Struct, frozen=True, kw_only=True):
    """A place that captures requests.

    `key` is the row's number inside the store; `id` is what the world sees.
    """

    key: int
    id: str
    name: str | None
    created_at: int
    response: BinResponse
    verify: Verify | None
    max_requests: int
    max_age: int | None
    """Seconds after which a captured request is trimmed; None keeps by count alone."""
    sequence_run: int = 0
    """How often its sequence was begun anew: by another response, or by hand."""


class RequestSummary(Struct, frozen=True, kw_only=True):
    """A captured request without the parts that can be large."""

    seq: int
    bin_id: str
    received_at: int
    method: str
    target: str
    """The request target as sent, query included; latin-1."""
    http_version: str
    scheme: str
    client: str | None
    """`address:port` of the peer, or of the client that a trusted proxy names."""
    content_type: str | None
    size: int
    truncated: bool
    incomplete: bool
    declared_size: int | None
    """The Content-Length that the sender claimed, if it claimed one."""
    answer_status: int | None
    """None when the sender was gone before it could be answered, or a fault left it without a status."""
    answer_rule: str | None
    """What of the bin's response chose the answer; None for the response itself."""
    answer_delay_ms: int
    answer_fault: str | None
    answer_error: str | None
    """Why the answer could not be made as its owner meant it, such as a template that failed."""
    attempt_id: str | None
    signature: str
    """`ok`, `failed`, `unsigned` or `unchecked`."""
    signature_scheme: str | None
    signature_reason: str | None
    """Why it failed, in words."""
    note: str | None
    pinned: bool


class CapturedRequest(RequestSummary, frozen=True, kw_only=True):
    """A captured request as it arrived."""

    trailers: Headers
    headers: Headers
    body: bytes


class OldSecret(Struct, frozen=True, kw_only=True):
    """A secret that was rotated out and still signs for a while."""

    secret: str
    expires_at: int


class Webhook(Struct, frozen=True, kw_only=True):
    """A destination and how it is to be delivered to."""

    id: str
    kind: WebhookKind = WebhookKind.WEBHOOK
    bin_id: str | None = None
    """Whose captures are forwarded to it; None for what is no forward target."""
    name: str
    destination: str
    events: tuple[str, ...]
    headers: Headers = ()
    """The owner's own, sent with every attempt."""
    secret: str
    old_secrets: tuple[OldSecret, ...] = ()
    signature_style: SignatureStyle = SignatureStyle.STANDARD
    handshake: Handshake | None = None
    """The handshake that the destination has agreed by; None when it was not asked."""
    retry_schedule: tuple[float, ...]
    """Seconds to wait before each retry."""
    retry_on: tuple[str, ...]
    timeout: float
    """Seconds that one attempt may take in all."""
    max_in_flight: int
    rate_limit: float | None = None
    """Attempts a second; None for no limit."""
    ordered: bool = False
    """One at a time in the order of publishing; what waits for a retry holds up what follows."""
    disable_after: int | None = None
    """Deliveries in a row that must be exhausted for the webhook to be disabled; None for never."""
    exhausted_in_a_row: int = 0
    heartbeat: float | None
    """Seconds between `webhook.heartbeat` events; None for none."""
    disabled: bool
    disabled_reason: str | None
    created_at: int


class EventSummary(Struct, frozen=True, kw_only=True):
    seq: int
    id: str
    type: str
    created_at: int
    deliver_at: int | None
    """When its first attempts are due, if not at once."""
    content_type: str
    idempotency_key: str | None
    hops: int
    """How many times it came back to us through our own webhooks."""
    request_id: str | None
    """The captured request that it sends on, if it does."""
    only_webhook: str | None = None
    """The one webhook that it is meant for; None for all that want its type."""
    size: int


class Original(Struct, frozen=True, kw_only=True):
    """What of a captured request is sent on beside its body."""

    method: str
    suffix: str
    """What followed the bin in the path; added to the destination's."""
    query: str | None
    headers: Headers
    keep_signature: bool = False
    """It goes out with the signature it came with, whatever the webhook's style."""


class Event(EventSummary, frozen=True, kw_only=True):
    """Something that was published; `body` is what every delivery of it sends."""

    fingerprint: bytes
    """SHA-256 of what was posted, to tell a repeat from a clash under one idempotency key."""
    original: Original | None
    """None for what is posted as an event is."""
    body: bytes


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one webhook."""

    id: str
    event_id: str
    event_type: str
    webhook_id: str
    webhook_name: str
    destination: str
    state: DeliveryState
    attempt_count: int
    next_attempt_at: int | None
    next_trigger: Trigger
    created_at: int
    finished_at: int | None
    turn: int
    """When its first attempt was due: its place in the queue of an ordered webhook, before its id."""
    cancel_reason: CancelReason | None = None


class AttemptSummary(Struct, frozen=True, kw_only=True):
    """One try at a delivery, without what was said in it."""

    seq: int
    delivery_id: str
    event_id: str
    event_type: str
    webhook_id: str
    webhook_name: str
    number: int
    trigger: Trigger
    started_at: int
    duration: int
    status: int | None
    error: ErrorClass | None
    error_detail: str | None
    delivery_state: DeliveryState
    """The delivery's state after this attempt."""
    next_attempt_at: int | None

    @property
    def id(self) -> str:
        return attempt_id(self.delivery_id, self.number)


class Attempt(AttemptSummary, frozen=True, kw_only=True):
    """One try at a delivery as it went over the wire; the request body is the event's."""

    method: str
    url: str
    request_headers: Headers
    response_headers: Headers | None
    response_body: bytes | None
    response_truncated: bool


def attempt_id(delivery_id: str, number: int) -> str:
    """The attempt's id: known before it is sent, the same if a crash makes us repeat it."""
    return f"att_{delivery_id.removeprefix('dlv_')}_{number}"


def delivery_of(attempt: str) -> str:
    """The id of the delivery that an attempt of that id belongs to."""
    return "dlv_" + attempt.removeprefix("att_").rpartition("_")[0]


class Removed(Struct, frozen=True, kw_only=True):
    """A bin or a webhook that is no more."""

    kind: str
    """`bin` or `webhook`."""
    id: str


class RequestChanged(Struct, frozen=True, kw_only=True):
    """A captured request whose note or pin was changed."""

    request: RequestSummary
    pinned: int
    """How many more pinned requests its bin holds now: 1, 0 or -1."""


class RequestsDeleted(Struct, frozen=True, kw_only=True):
    """Captured requests that are no more."""

    bin_id: str
    count: int
    pinned: int
    """How many of them were pinned."""
    seq: int | None
    """Of the one that was deleted by itself."""
    complete: bool = False
    """The last of several steps: whoever shows the bin's list loads it anew."""


LogRow: TypeAlias = RequestSummary | EventSummary | AttemptSummary
"""What the one timeline is made of; the full types are kinds of their summaries."""

Announcement: TypeAlias = LogRow | Delivery | Bin | Webhook | Removed | RequestChanged | RequestsDeleted
"""What is told after a commit, in the order it was written."""
