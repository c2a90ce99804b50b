"""Everything but the bins as one ASGI application: routes, middleware, and errors as problems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import groupby

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hookbin.errors import BinNotFound, HookbinError, InvalidInput, MethodNotAllowed, NotFound
from hookbin.names import is_bin_name
from hookbin.problems import problem
from hookbin.web.html.rendering import render
from hookbin.web.html.static import FILES, StaticApp
from hookbin.web.rest.problem_response import problem_response
from hookbin.web.rest.route import path_parameters
from hookbin.web.rest.routing import Resource
from hookbin.web.rest.services import Services
from hookbin.web.routes import API, PAGES
from hookbin.web.security import access
from hookbin.web.security.response_headers import SecurityHeadersMiddleware

_RESOURCES = {
    path: Resource(routes)
    for path, routes in groupby(sorted(API, key=lambda route: route.path), key=lambda route: route.path)
}
_API_ROUTES = [Route(path, resource) for path, resource in _RESOURCES.items() if path_parameters(path)]


def site_app(services: Services, *, lifespan: Callable[[], AbstractAsyncContextManager[None]]) -> Starlette:
    """The application; `lifespan` is what works behind it while it runs."""

    @asynccontextmanager
    async def run(_: Starlette) -> AsyncIterator[None]:
        async with lifespan():
            yield

    addresses = services.site.addresses
    site = Starlette(
        routes=[*_API_ROUTES, *PAGES, Mount("/static", StaticApp(FILES))],
        middleware=[
            Middleware(SecurityHeadersMiddleware, bins_url=None if addresses.bin_port is None else addresses.bins_url),
            Middleware(access.AccessMiddleware),
            Middleware(_FixedPaths),
        ],
        exception_handlers={HookbinError: _problem, HTTPException: _http_problem, Exception: _internal_problem},
        lifespan=run,
    )
    site.router.redirect_slashes = False
    site.state.services = services
    site.state.routes = API
    return site


class _FixedPaths:
    """Calls whose paths have no parameters go to their resource by one look, past the router and its patterns."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._resources = {path: resource for path, resource in _RESOURCES.items() if not path_parameters(path)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        resource = self._resources.get(scope["path"]) if scope["type"] == "http" else None
        await (self._app if resource is None else resource)(scope, receive, send)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HookbinError)
    if request.url.path.startswith("/ui") and "text/html" in request.headers.get("accept", ""):
        shape = problem(error)
        name = request.path_params.get("bin", "") if isinstance(error, BinNotFound) else ""
        lacking = name if is_bin_name(name) else None
        return render(request, "problem.html", status=shape.status, problem=shape, lacking=lacking)
    return problem_response(error)


async def _http_problem(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: a path that leads nowhere, a page asked for with a wrong method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return await _problem(request, NotFound(f"nothing is at {request.url.path[:200]}; GET / lists what is"))
    if error.status_code == 405:
        allow = tuple(sorted({*(error.headers or {}).get("Allow", "GET, HEAD").split(", "), "OPTIONS"}))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": ", ".join(allow)})
        detail = f"{request.method} is not possible on {request.url.path[:200]}; use {', '.join(allow)}"
        return await _problem(request, MethodNotAllowed(detail, allow=allow))
    return await _problem(request, InvalidInput(error.detail))


async def _internal_problem(request: Request, error: Exception) -> Response:
    return problem_response(HookbinError("hookbin has made a mistake; its log says which"))
