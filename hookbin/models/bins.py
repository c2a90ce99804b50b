"""A bin, and how it checks signatures."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, get_args

from msgspec import Meta, Struct

from hookbin.models.answers import BinResponse

MAX_AGE = 10 * 365 * 24 * 3600
"""Seconds that a captured request can be kept."""
MAX_REQUESTS = 1_000_000
"""Captured requests that a bin can keep."""
MAX_HEADER_NAME = 256
MAX_PREFIX = 64
"""Characters before the digest of a signature."""
Age: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_AGE)]
"""Seconds that a captured request is kept."""
Count: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_REQUESTS)]
"""Captured requests that a bin keeps."""
Digest: TypeAlias = Literal["sha256", "sha1", "sha512"]
DIGESTS: tuple[str, ...] = get_args(Digest)


class DigestEncoding(StrEnum):
    HEX = "hex"
    BASE64 = "base64"
    BASE64URL = "base64url"


class VerifyOptions(Struct, frozen=True, kw_only=True):
    """How a signature looks, for the scheme `hmac` alone."""

    header: Annotated[
        Annotated[str, Meta(max_length=MAX_HEADER_NAME)] | None,
        Meta(description="Name of the header with the signature."),
    ] = None
    algorithm: Digest = "sha256"
    encoding: DigestEncoding = DigestEncoding.HEX
    prefix: Annotated[
        str, Meta(max_length=MAX_PREFIX, description="What stands before the digest, such as `sha256=`.")
    ] = ""


class Verify(VerifyOptions, frozen=True, kw_only=True):
    """How a bin checks signatures: the provider's scheme and the secret shared with it."""

    scheme: str
    """A row of `signatures.schemes`."""
    secret: str


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
