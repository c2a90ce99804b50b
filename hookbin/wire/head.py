"""The head of a request: its request line read by us, its fields by us if they are plain, else by llhttp.

llhttp knows a fixed list of methods, in capitals, and no target may be long or hold what it has no word for. None of
that matters to where a message ends. So the request line is read here (RFC 9112, 3), and the parser is given one
that it knows, with the same version, and the fields as they came. What a message holds behind its head is read by
`hookbin.wire.message`.

Nearly every head is plain: each line is `name: value`, no name comes twice, and nothing but a Content-Length speaks
of the body. There is one way to read that, which takes half of the time that the parser's calls back take.
"""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from hookbin.http_fields import TCHAR

Pairs: TypeAlias = list[tuple[str, str]]
"""Fields as they were sent, in latin-1."""

MAX_HEAD = 256 * 1024
"""Bytes of request line and headers, or of trailers, that are taken in; more is a 431."""
MAX_FIELDS = 2_000
"""Header fields, or trailers, of a request; more is a 431. A tiny field in a list is 25 times its bytes."""

NO_REQUEST = "this is no request of HTTP/1.1"
MAX_LENGTH_DIGITS = 18
"""Digits of a Content-Length that SQLite's integers hold."""

_TOKEN = TCHAR.encode("ascii")
_VALUE = r"(?:[\x21-\x7e\x80-\xff]++(?:[\t ]++[\x21-\x7e\x80-\xff]++)*+)?+"
_PLAIN = re.compile(rf"({TCHAR}++) (/[\x21-\x7e]*+) HTTP/1\.1\r\n(?:{TCHAR}++: {_VALUE}\r\n)*+\r\n")
_PLAIN_FIELD = re.compile(r"([^:\r]++): ([^\r]*+)\r\n")
_BEHIND_TARGET = len(" HTTP/1.1\r\n")
_FRAMING = frozenset({"transfer-encoding", "proxy-connection"})
"""What is left to llhttp: besides Content-Length and Connection it is what says where a message or connection ends."""
_END_OF_HEAD = b"\r\n\r\n"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb"++) ([\x21-\x7e]++) HTTP/1\.([01])\r\n")
_BEGINNING = re.compile(rb"(?:" + _TOKEN + rb"++(?: (?:[\x21-\x7e]++(?: [HTP/.0-9]{0,8}\r?)?)?)?)?")
MAX_BEGINNING = 512
"""Bytes of a request line that is not whole yet that are looked at: enough to see that it is none."""
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


class RequestLine(Struct, frozen=True, gc=False):
    """Method and target as sent, and the minor version: `0` or `1`."""

    method: str
    target: str
    minor: bytes
    size: int
    """Bytes, the line's end included."""


class Head(Struct, frozen=True, kw_only=True):
    """All that comes before a body."""

    method: str
    """As sent: any token, in any case (RFC 9110, 9.1)."""
    target: str
    """As sent, query included; ASCII."""
    http_version: str
    pairs: Pairs
    """Header fields in the case and the order that they were sent in."""
    named: dict[str, str]
    """The same `by_name`."""
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
    return RequestLine(method.decode("ascii"), target.decode("ascii"), minor, match.end())


def read_plain_head(whole: bytes) -> Head | None:
    """None for what is not plain, which may be right or wrong."""
    text = whole.decode("latin-1")
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    method, target = match.groups()
    pairs = _PLAIN_FIELD.findall(text, match.end(2) + _BEHIND_TARGET)
    named = by_name(pairs)
    length, connection = named.get("content-length", "0"), named.get("connection", "keep-alive").lower()
    if not (
        len(named) == len(pairs) <= MAX_FIELDS
        and _FRAMING.isdisjoint(named)
        and length.isdecimal()
        and len(length) <= MAX_LENGTH_DIGITS
        and connection in ("keep-alive", "close")
    ):
        return None
    return Head(
        method=method,
        target=target,
        http_version="1.1",
        pairs=pairs,
        named=named,
        length=int(length),
        keep_alive=connection != "close",
        expects_continue=expects_continue(named),
    )


def read_whole(data: bytes) -> tuple[Head, bytes] | None:
    """The head and the body of a plain message that is all of `data`; None when it is not, or not plain."""
    size = data.find(_END_OF_HEAD) + len(_END_OF_HEAD)
    if not len(_END_OF_HEAD) <= size <= MAX_HEAD:
        return None
    head = read_plain_head(data[:size])
    return None if head is None or head.length != len(data) - size else (head, data[size:])


def by_name(pairs: Pairs) -> dict[str, str]:
    """The fields by their names in lower case; of several of one name the last one."""
    return {name.lower(): value for name, value in pairs}


def expects_continue(named: dict[str, str]) -> bool:
    return named.get("expect", "").lower() == "100-continue"


def may_begin(received: bytes | bytearray) -> bool:
    """Whether this can become a request line, for what is not whole yet."""
    return _BEGINNING.fullmatch(received[:MAX_BEGINNING]) is not None


def split_target(target: str) -> tuple[str, bytes, bytes]:
    """The decoded path, the path as sent and the query, as ASGI wants them (RFC 9112, 3.2: origin and absolute form).

    A fragment has no place in a target and belongs to neither. Of CONNECT's authority and of `*` the whole is the path.
    """
    if not target.startswith("/"):
        target, absolute = _AUTHORITY.subn("", target, count=1)
        if absolute and not target.startswith("/"):
            target = f"/{target}"
    raw, _, query = target.partition("#")[0].partition("?")
    return (unquote(raw) if "%" in raw else raw), raw.encode("ascii"), query.encode("ascii")
