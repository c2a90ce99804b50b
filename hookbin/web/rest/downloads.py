"""Captured bytes handed to a browser so that it can do nothing with them but keep them."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.responses import Response

INERT = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
}
_LONGEST_NAME = 100
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f"*:<>?|\\/%]|[^\w\s.,;=@()\[\]{}!#$&\'+~^`-]')
_ASCII = re.compile(r"[^A-Za-z0-9._-]")


def attachment(content: bytes, name: str) -> Response:
    """A download under a name that may come from a stranger; no browser renders it."""
    headers = {**INERT, "content-disposition": disposition(name)}
    return Response(content, media_type="application/octet-stream", headers=headers)


def disposition(name: str) -> str:
    """`Content-Disposition` with an ASCII name, and the full one as RFC 8187 has it (RFC 6266, 4.3)."""
    safe = safe_name(name)
    plain = _ASCII.sub("_", safe)
    extended = "" if plain == safe else f"; filename*=UTF-8''{quote(safe, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


def safe_name(name: str) -> str:
    """The last piece of a path, without what a file system, a shell or an eye could take for something else."""
    last = re.split(r"[/\\]", name)[-1]
    safe = _UNSAFE.sub("_", last).strip(". \t\n")
    return safe[-_LONGEST_NAME:].strip(". \t\n") or "file"  # the end, since it says the type
