"""Many requests as lines: NDJSON in the API's shape with the whole body, and CSV for a spreadsheet.

A spreadsheet takes a cell that begins with one of `= + - @`, tab or carriage return for a formula
(OWASP, "CSV Injection"); such a cell gets an apostrophe in front.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hookbin.clock import rfc3339, seq_id
from hookbin.models.requests import CapturedRequest
from hookbin.shapes.requests import whole_request
from hookbin.text import wire

_COLUMNS = (
    *("id", "received_at", "method", "target", "http_version", "client", "content_type", "size", "truncated"),
    *("incomplete", "answer_status", "signature", "attempt_id", "note", "pinned", "headers", "body", "body_base64"),
)
_QUOTED = (",", '"', "\r", "\n")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def ndjson_line(request: CapturedRequest) -> bytes:
    return msgspec.json.encode(whole_request(request)) + b"\n"


def csv_row(request: CapturedRequest) -> bytes:
    shape = whole_request(request)
    return _row(
        (
            seq_id("req_", request.seq),
            rfc3339(request.received_at),
            request.method,
            wire(request.target),
            request.http_version,
            request.client,
            None if request.content_type is None else wire(request.content_type),
            request.size,
            request.truncated,
            request.incomplete,
            request.answer_status,
            request.signature,
            request.attempt_id,
            request.note,
            request.pinned,
            msgspec.json.encode([(wire(name), wire(value)) for name, value in request.headers]).decode(),
            shape.body.text or None,
            shape.body.base64 or None,
        )
    )


def _row(cells: Iterable[str | int | None]) -> bytes:
    return (",".join([_quoted(_harmless(cell)) for cell in cells]) + "\r\n").encode()


def _quoted(cell: str) -> str:
    """RFC 4180, 2. Python's own writer goes letter by letter, which holds everyone up when a body is large."""
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in _QUOTED) else cell


def _harmless(cell: str | int | None) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case int():
            return str(cell)
        case _:
            return f"'{cell}" if cell.startswith(_FORMULA) else cell


CSV_HEAD = _row(_COLUMNS)
