"""An attempt as a row of `attempts`: its columns, made of the type, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from hookbin.models.common import Headers
from hookbin.models.deliveries import Attempt, Connection, Delivery, Timings
from hookbin.store.transaction import insert_into

_OF_DELIVERY = ("event_id", "event_type", "webhook_id", "webhook_name")
"""Fields that stand in the row of the attempt's delivery."""
_FIELDS = tuple(field for field in Attempt.__struct_fields__ if field not in _OF_DELIVERY)
COLUMNS = ", ".join(_FIELDS)
INSERT = insert_into("attempts", _FIELDS)
_values = attrgetter(*_FIELDS)
_encode = msgspec.json.encode


def _encode_text(value: object) -> str:
    return _encode(value).decode()


_JSON: dict[str, tuple[Callable[[Any], bytes | str], Callable[[bytes | str], object]]] = {
    "request_headers": (_encode, msgspec.json.Decoder(Headers).decode),
    "response_headers": (_encode, msgspec.json.Decoder(Headers).decode),
    "timings": (_encode_text, msgspec.json.Decoder(Timings).decode),
    "connection": (_encode_text, msgspec.json.Decoder(Connection).decode),
}
"""How the columns that hold JSON are written and read, unless they are NULL."""
_ENCODED = [(_FIELDS.index(field), encode) for field, (encode, _) in _JSON.items()]


def to_row(attempt: Attempt) -> list[object]:
    """The values of `INSERT`."""
    row = list(_values(attempt))
    for place, encode in _ENCODED:
        if row[place] is not None:
            row[place] = encode(row[place])
    return row


def from_row(row: tuple[Any, ...], delivery: Delivery) -> Attempt:
    """The attempt of that delivery whose `COLUMNS` these are."""
    fields: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
    for field, (_, decode) in _JSON.items():
        fields[field] = None if fields[field] is None else decode(fields[field])
    fields["response_truncated"] = bool(fields["response_truncated"])
    return msgspec.convert(fields | {field: getattr(delivery, field) for field in _OF_DELIVERY}, Attempt)
