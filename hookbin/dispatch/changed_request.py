"""A captured request as somebody wants it sent on in its place: with another method, path, query, fields or body."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from hookbin.errors import FieldsInvalid
from hookbin.http_fields import NAME_RULE, first_value, is_name, is_token, keeps_its_line
from hookbin.models.request_target import PREFIX, below_the_bin, origin_form
from hookbin.models.requests import CapturedRequest

MAX_FIELDS = 500
"""Header fields that can be given."""
_PATH = re.compile(r"(?:/[!-~]*)?")
_QUERY = re.compile(r"[!-~]*")


def changed(
    request: CapturedRequest,
    *,
    method: str | None = None,
    path: str | None = None,
    query: str | None = None,
    headers: Sequence[tuple[str, str]] | None = None,
    body: bytes | None = None,
) -> CapturedRequest:
    """The request with what is given in the place of what came; None leaves it, an empty query takes it away.

    `path` is what follows the bin. Raises `FieldsInvalid` with each fault at its field below `changes`.
    """
    before, mark, query_before = origin_form(request.target).partition("?")
    faults = list(_faults(method=method, path=path, query=query, headers=headers))
    if faults:
        raise FieldsInvalid(*faults)
    suffix = below_the_bin(before) if path is None else path
    asked = (query_before if mark else "") if query is None else query
    fields = request.headers if headers is None else tuple(headers)
    return replace(
        request,
        method=method or request.method,
        target=f"{PREFIX}{request.bin_id}{suffix}{'?' if asked else ''}{asked}",
        headers=fields,
        content_type=first_value(fields, "content-type"),
        body=request.body if body is None else body,
        size=request.size if body is None else len(body),
    )


def _faults(
    *, method: str | None, path: str | None, query: str | None, headers: Sequence[tuple[str, str]] | None
) -> Sequence[tuple[str, str]]:
    found = []
    if method is not None and not is_token(method):
        found.append(("changes.method", "is not a method; use a token such as POST (RFC 9110, 9.1)"))
    if path is not None and ("?" in path or "#" in path or _PATH.fullmatch(path) is None):
        found.append(("changes.path", "begins with / and has visible ASCII alone; write others as %XX"))
    if query is not None and ("#" in query or _QUERY.fullmatch(query) is None):
        found.append(("changes.query", "is visible ASCII alone; write others as %XX"))
    if headers is not None and len(headers) > MAX_FIELDS:
        found.append(("changes.headers", f"are more than {MAX_FIELDS}; send fewer"))
    for place, (name, value) in enumerate((headers or ())[:MAX_FIELDS]):
        if not is_name(name):
            found.append((f"changes.headers[{place}]", NAME_RULE))
        elif not keeps_its_line(value) or not _is_latin_1(value):
            found.append((f"changes.headers[{place}]", "has a value with a line break, NUL or a letter beyond latin-1"))
    return found


def _is_latin_1(text: str) -> bool:
    return all(ord(letter) < 256 for letter in text)
