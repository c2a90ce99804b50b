"""What a bin answers, ready to be sent; and which answers can be."""

from __future__ import annotations

import re

from msgspec import Struct

from hookbin.errors import FieldsInvalid
from hookbin.models import BinResponse, Headers

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
"""A field name (RFC 9110, 5.6.2)."""
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8192}")
"""A field value (RFC 9110, 5.5); latin-1."""
_MANAGED = {
    "connection": "belongs to the connection, not to an answer (RFC 9110, 7.6.1)",
    "keep-alive": "belongs to the connection, not to an answer (RFC 9110, 7.6.1)",
    "proxy-connection": "belongs to the connection, not to an answer (RFC 9110, 7.6.1)",
    "transfer-encoding": "belongs to the connection, not to an answer (RFC 9110, 7.6.1)",
    "te": "belongs to the connection, not to an answer (RFC 9110, 7.6.1)",
    "trailer": "belongs to the connection, not to an answer (RFC 9110, 7.6.1)",
    "upgrade": "belongs to the connection, not to an answer (RFC 9110, 7.6.1)",
    "content-length": "is counted by hookbin; leave it out",
    "content-security-policy": "is set by hookbin, so that no bin can run scripts on this site",
}
_BODILESS = (204, 205, 304)
_LENGTHLESS = (204, 304)
"""A 205 says that it is empty, these two must not or need not (RFC 9110, 8.6 and 15.3.6)."""
SANDBOX = (b"content-security-policy", b"sandbox")
"""What a bin answers with must not act with this site's rights when a browser shows it."""


class Prepared(Struct, frozen=True):
    """An answer as the server sends it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    fields: bytes
    """The same headers as lines."""
    body: bytes
    delay_ms: int
    """Milliseconds to wait before it."""


def prepare(response: BinResponse) -> Prepared:
    body = b"" if response.status in _BODILESS else response.body.encode()
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status not in _LENGTHLESS:
        headers.append((b"content-length", str(len(body)).encode()))
    headers.append(SANDBOX)
    fields = b"".join(b"%b: %b\r\n" % field for field in headers)
    return Prepared(response.status, headers, fields, body, response.delay_ms)


def check_headers(headers: Headers, *, loc: str) -> Headers:
    """The headers as given. Raises `FieldsInvalid` for each that would break an answer or is not the owner's to set."""
    errors = [
        (f"{loc}[{index}]", complaint)
        for index, (name, value) in enumerate(headers)
        if (complaint := _complaint(name, value)) is not None
    ]
    if errors:
        raise FieldsInvalid(*errors)
    return headers


def _complaint(name: str, value: str) -> str | None:
    if _TOKEN.fullmatch(name) is None:
        return "a header name is 1 to 256 letters, digits or !#$%&'*+.^_`|~-"
    if name.lower() in _MANAGED:
        return f"{name.lower()} {_MANAGED[name.lower()]}"
    if _VALUE.fullmatch(value) is None:
        return (
            "a header value has no line breaks, NUL or other control characters, and at most 8,192 latin-1 characters"
        )
    if value != value.strip():
        return "a header value neither begins nor ends with white space"
    return None
