"""The types that everything speaks of, by noun; import them from here.

All are frozen. Times are integers: microseconds since 1970-01-01 UTC. Durations are
microseconds too, unless a name says otherwise. Headers are ordered pairs, duplicates kept,
decoded as latin-1 so that every byte on the wire has one character here and back.
"""

from hookbin.models.announcements import Announcement, LogRow, Removed, RequestChanged, RequestsDeleted
from hookbin.models.answers import (
    AnswerRule,
    BinHandshake,
    BinResponse,
    Chance,
    Fault,
    Provider,
    SequenceStep,
    Step,
    Then,
    When,
)
from hookbin.models.bins import Bin, DigestEncoding, SignatureScheme, Verify
from hookbin.models.common import SECOND, Headers
from hookbin.models.deliveries import (
    TRANSITIONS,
    Action,
    Attempt,
    AttemptSummary,
    CancelReason,
    Delivery,
    DeliveryState,
    ErrorClass,
    Trigger,
    attempt_id,
    delivery_of,
    pending_delivery,
)
from hookbin.models.events import Event, EventSummary, Original
from hookbin.models.requests import CapturedRequest, RequestSummary
from hookbin.models.webhooks import Handshake, OldSecret, SignatureStyle, Webhook, WebhookKind

__all__ = [
    "SECOND",
    "TRANSITIONS",
    "Action",
    "Announcement",
    "AnswerRule",
    "Attempt",
    "AttemptSummary",
    "Bin",
    "BinHandshake",
    "BinResponse",
    "CancelReason",
    "CapturedRequest",
    "Chance",
    "Delivery",
    "DeliveryState",
    "DigestEncoding",
    "ErrorClass",
    "Event",
    "EventSummary",
    "Fault",
    "Handshake",
    "Headers",
    "LogRow",
    "OldSecret",
    "Original",
    "Provider",
    "Removed",
    "RequestChanged",
    "RequestSummary",
    "RequestsDeleted",
    "SequenceStep",
    "SignatureScheme",
    "SignatureStyle",
    "Step",
    "Then",
    "Trigger",
    "Verify",
    "Webhook",
    "WebhookKind",
    "When",
    "attempt_id",
    "delivery_of",
    "pending_delivery",
]
