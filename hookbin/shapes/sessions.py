"""Sessions as the JSON API gives them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from hookbin.models.sessions import Session
from hookbin.shapes.common import fields_of


class SessionShape(Struct, frozen=True, kw_only=True):
    """A browser that is signed in."""

    id: str
    created_at: str
    expires_at: str
    client: Annotated[str, Meta(description="The address that it signed in from.")]
    user_agent: str
    current: Annotated[bool, Meta(description="Whether this call came in it.")]


_FIELDS = fields_of(Session, SessionShape)


def session_shape(session: Session, *, current: bool) -> SessionShape:
    return SessionShape(**_FIELDS(session), current=current)
