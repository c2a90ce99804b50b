"""Who may do what: the Host and Origin checks, the token, and signing in with it.

Bound to loopback, the danger is a page in the owner's own browser: the Host header must name this
machine (DNS rebinding), and nothing but a followed link may come from another site. Bound elsewhere, behind a
public URL, or with a token set, everything but the bins asks for the token.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hookbin.config import public_host
from hookbin.delivery.targets import is_loopback_host
from hookbin.errors import HookbinError, HostRefused, MalformedRequest, OriginRefused, TooManyTries, Unauthorized
from hookbin.http_fields import host_flags
from hookbin.web.html.rendering import render
from hookbin.web.rest.problem_response import problem_response
from hookbin.web.rest.routing import read_form
from hookbin.web.rest.services import services
from hookbin.web.rest.sessions import begin_session, end_session, find_session, forget_session, session_of
from hookbin.wire.forwarded import HOST as FORWARDED_HOST

SIGN_IN = "/ui/sign-in"
_OPEN = frozenset({"/healthz", "/readyz", "/robots.txt", SIGN_IN})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class AccessMiddleware:
    """Lets through what may pass; the bins stand in front of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        refusal = _refusal(connection)
        if isinstance(refusal, Unauthorized) and _bearer(connection):
            await services(connection).live.wrong_tokens.add(_client(connection))
        if refusal is None:
            await self._app(scope, receive, send)
        elif isinstance(refusal, Unauthorized) and scope["path"].startswith("/ui"):
            target = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
            response = RedirectResponse(f"{SIGN_IN}?{urlencode({'next': target})}", status_code=303)
            await response(scope, receive, send)
        else:
            await problem_response(refusal)(scope, receive, send)


def _refusal(connection: HTTPConnection) -> HookbinError | None:
    fields: list[tuple[bytes, bytes]] = connection.scope["headers"]
    hosts = [value.decode("latin-1") for name, value in fields if name == b"host"]
    host = hosts[0] if hosts else ""
    if host_flags(hosts):
        return MalformedRequest("there are two Host fields, or one that is no host; send one, such as localhost:8090")
    site = services(connection).site
    token = site.settings.token
    if site.settings.on_loopback and not _is_our_host(host, site.settings.public_url):
        return HostRefused(
            f"the Host {host[:100]!r} is not this machine's; use {site.base_url}, or start with --public-url"
        )
    hosts_asked = (host, connection.scope.get(FORWARDED_HOST))
    if not _is_ours_to_ask(connection.scope["method"], hosts_asked, dict(reversed(fields))):
        return OriginRefused("a page of another site sent this; open hookbin itself and do it there")
    path: str = connection.scope["path"]
    if token is None or path in _OPEN or path.startswith("/static/"):
        return None
    if _bearer(connection):
        try:
            services(connection).live.wrong_tokens.check(_client(connection))
        except TooManyTries as error:
            return error
    if _has_token(connection, token):
        return None
    return Unauthorized("send the header 'authorization: Bearer TOKEN'; hookbin prints its token when it starts")


def _is_our_host(host: str, public_url: str | None) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return is_loopback_host(name) or name == public_host(public_url)


def _is_ours_to_ask(method: str, hosts: Sequence[str | None], fields: Mapping[bytes, bytes]) -> bool:
    """Whether our own page asks, no page, or for a read a link that somebody followed.

    Fetch Metadata says so where the browser sends it, else Origin; neither means no browser. Another site's page
    can't see what it fetches here, but it could tell from the time that a search takes what was captured, and hold
    streams open (Fetch Metadata, "Resource Isolation Policy").
    """
    site = fields.get(b"sec-fetch-site")
    if site is not None:
        if site in (b"same-origin", b"none"):
            return True
        return method in _SAFE_METHODS and fields.get(b"sec-fetch-mode") == b"navigate"
    origin = fields.get(b"origin")
    if method in _SAFE_METHODS or origin is None:
        return True
    try:
        asking = urlsplit(origin.decode("latin-1")).netloc
        return bool(asking) and asking in hosts
    except ValueError:
        return False


def _client(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def _bearer(connection: HTTPConnection) -> str | None:
    """The token that is sent along."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _has_token(connection: HTTPConnection, token: str) -> bool:
    given = _bearer(connection)
    if given is not None:
        return hmac.compare_digest(given.encode(), token.encode())
    return find_session(connection) is not None


async def sign_in(request: Request) -> Response:
    if request.method == "POST":
        return await _sign_in(request)
    return render(request, "sign_in.html", failed=False, next=_safe_next(request.query_params.get("next")))


async def _sign_in(request: Request) -> Response:
    try:
        form = dict(await read_form(request))
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    given, target = form.get("token", ""), _safe_next(form.get("next"))
    token, wrong_tokens = services(request).site.settings.token, services(request).live.wrong_tokens
    wrong_tokens.check(_client(request))
    if token is None or hmac.compare_digest(given.strip().encode(), token.encode()):
        response: Response = RedirectResponse(target, status_code=303)
        if token is not None:
            await begin_session(request, response, client=_client(request))
        return response
    if given:
        await wrong_tokens.add(_client(request))
    return render(request, "sign_in.html", status=401, failed=True, next=target)


async def sign_out(request: Request) -> Response:
    session = session_of(request)
    if session is not None:
        await end_session(services(request), session.id)
    response = RedirectResponse(SIGN_IN, status_code=303)
    forget_session(response)
    return response


def _safe_next(target: str | None) -> str:
    """A path of our own pages, whatever the query asked for."""
    if target is not None and target.startswith("/ui/") and target.isprintable() and "\\" not in target:
        return target
    return "/ui/"
