"""A delivery, its attempts, and the table of its states."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from hookbin.models.common import Headers

MAX_RAW = 64 * 1024
"""Bytes that are kept of what came back and is no HTTP."""

MAX_CERTIFICATE_NAMES = 20
"""Hosts that are kept of those that a certificate is for."""
MAX_CERTIFICATE_NAME = 500
"""Characters that are kept of each name in a certificate."""


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
    # an attempt that was under way when the delivery ended: only that it got through changes anything
    (DeliveryState.SUCCEEDED, Action.SUCCEED): DeliveryState.SUCCEEDED,
    (DeliveryState.SUCCEEDED, Action.RESCHEDULE): DeliveryState.SUCCEEDED,
    (DeliveryState.SUCCEEDED, Action.FAIL): DeliveryState.SUCCEEDED,
    (DeliveryState.FAILED, Action.SUCCEED): DeliveryState.SUCCEEDED,
    (DeliveryState.FAILED, Action.RESCHEDULE): DeliveryState.FAILED,
    (DeliveryState.FAILED, Action.FAIL): DeliveryState.FAILED,
    (DeliveryState.CANCELLED, Action.SUCCEED): DeliveryState.SUCCEEDED,
    (DeliveryState.CANCELLED, Action.RESCHEDULE): DeliveryState.CANCELLED,
    (DeliveryState.CANCELLED, Action.FAIL): DeliveryState.CANCELLED,
}
"""Every step of a delivery. A pair that is not here is refused."""


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
    """It had come through the same bin or webhook before, or through more of them than there may be."""
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
    ANSWER_LIMIT = "answer_limit"
    """It went past what is read of an answer before its status is known."""
    BLOCKED_TARGET = "blocked_target"
    SIGNING_ERROR = "signing_error"
    """Its secret can't sign: nothing was sent."""
    UNSENDABLE = "unsendable"
    """HTTP can't carry it: nothing was sent."""


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


class Timings(Struct, frozen=True, kw_only=True):
    """When each phase of an attempt was over, in µs from its start; None for one that did not happen."""

    resolved: int | None = None
    """The destination's name was resolved; a literal address needs no resolving."""
    connected: int | None = None
    tls: int | None = None
    sent: int | None = None
    """The last byte of the request was handed to the system."""
    first_byte: int | None = None
    last_byte: int | None = None


class Certificate(Struct, frozen=True, kw_only=True):
    """What a peer's certificate says of itself."""

    subject: str
    issuer: str
    ends: str
    """When it stops being valid, in the words of the certificate."""
    names: tuple[str, ...] = ()
    """The hosts that it is for, the first `MAX_CERTIFICATE_NAMES` of them."""


class Connection(Struct, frozen=True, kw_only=True):
    """The connection that an attempt went over, or tried to."""

    address: str | None = None
    """`address:port` as it was dialled."""
    reused: bool = False
    """It was kept from an earlier attempt."""
    tls: str | None = None
    """The version of TLS."""
    certificate: Certificate | None = None


class AttemptSummary(Struct, frozen=True, kw_only=True):
    """One try at a delivery, without what was said in it."""

    seq: int = 0
    """Its number in the log, given by the writer; 0 before that."""
    delivery_id: str
    event_id: str
    event_type: str
    webhook_id: str
    webhook_name: str
    number: int
    trigger: Trigger
    started_at: int
    duration: int
    status: int | None = None
    error: ErrorClass | None = None
    error_detail: str | None = None
    delivery_state: DeliveryState
    """The delivery's state after this attempt."""
    next_attempt_at: int | None = None

    @property
    def id(self) -> str:
        return attempt_id(self.delivery_id, self.number)


class Attempt(AttemptSummary, frozen=True, kw_only=True):
    """One try at a delivery as it went over the wire; the request body is the event's."""

    method: str
    url: str
    request_headers: Headers
    response_headers: Headers | None = None
    response_body: bytes | None = None
    response_truncated: bool = False
    note: str | None = None
    """What was odd about an answer that counts all the same."""
    timings: Timings | None = None
    """None for an attempt from before these were kept, and for one that sent nothing."""
    connection: Connection | None = None
    response_raw: bytes | None = None
    """What came back and was no HTTP: its first bytes, as they came."""


def attempt_id(delivery_id: str, number: int) -> str:
    """The attempt's id: known before it is sent, the same if a crash makes us repeat it."""
    return f"att_{delivery_id.removeprefix('dlv_')}_{number}"


def delivery_of(attempt: str) -> str:
    """The id of the delivery that an attempt of that id belongs to."""
    return "dlv_" + attempt.removeprefix("att_").rpartition("_")[0]


class Replayed(Struct, frozen=True, kw_only=True):
    """What replaying an event led to."""

    made: tuple[Delivery, ...]
    retried: tuple[Delivery, ...]
    left: tuple[tuple[Delivery, str], ...]
    """Deliveries that were left as they are, and why."""
