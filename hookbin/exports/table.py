"""Many requests as lines: NDJSON in the API's shape with the whole body, and CSV for a spreadsheet.

A spreadsheet takes a cell that begins with one of `= + - @`, tab or carriage return for a formula
(OWASP, "CSV Injection"); such a cell gets an apostrophe in front. So does what follows a `;` or a line break inside
one: where the semicolon separates, as in Excel in half of Europe, a cell begins there, whatever quotes it is in.
Signs are known in full width too, and behind quotes, blanks and what nobody sees, which spreadsheets leave out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from hookbin.clock import rfc3339, seq_id
from hookbin.exports.json_body import JsonBody, base64_pieces, text_pieces
from hookbin.models.requests import CapturedRequest
from hookbin.shapes.requests import request_shape
from hookbin.text import wire

_COLUMNS = (
    *("id", "received_at", "method", "target", "http_version", "client", "content_type", "size", "truncated"),
    *("incomplete", "answer_status", "signature", "attempt_id", "note", "pinned", "headers", "body", "body_base64"),
)
_QUOTED = (",", ";", '"', "\r", "\n")
_UNSEEN = (
    r'["\x00-\x09\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f'
    r"\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]"
)
_SIGN = r"[=+\-@\u207a-\u207c\u208a-\u208c\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20]"
_FORMULA = f"{_UNSEEN}*+{_SIGN}"
_BEGINS_ONE = re.compile(rf"[\t\r\n]|{_FORMULA}")
_STARTS_WITH_ONE = re.compile(_FORMULA)
_HOLDS_ONE = re.compile(rf"[;\r\n](?={_FORMULA})")
_OPEN_AT_END = re.compile(rf"[;\r\n]{_UNSEEN}*+\Z")
_UP_TO_END = re.compile(rf"(?:\A|[;\r\n]){_UNSEEN}*+\Z")
_END = b"\r\n"


def ndjson_line(request: CapturedRequest) -> list[bytes]:
    """In pieces."""
    body = JsonBody(request.body)
    shown = {"size": request.size, "truncated": request.truncated, body.kind: body.place}
    *pieces, last = body.written_in(msgspec.structs.replace(request_shape(request, limit=0), body=shown))
    return [*pieces, last + b"\n"]


def csv_row(request: CapturedRequest) -> list[bytes]:
    """In pieces."""
    texts, binary = [], []
    try:
        texts = list(text_pieces(request.body))
    except UnicodeDecodeError:
        binary = [piece.decode() for piece in base64_pieces(request.body)]
    row = _row(
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
        )
    )
    return [row.removesuffix(_END) + b",", *_large_cell(texts), b",", *_large_cell(binary), _END]


def _large_cell(texts: list[str]) -> Iterator[bytes]:
    """A cell in pieces. One that is in several is quoted; where one begins a formula that has its `;` in the last one,
    the apostrophe stands behind that and what nobody sees."""
    if len(texts) < 2:
        yield from (_cell(text) for text in texts)
        return
    yield b'"'
    may_begin = True
    for text in texts:
        if may_begin and (_BEGINS_ONE if text is texts[0] else _STARTS_WITH_ONE).match(text):
            yield b"'"
        yield _HOLDS_ONE.sub(r"\g<0>'", text).replace('"', '""').encode()
        may_begin = (_UP_TO_END if may_begin else _OPEN_AT_END).search(text) is not None
    yield b'"'


def _row(cells: Iterable[str | int | None]) -> bytes:
    return b",".join(map(_cell, cells)) + _END


def _cell(cell: str | int | None) -> bytes:
    return _quoted(_harmless(cell)).encode()


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
            harmless = _HOLDS_ONE.sub(r"\g<0>'", cell)
            return f"'{harmless}" if _BEGINS_ONE.match(cell) else harmless


CSV_HEAD = _row(_COLUMNS)
