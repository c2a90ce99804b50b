"""What was captured, sent on: its method, its path below the bin, its query, its headers.

Left out are the headers that belong to one connection (RFC 9110, 7.6.1), `host`, `content-length`,
which is written anew, and `hookbin-…`, which are ours, as is the cookie of a signed-in owner who was at the bin.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from hookbin.http_fields import HOP_BY_HOP_IN_REQUESTS, first_value
from hookbin.models.common import Headers
from hookbin.models.events import Original
from hookbin.models.request_target import below_the_bin, origin_form
from hookbin.models.requests import CapturedRequest
from hookbin.models.sessions import COOKIE, COOKIES
from hookbin.signatures.styles import SIGNATURE_HEADERS

_WRITTEN_ANEW = HOP_BY_HOP_IN_REQUESTS | {"content-length", "expect", "host"}
_OURS = "hookbin-"
HOPS = "hookbin-hops"
_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
"""What of a target goes out as it came; an address in a URL can hold nothing else."""


def original_of(request: CapturedRequest, *, keep_signature: bool = False) -> Original:
    """What of a captured request is sent on."""
    path, mark, query = origin_form(request.target).partition("?")
    named = {
        name.strip().lower()
        for header, value in request.headers
        if header.lower() == "connection"
        for name in value.split(",")
    }
    return Original(
        method=request.method,
        suffix=below_the_bin(path),
        query=query if mark else None,
        headers=tuple(
            (name, kept)
            for name, value in request.headers
            if (kept := _without_session(name, value)) is not None
            and (lower := name.lower()) not in _WRITTEN_ANEW
            and lower not in named
            and not lower.startswith(_OURS)
        ),
        keep_signature=keep_signature,
    )


def _without_session(name: str, value: str) -> str | None:
    """A header's value without the cookie that signs its sender in here; None if nothing is left of it."""
    if name.lower() != "cookie" or COOKIE not in value:
        return value
    others = [pair for pair in value.split(";") if pair.partition("=")[0].strip().lower() not in COOKIES]
    return ";".join(others).strip() or None


def hops_of(request: CapturedRequest) -> int:
    """How often it has gone through this server, as our own sender says; 0 for what makes no sense."""
    value = first_value(request.headers, HOPS) or "0"
    return int(value) if value.isascii() and value.isdigit() and len(value) < 4 else 0


def has_dot_segments(suffix: str) -> bool:
    """Whether a path could lead out of the one that it is added to."""
    plain = unquote(unquote(suffix)).replace("\\", "/")
    return any(segment.partition(";")[0] in (".", "..") for segment in plain.split("/"))


def url(destination: str, original: Original) -> str:
    """The destination with the path and the query of the original added, escaped no further than it must be.

    A query that is there and empty (`?`) stays.
    """
    parts = urlsplit(destination)
    has_query = "?" in destination or original.query is not None
    path = parts.path.rstrip("/") + _quoted(original.suffix) if original.suffix else parts.path
    queries = [query for query in (parts.query, _quoted(original.query or "")) if query]
    sent = urlunsplit((parts.scheme, parts.netloc, path or "/", "&".join(queries), ""))
    return f"{sent}?" if has_query and not queries else sent


def headers(original: Original, *, size: int, replaced: Collection[str]) -> Headers:
    """Those of the original but for the ones that we set in their place; `replaced` has their names in lower case."""
    signed_anew = {SIGNATURE_HEADERS[name] for name in replaced if name in SIGNATURE_HEADERS}
    left_out = {*replaced, *(name for style in signed_anew for name in style.older)}
    kept = tuple(pair for pair in original.headers if pair[0].lower() not in left_out)
    if size or original.method in _WITH_CONTENT:
        return (("content-length", str(size)), *kept)
    return kept


def _quoted(text: str) -> str:
    return quote(text.encode("latin-1"), safe=_SAFE)
