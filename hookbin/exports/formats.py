"""Captured requests and attempts on their way out: one function a format, and the registries of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from msgspec import Struct

from hookbin.exports import har, table
from hookbin.exports.curl import curl
from hookbin.exports.har import SentAttempt
from hookbin.exports.httpie import httpie
from hookbin.exports.python import python
from hookbin.exports.raw import raw
from hookbin.exports.resending import Resending
from hookbin.models.requests import CapturedRequest


class RequestFormat(Struct, frozen=True):
    """How one request is written; `write` gives the whole file."""

    write: Callable[[Resending], bytes]
    media_type: str
    suffix: str
    title: str
    takes_malformed: bool = False
    """Whether what is no HTTP can be written so."""
    is_file: bool = False
    """Better kept as a file than pasted somewhere."""


T = TypeVar("T")


class ListFormat(Struct, Generic[T], frozen=True):
    """How many of a kind are written, one at a time, oldest first; `between` stands between two of them.

    `entry` gets this server's base URL too, and gives what it writes in pieces.
    """

    entry: Callable[[T, str], Sequence[bytes]]
    media_type: str
    suffix: str
    title: str
    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""
    takes_malformed: bool = False
    """Whether what is no HTTP can be written so; else it is left out."""


REQUEST_FORMATS: Mapping[str, RequestFormat] = MappingProxyType(
    {
        "curl": RequestFormat(curl, "text/x-shellscript", "sh", "curl"),
        "httpie": RequestFormat(httpie, "text/x-shellscript", "httpie.sh", "HTTPie"),
        "python": RequestFormat(python, "text/x-python", "py", "Python"),
        "raw": RequestFormat(raw, "message/http", "http", "Raw HTTP", takes_malformed=True),
        "har": RequestFormat(
            lambda resending: har.document(resending.request, resending.origin),
            "application/json",
            "har",
            "HAR",
            is_file=True,
        ),
    }
)
BIN_FORMATS: Mapping[str, ListFormat[CapturedRequest]] = MappingProxyType(
    {
        "har": ListFormat(har.entry, "application/json", "har", "HAR", head=har.HEAD, between=b",\n", tail=har.TAIL),
        "ndjson": ListFormat(
            lambda request, _: table.ndjson_line(request),
            "application/x-ndjson",
            "ndjson",
            "NDJSON",
            takes_malformed=True,
        ),
        "csv": ListFormat(lambda request, _: table.csv_row(request), "text/csv", "csv", "CSV", head=table.CSV_HEAD),
    }
)
DELIVERY_FORMATS: Mapping[str, ListFormat[SentAttempt]] = MappingProxyType(
    {
        "har": ListFormat(
            lambda sent, _: har.attempt_entry(sent),
            "application/json",
            "har",
            "HAR",
            head=har.HEAD,
            between=b",\n",
            tail=har.ATTEMPTS_TAIL,
        )
    }
)

if TYPE_CHECKING:
    RequestFormatName: TypeAlias = str
    BinFormatName: TypeAlias = str
    DeliveryFormatName: TypeAlias = str
else:
    RequestFormatName = Literal[tuple(REQUEST_FORMATS)]
    BinFormatName = Literal[tuple(BIN_FORMATS)]
    DeliveryFormatName = Literal[tuple(DELIVERY_FORMATS)]
