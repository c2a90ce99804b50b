"""The session that a request comes in, and how one begins and ends in the browser.

Every cookie of the names is tried: whoever answers on another port of this host can set one beside ours, and the
browser says of none where it is from (RFC 6265, 8.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from hookbin.models.sessions import COOKIE, HTTPS_COOKIE, Session
from hookbin.store.sessions import SESSION_SECONDS
from hookbin.web.rest.services import Services, services

_KEY = "hookbin.session"
"""Where it stands in the scope."""


def find_session(connection: HTTPConnection) -> Session | None:
    """The one that a cookie proves; from now on `session_of` knows it."""
    sessions = services(connection).stores.sessions
    found = next(filter(None, map(sessions.find, _secrets(connection))), None)
    connection.scope[_KEY] = found
    return found


def session_of(connection: HTTPConnection) -> Session | None:
    """None for a bearer of the token, and where none is asked for."""
    session: Session | None = connection.scope.get(_KEY)
    return session


async def begin_session(request: Request, response: Response, *, client: str) -> None:
    s = services(request)
    before = s.stores.sessions.all()
    secret = await s.stores.sessions.begin(client=client, user_agent=request.headers.get("user-agent", ""))
    for over in {each.id for each in before} - {each.id for each in s.stores.sessions.all()}:
        s.live.timeline.end_session(over)
    is_https = "https" in (request.url.scheme, urlsplit(s.site.base_url).scheme)
    response.set_cookie(
        HTTPS_COOKIE if is_https else COOKIE,
        secret,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=is_https,
    )


async def end_session(services: Services, id: str) -> None:
    """Raises `SessionNotFound`, `StorageFailed`."""
    services.live.timeline.end_session(id)
    await services.stores.sessions.end(id)


def forget_session(response: Response) -> None:
    """Take the cookie away from the browser."""
    for name in (COOKIE, HTTPS_COOKIE):
        response.delete_cookie(name, httponly=True, samesite="strict", secure=name == HTTPS_COOKIE)


def _secrets(connection: HTTPConnection) -> Iterator[str]:
    for field in connection.headers.getlist("cookie"):
        for pair in field.split(";"):
            name, _, value = pair.strip().partition("=")
            if name in (COOKIE, HTTPS_COOKIE):
                yield value
