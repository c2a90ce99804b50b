"""What has to go over the wire for a captured request to arrive once more: where to, as what, and what can't be had.

Everything is sent as it came, hop-by-hop fields included, since the copy is meant to be identical.
Changed is only what would make it arrive elsewhere or not at all: the value of Host when another
destination is given, and the length of a body that did not come whole.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct

from hookbin import http_fields
from hookbin.errors import FieldsInvalid
from hookbin.models.common import Headers
from hookbin.models.request_target import below_the_bin, origin_form
from hookbin.models.requests import CapturedRequest

_DESTINATION = re.compile(r"https?://[\x21-\x7e]+")


class Resending(Struct, frozen=True, kw_only=True):
    """A request as it is to be sent. Text is latin-1: one character for each byte."""

    request: CapturedRequest
    origin: str
    """`http://host:port`, where the connection goes."""
    target: str
    headers: Headers
    notes: tuple[str, ...]
    """Sentences on what differs from what was captured; printable ASCII."""

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def body(self) -> bytes:
        return self.request.body

    @property
    def chunked(self) -> bool:
        return any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in self.headers)

    def has(self, name: str) -> bool:
        return any(known.lower() == name for known, _ in self.headers)

    def too_long_for(self, program: str, *, limit: int) -> str | None:
        """Why a command can't send it, when a word of that has `limit` bytes at most; else None."""
        lengths = [("target", len(self.origin + self.target))]
        lengths += [(f"header {name[:100]}", len(f"{name}: {value}")) for name, value in self.headers]
        what, length = max(lengths, key=lambda each: each[1])
        if length <= limit:
            return None
        return f"{program} can't send the {what}: {length} bytes are too long for a command line; Python and raw can."


def resending(request: CapturedRequest, *, base_url: str, to: str | None = None) -> Resending:
    """The request for where it came in, or for `to`, to which what stood behind the bin is appended."""
    notes: list[str] = []
    if request.incomplete or request.truncated:
        notes.append(f"Only the first {request.size} bytes of the body were kept; they are what is sent.")
    if request.trailers:
        notes.append("The request had trailers, which only the raw format has.")
    headers = tuple(_sendable(request, notes))
    if to is None:
        return Resending(request=request, origin=base_url, target=request.target, headers=headers, notes=tuple(notes))
    origin, authority, prefix = _destination(to)
    headers = tuple((name, authority if name.lower() == "host" else value) for name, value in headers)
    target = f"{prefix}{_behind_the_bin(request.target)}" or "/"
    target = target if target.startswith("/") else f"/{target}"
    return Resending(request=request, origin=origin, target=target, headers=headers, notes=tuple(notes))


def _sendable(request: CapturedRequest, notes: list[str]) -> list[tuple[str, str]]:
    kept = []
    for name, value in request.headers:
        if not (http_fields.is_token(name) and http_fields.keeps_its_line(value)):
            notes.append(f"A header can't be sent and is left out: {(name + ': ' + value)[:200]!a}")
        elif name.lower() == "content-length" and (request.incomplete or request.truncated):
            kept.append((name, str(request.size)))
        else:
            kept.append((name, value))
    return kept


def _destination(to: str) -> tuple[str, str, str]:
    """`(origin, authority, prefix)`. Raises `FieldsInvalid`."""
    try:
        parts = urlsplit(to)
        usable = _DESTINATION.fullmatch(to) and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        usable = None
    if not usable or parts.query or parts.fragment or not re.fullmatch(r"[\w.:\[\]-]+", parts.netloc, re.ASCII):
        raise FieldsInvalid(("to", "use http:// or https://, a host, maybe a port and a path, and no query"))
    return f"{parts.scheme}://{parts.netloc}", parts.netloc, parts.path.rstrip("/")


def _behind_the_bin(target: str) -> str:
    """Query and all."""
    path, mark, query = origin_form(target).partition("?")
    return f"{below_the_bin(path)}{mark}{query}"
