"""Values as rows and back: the columns of each type, and which of them hold JSON, since SQL has no type for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from hookbin.models.bins import Bin
from hookbin.models.deliveries import Attempt, AttemptSummary, Delivery
from hookbin.models.events import Event, EventSummary
from hookbin.models.pending_deletions import PendingDeletion
from hookbin.models.webhooks import Webhook
from hookbin.store.transaction import insert_into

T = TypeVar("T", bound=Struct)


class Rows(Generic[T]):
    """How a type is written and read: `insert` and `update` take `values`, `read` takes a row that `select` finds."""

    def __init__(
        self,
        table: str,
        type: type[T],
        *,
        source: str = "",
        alias: str = "",
        elsewhere: Mapping[str, str] = {},
        text: Sequence[str] = (),
        blob: Sequence[str] = (),
    ) -> None:
        """The fields of `elsewhere` are columns of other tables of `source`; those of `text` and `blob` hold JSON."""
        own = tuple(field for field in type.__struct_fields__ if field not in elsewhere)
        self.columns = ", ".join(elsewhere.get(field, alias + field) for field in type.__struct_fields__)
        self.select = f"SELECT {self.columns} FROM {source or table}"
        self.insert = insert_into(table, own)
        self.update = f"UPDATE {table} SET {', '.join(f'{field} = ?' for field in own)}"
        self._type = type
        self._values: Callable[[T], tuple[Any, ...]] = attrgetter(*own)
        self._encoded = [(own.index(field), field in text) for field in (*text, *blob)]
        self._decoded = [type.__struct_fields__.index(field) for field in (*text, *blob)]

    def values(self, value: T) -> Sequence[Any]:
        """One for each column of the table itself."""
        if not self._encoded:
            return self._values(value)
        row = list(self._values(value))
        for place, is_text in self._encoded:
            if row[place] is not None:
                content = msgspec.json.encode(row[place])
                row[place] = content.decode() if is_text else content
        return row

    def read(self, row: Sequence[Any]) -> T:
        """What has these values."""
        values = list(row)
        for place in self._decoded:
            values[place] = None if values[place] is None else msgspec.json.decode(values[place])
        return msgspec.convert(dict(zip(self._type.__struct_fields__, values, strict=True)), self._type, strict=False)


BINS = Rows("bins", Bin, text=("response", "verify"))
WEBHOOKS = Rows("webhooks", Webhook, text=("events", "headers", "old_secrets", "retry_schedule", "retry_on"))
EVENTS = Rows("events", Event, source="events e", alias="e.", blob=("original",))
EVENT_SUMMARIES = Rows("events", EventSummary)
TABLES = "deliveries d JOIN events e ON e.id = d.event_id JOIN webhooks w ON w.id = d.webhook_id"
DELIVERIES = Rows(
    "deliveries",
    Delivery,
    source=TABLES,
    alias="d.",
    elsewhere={"event_type": "e.type", "webhook_name": "w.name", "destination": "w.destination"},
)
_ATTEMPTS = f"{TABLES} JOIN attempts a ON a.delivery_id = d.id"
_OF_DELIVERY = {
    "event_id": "d.event_id",
    "event_type": "e.type",
    "webhook_id": "d.webhook_id",
    "webhook_name": "w.name",
}
ATTEMPTS = Rows(
    "attempts",
    Attempt,
    source=_ATTEMPTS,
    alias="a.",
    elsewhere=_OF_DELIVERY,
    text=("timings", "connection"),
    blob=("request_headers", "response_headers"),
)
ATTEMPT_SUMMARIES = Rows("attempts", AttemptSummary, source=_ATTEMPTS, alias="a.", elsewhere=_OF_DELIVERY)
PENDING_DELETIONS = Rows("pending_deletions", PendingDeletion)
