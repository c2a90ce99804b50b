"""Which headers an owner may have sent with every attempt, and how those that hold a secret are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from hookbin.errors import FieldsInvalid
from hookbin.models.common import Headers

MAX_HEADERS = 50
MAX_BYTES = 16 * 1024
"""Names and values together; receivers commonly refuse a head of more than that."""
MASK = "********"
"""Stands for the value of a header that is a secret, wherever headers are shown or logged."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
"""RFC 9110, 5.6.2."""
_VALUE = re.compile(r"[\t\x20-\x7e]{0,8192}")
"""RFC 9110, 5.5, without the bytes over 127, which receivers read in different ways."""
_CONNECTION = "belongs to the connection (RFC 9110, 7.6.1)"
_SIGNATURE = "is set by the signature style"
_RESERVED = {
    "host": "is that of the destination",
    "content-length": "is counted by hookbin",
    "content-type": "is that of the event",
    "connection": _CONNECTION,
    "keep-alive": _CONNECTION,
    "proxy-connection": _CONNECTION,
    "proxy-authenticate": _CONNECTION,
    "proxy-authorization": _CONNECTION,
    "te": _CONNECTION,
    "trailer": _CONNECTION,
    "transfer-encoding": _CONNECTION,
    "upgrade": _CONNECTION,
    "http2-settings": _CONNECTION,
    "expect": "would make the sending wait for an interim answer",
    "x-hub-signature": _SIGNATURE,
    "x-hub-signature-256": _SIGNATURE,
    "x-github-event": _SIGNATURE,
    "x-github-delivery": _SIGNATURE,
    "stripe-signature": _SIGNATURE,
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


def is_header_name(name: str) -> bool:
    """Whether it is a token of RFC 9110, of 256 characters at most."""
    return _NAME.fullmatch(name) is not None


@lru_cache(maxsize=256)
def is_secret(name: str) -> bool:
    """Whether a header of this name is there to hold a credential."""
    lower = name.lower()
    return lower not in _NO_SECRETS and _SECRET_WORD.search(lower) is not None


def masked(headers: Headers) -> Headers:
    """The headers as they are shown and logged."""
    return tuple((name, MASK if value and is_secret(name) else value) for name, value in headers)


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
    lower = name.lower()
    if not is_header_name(name):
        return "a header name is 1 to 256 letters, digits or !#$%&'*+.^_`|~-"
    if lower in _RESERVED:
        return f"{lower} can't be set: it {_RESERVED[lower]}"
    if lower.startswith(_RESERVED_PREFIXES):
        return f"names that begin with {' or '.join(_RESERVED_PREFIXES)} are hookbin's own"
    if _VALUE.fullmatch(value) is None:
        return "a header value is at most 8,192 ASCII characters, without line breaks or other control characters"
    if value != value.strip():
        return "a header value neither begins nor ends with white space"
    return None
