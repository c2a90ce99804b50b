"""Which headers an owner may have sent with every attempt, and how those that hold a secret are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from hookbin import http_fields
from hookbin.errors import FieldsInvalid
from hookbin.models.common import Headers
from hookbin.signatures.styles import SIGNATURE_HEADERS

MAX_HEADERS = 50
MAX_BYTES = 16 * 1024
"""Names and values together; receivers commonly refuse a head of more than that."""
MASK = "********"
"""Stands for the value of a header that is a secret, wherever headers are shown or logged."""

_SIGNATURE = "is set by the signature style"
_RESERVED = {
    **dict.fromkeys(http_fields.HOP_BY_HOP_IN_REQUESTS, http_fields.OF_THE_CONNECTION),
    "host": "is that of the destination",
    "content-length": "is counted by hookbin",
    "content-type": "is that of the event",
    "expect": "would make the sending wait for an interim answer",
    "x-hub-signature": _SIGNATURE,
    **dict.fromkeys(SIGNATURE_HEADERS, _SIGNATURE),
}
_RESERVED_PREFIXES = ("webhook-", "hookbin-")
_SECRET_WORD = re.compile(
    r"(^|[-_])(apikey|auth|authorization|cookie|credentials?|key|passwd|password|pwd|secret|session|token)([-_]|$)"
)
_NO_SECRETS = ("idempotency-key", "x-idempotency-key")


def check_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers as given, duplicates kept. Raises `FieldsInvalid` for those that the owner may not have sent."""
    checked = tuple((name, value) for name, value in headers)
    size = sum(len(name) + len(value) for name, value in checked)
    if len(checked) > MAX_HEADERS:
        raise FieldsInvalid(("headers", f"are {len(checked)}, at most {MAX_HEADERS} are possible"))
    if size > MAX_BYTES:
        raise FieldsInvalid(("headers", f"have {size:,} bytes together, at most {MAX_BYTES:,} are possible"))
    complaints = ((index, _complaint(name, value)) for index, (name, value) in enumerate(checked))
    errors = [(f"headers[{index}]", complaint) for index, complaint in complaints if complaint is not None]
    if errors:
        raise FieldsInvalid(*errors)
    return checked


@lru_cache(maxsize=256)
def is_secret(name: str) -> bool:
    """Whether a header of this name is there to hold a credential."""
    lower = name.lower()
    return lower not in _NO_SECRETS and _SECRET_WORD.search(lower) is not None


def masked(headers: Headers) -> Headers:
    """The headers as they are shown and logged."""
    return tuple([(name, MASK if value and is_secret(name) else value) for name, value in headers])


def unmasked(headers: Headers, *, known: Headers) -> Headers:
    """The headers with each mask replaced by what it stood for: the value of that name in `known`, one after the other.

    Raises `FieldsInvalid` for a mask that stands for nothing.
    """
    values = _by_name(known)
    return tuple(
        (name, value if value != MASK or not is_secret(name) else _next(values, name, index))
        for index, (name, value) in enumerate(headers)
    )


def _by_name(headers: Headers) -> dict[str, Iterator[str]]:
    ordered = sorted(headers, key=lambda pair: pair[0].lower())  # stable: duplicates stay in their order
    groups = groupby(ordered, key=lambda pair: pair[0].lower())
    return {name: iter([value for _, value in pairs]) for name, pairs in groups}


def _next(values: dict[str, Iterator[str]], name: str, index: int) -> str:
    value = next(values.get(name.lower(), iter(())), None)
    if value is None:
        raise FieldsInvalid((f"headers[{index}]", f"{MASK} stands for a value that is not there; send the value"))
    return value


def _complaint(name: str, value: str) -> str | None:
    if name.lower().startswith(_RESERVED_PREFIXES):
        return f"names that begin with {' or '.join(_RESERVED_PREFIXES)} are hookbin's own"
    return http_fields.complaint(name, value, reserved=_RESERVED, charset=http_fields.ASCII)
