"""Refused messages as the JSON API gives them."""

from __future__ import annotations

from msgspec import Struct

from hookbin.models.refusals import RefusedMessage
from hookbin.shapes.common import Body, body_shape, fields_of


class RefusalShape(Struct, frozen=True, kw_only=True):
    """A message that was no HTTP and named no bin."""

    refused_at: str
    client: str | None
    status: int
    reason: str
    offset: int
    beginning: Body


_FIELDS = fields_of(RefusedMessage, RefusalShape)


def refusal_shape(message: RefusedMessage) -> RefusalShape:
    return RefusalShape(**{**_FIELDS(message), "beginning": body_shape(message.beginning)})
