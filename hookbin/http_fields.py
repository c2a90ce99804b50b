"""The rules of HTTP fields (RFC 9110, 5): which names and values can be sent, and which belong to one hop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

TCHAR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
"""A character of a token (RFC 9110, 5.6.2); methods, names of fields and both halves of a media type are tokens."""
MAX_NAME = 256
MAX_VALUE = 8192
"""Longer names and values are refused of an owner; what was captured is kept whatever its length."""
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Fields that belong to one connection (RFC 9110, 7.6.1)."""
HOP_BY_HOP_IN_REQUESTS = HOP_BY_HOP | {"proxy-authenticate", "proxy-authorization", "http2-settings"}
"""The same with what is said to the next hop alone (RFC 9110, 11.7; RFC 7540, 3.2.1)."""
NAME_RULE = f"a header name is 1 to {MAX_NAME} letters, digits or !#$%&'*+.^_`|~-"
OF_THE_CONNECTION = "belongs to the connection (RFC 9110, 7.6.1)"
ASCII = "ASCII"
LATIN_1 = "latin-1"
_TOKEN = re.compile(f"{TCHAR}+")
_VALUES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {ASCII: re.compile(r"[\t\x20-\x7e]*"), LATIN_1: re.compile(r"[\t\x20-\x7e\x80-\xff]*")}
)
"""RFC 9110, 5.5; bytes over 127 are allowed there, but receivers read them in different ways."""
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(?::[0-9]*)?")
_BREAKS_THE_MESSAGE = re.compile("[\x00\r\n]")


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether it can be the name of a field that an owner sets or asks for."""
    return len(text) <= MAX_NAME and is_token(text)


def keeps_its_line(value: str) -> bool:
    """Whether a value that arrived can go out again: CR, LF and NUL would end its line or its message."""
    return _BREAKS_THE_MESSAGE.search(value) is None


def first_value(fields: Iterable[tuple[str, str]], name: str) -> str | None:
    """The value of the first field of that name, which is given in lower case."""
    return next((value for known, value in fields if known.lower() == name), None)


def complaint(name: str, value: str, *, reserved: Mapping[str, str], charset: str) -> str | None:
    """Why an owner can't set this field; None if it can be sent.

    `reserved` has names in lower case, each with what it is instead of the owner's. The value is
    in `ASCII` or `LATIN_1`.
    """
    lower = name.lower()
    if not is_name(name):
        return NAME_RULE
    if lower in reserved:
        return f"{lower} can't be set: it {reserved[lower]}"
    if len(value) > MAX_VALUE or _VALUES[charset].fullmatch(value) is None:
        return (
            f"a header value is at most {MAX_VALUE:,} {charset} characters, without line breaks or other control "
            "characters"
        )
    if value != value.strip():
        return "a header value neither begins nor ends with white space"
    return None


def host_flags(hosts: Sequence[str]) -> tuple[str, ...]:
    """What is wrong with the values of a request's Host fields (RFC 9112, 3.2); that there is none is not."""
    if len(hosts) > 1:
        return ("host_repeated",)
    return ("host_malformed",) if hosts and _HOST.fullmatch(hosts[0]) is None else ()
