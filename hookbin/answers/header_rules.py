"""Which header fields a bin's answer can have: checked when it is saved, and again when a template wrote a value.

Bins share the host of hookbin's pages, so nothing of a bin may sign its owner out or in, or reach beyond its own path.
"""

from __future__ import annotations

import re

from hookbin import http_fields
from hookbin.models.common import Headers, Pair
from hookbin.models.sessions import COOKIES

_MANAGED = {
    **dict.fromkeys(http_fields.HOP_BY_HOP, http_fields.OF_THE_CONNECTION),
    "content-length": "is counted by hookbin",
    "content-security-policy": "is set by hookbin, so that no bin can run scripts on this site",
    "service-worker-allowed": "would give a bin's script the pages of hookbin",
    "clear-site-data": "would empty the browser of what hookbin's pages keep there",
}
_COOKIE = re.compile("[ \t]*[=;]")


def complaint(name: str, value: str) -> str | None:
    """Why a bin can't answer with this field; None if it can."""
    if _is_our_cookie((name, value)):
        return "the cookie is hookbin's own, by which its owner is signed in; give it another name"
    return http_fields.complaint(name, value, reserved=_MANAGED, charset=http_fields.LATIN_1)


def without_ours(headers: Headers) -> Headers:
    """Those that may go out, of what an older hookbin has taken."""
    return tuple(pair for pair in headers if pair[0].lower() not in _MANAGED and not _is_our_cookie(pair))


def _is_our_cookie(pair: Pair) -> bool:
    """A cookie without a name comes back as its value (RFC 6265bis, 5.7), so that can't be ours either."""
    name, value = pair
    return name.lower() == "set-cookie" and _COOKIE.split(value.lstrip("= \t"))[0].lower() in COOKIES
