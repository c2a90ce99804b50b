"""A browser that is signed in, and the names of its cookie."""

from __future__ import annotations

from msgspec import Struct

COOKIE = "hookbin_session"
HTTPS_COOKIE = f"__Host-{COOKIE}"
"""No other host and no path can set a cookie of that name (RFC 6265bis, 4.1.3.2); browsers take it by https alone."""
COOKIES = frozenset({COOKIE, HTTPS_COOKIE.lower()})
"""Their names in lower case, which no answer of a bin may set."""


class Session(Struct, frozen=True, kw_only=True):
    """Begun with the token, over when it expires, is ended, or the token is another one."""

    id: str
    created_at: int
    expires_at: int
    client: str
    """The address that it was begun from."""
    user_agent: str
