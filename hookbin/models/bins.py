"""A bin, and how it checks signatures."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from hookbin.models.answers import BinResponse

Age: TypeAlias = Annotated[int, Meta(ge=1, le=10 * 365 * 24 * 3600)]
"""Seconds that a captured request is kept."""


class DigestEncoding(StrEnum):
    HEX = "hex"
    BASE64 = "base64"
    BASE64URL = "base64url"


class Verify(Struct, frozen=True, kw_only=True):
    """How a bin checks signatures: the provider's scheme and the secret shared with it.

    What follows the secret is for the scheme `hmac` alone.
    """

    scheme: str
    """A row of `signatures.schemes`."""
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
