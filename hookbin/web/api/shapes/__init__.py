"""What the JSON API takes and gives: one type for each shape. `present` makes them from models."""

from hookbin.web.api.shapes.bins import (
    BinChange,
    BinHandshake,
    BinShape,
    NewBin,
    PresetShape,
    Response,
)
from hookbin.web.api.shapes.common import (
    Body,
    FieldError,
    Gone,
    Page,
    Pair,
    Problem,
    Status,
)
from hookbin.web.api.shapes.deliveries import (
    AttemptRow,
    AttemptShape,
    DeliveryRow,
    DeliveryShape,
    ReceivedResponse,
    SentRequest,
)
from hookbin.web.api.shapes.events import (
    DeliveryRef,
    EventInList,
    EventRow,
    EventShape,
    LeftAlone,
    NewEvent,
    Replay,
    ReplayShape,
)
from hookbin.web.api.shapes.requests import (
    Answer,
    RequestRow,
    RequestShape,
    Signature,
)
from hookbin.web.api.shapes.views import View, Views
from hookbin.web.api.shapes.webhooks import (
    NewWebhook,
    Recover,
    Recovered,
    WebhookChange,
    WebhookShape,
)

__all__ = [
    "Answer",
    "AttemptRow",
    "AttemptShape",
    "BinChange",
    "BinHandshake",
    "BinShape",
    "Body",
    "DeliveryRef",
    "DeliveryRow",
    "DeliveryShape",
    "EventInList",
    "EventRow",
    "EventShape",
    "FieldError",
    "Gone",
    "LeftAlone",
    "NewBin",
    "NewEvent",
    "NewWebhook",
    "Page",
    "Pair",
    "PresetShape",
    "Problem",
    "ReceivedResponse",
    "Recover",
    "Recovered",
    "Replay",
    "ReplayShape",
    "RequestRow",
    "RequestShape",
    "Response",
    "SentRequest",
    "Signature",
    "Status",
    "View",
    "Views",
    "WebhookChange",
    "WebhookShape",
]
