"""What a request target says (RFC 9112, 3.2): its path, its query, what follows the bin.

All of it is as it was sent, undecoded, in latin-1. A target in absolute form (3.2.2) counts from its path on;
a fragment, which has no place in a target, belongs to neither path nor query.
"""

from __future__ import annotations

import re

PREFIX = "/b/"
"""What the path of every bin begins with."""
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_BIN = re.compile(r"/(?:b|%62)(?:/|%2[fF])(?:(?!%2[fF])[^/])*")
"""A server that decodes the path finds the bin however it is escaped."""


def origin_form(target: str) -> str:
    """Return the target from its path on: without the scheme and the authority of an absolute one."""
    if target.startswith("/"):
        return target
    rest = _AUTHORITY.sub("", target, count=1)
    return rest if rest.startswith("/") else f"/{rest}"


def path_and_query(target: str) -> tuple[str, str | None]:
    """Split a target into its path and its query, which is None when there is no `?`."""
    if "#" in target or not target.startswith("/"):
        target = origin_form(target).partition("#")[0]
    path, mark, query = target.partition("?")
    return path, query if mark else None


def below_the_bin(path: str) -> str:
    """Return what follows the bin in a path: `/x/y` of `/b/joe/x/y`, or nothing."""
    rest = path[match.end() :] if (match := _BIN.match(path)) else path
    return rest if not rest or rest.startswith("/") else f"/{rest[3:]}"
