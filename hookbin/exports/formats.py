"""Captured requests on their way out again: one function a format, and the two registries of them."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from hookbin.exports import har, table
from hookbin.exports.curl import curl
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


class BinFormat(Struct, frozen=True):
    """How many requests are written, one at a time, oldest first; `between` stands between two of them."""

    entry: Callable[[CapturedRequest], bytes]
    media_type: str
    suffix: str
    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""


REQUEST_FORMATS: dict[str, RequestFormat] = {
    "curl": RequestFormat(curl, "text/x-shellscript", "sh"),
    "httpie": RequestFormat(httpie, "text/x-shellscript", "httpie.sh"),
    "python": RequestFormat(python, "text/x-python", "py"),
    "raw": RequestFormat(raw, "message/http", "http"),
    "har": RequestFormat(lambda resending: har.document(resending.request), "application/json", "har"),
}
BIN_FORMATS: dict[str, BinFormat] = {
    "har": BinFormat(har.entry, "application/json", "har", head=har.HEAD, between=b",\n", tail=har.TAIL),
    "ndjson": BinFormat(table.ndjson_line, "application/x-ndjson", "ndjson"),
    "csv": BinFormat(table.csv_row, "text/csv", "csv", head=table.CSV_HEAD),
}
