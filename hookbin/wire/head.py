"""The head of a request: its request line read by us, its fields and framing by llhttp.

llhttp knows a fixed list of methods, in capitals, and no target may be long or hold what it has no word for. None of
that matters to where a message ends. So the request line is read here (RFC 9112, 3), and the parser is given one
that it knows, with the same version, and the fields as they came. What a message holds behind its head is read by
`hookbin.wire.message`.
"""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from hookbin.http_fields import TCHAR

Pairs: TypeAlias = list[tuple[bytes, bytes]]

MAX_HEAD = 256 * 1024
"""Bytes of request line and headers, or of trailers, that are taken in; more is a 431."""
MAX_FIELDS = 2_000
"""Header fields, or trailers, of a request; more is a 431. A tiny field in a list is 25 times its bytes."""

_TOKEN = TCHAR.encode("ascii")
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb"++) ([\x21-\x7e]++) HTTP/1\.([01])\r\n")
_BEGINNING = re.compile(rb"(?:" + _TOKEN + rb"++(?: (?:[\x21-\x7e]++(?: [HTP/.0-9]{0,8}\r?)?)?)?)?")
MAX_BEGINNING = 512
"""Bytes of a request line that is not whole yet that are looked at: enough to see that it is none."""
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


class RequestLine(Struct, frozen=True, gc=False):
    """Method and target as sent, and the minor version: `0` or `1`."""

    method: str
    target: bytes
    minor: bytes
    size: int
    """Bytes, the line's end included."""


class Head(Struct, frozen=True, kw_only=True):
    """All that comes before a body."""

    method: str
    """As sent: any token, in any case (RFC 9110, 9.1)."""
    target: bytes
    """As sent, query included."""
    http_version: str
    pairs: Pairs
    """Header fields in the case and the order that they were sent in."""
    fields: Pairs
    """The same with names in lower case, as ASGI wants them."""
    length: int | None
    """Bytes of the body; None when it is chunked."""
    keep_alive: bool
    """Whether the sender wants to go on afterwards (RFC 9112, 9.3). For 1.0 we never do."""
    expects_continue: bool
    """The sender waits to be asked for the body (RFC 9110, 10.1.1)."""


def read_request_line(head: bytes | bytearray) -> RequestLine | None:
    """None when the first line is no request line of HTTP/1.0 or 1.1."""
    match = _REQUEST_LINE.match(head)
    if match is None:
        return None
    method, target, minor = match.groups()
    if target[:1] not in (b"/", b"*") and b"://" not in target and method != b"CONNECT":
        return None
    return RequestLine(method.decode("ascii"), target, minor, match.end())


def may_begin(received: bytes | bytearray) -> bool:
    """Whether this can become a request line, for what is not whole yet."""
    return _BEGINNING.fullmatch(received[:MAX_BEGINNING]) is not None


def split_target(target: bytes) -> tuple[str, bytes, bytes]:
    """The decoded path, the path as sent and the query, as ASGI wants them (RFC 9112, 3.2: origin and absolute form).

    A fragment has no place in a target and belongs to neither. Of CONNECT's authority and of `*` the whole is the path.
    """
    text = target.decode("ascii")
    if not text.startswith("/"):
        text, absolute = _AUTHORITY.subn("", text, count=1)
        if absolute and not text.startswith("/"):
            text = f"/{text}"
    raw, _, query = text.partition("#")[0].partition("?")
    return (unquote(raw) if "%" in raw else raw), raw.encode("ascii"), query.encode("ascii")
