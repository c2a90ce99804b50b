"""Everything but the bins as one ASGI application: routes, middleware, and errors as problems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import groupby

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Receive, Scope, Send

from hookbin.errors import HookbinError, InvalidInput, MethodNotAllowed, NotFound
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


def site_app(services: Services, *, lifespan: Callable[[], AbstractAsyncContextManager[None]]) -> Starlette:
    """The application; `lifespan` is what works behind it while it runs."""

    @asynccontextmanager
    async def run(_: Starlette) -> AsyncIterator[None]:
        async with lifespan():
            yield

    site = Starlette(
        routes=[*_api(), *PAGES, Mount("/static", StaticApp(FILES))],
        middleware=[Middleware(SecurityHeadersMiddleware), Middleware(access.AccessMiddleware)],
        exception_handlers={HookbinError: _problem, HTTPException: _http_problem, Exception: _internal_problem},
        lifespan=run,
    )
    site.router.redirect_slashes = False
    site.state.services = services
    site.state.routes = API
    return site


def _api() -> list[BaseRoute]:
    by_path = sorted(API, key=lambda route: route.path)
    resources = {path: Resource(routes) for path, routes in groupby(by_path, key=lambda route: route.path)}
    fixed = {path: resource for path, resource in resources.items() if not path_parameters(path)}
    others = [Route(path, resource) for path, resource in resources.items() if path not in fixed]
    return [_FixedPaths(fixed), *others]


class _FixedPaths(BaseRoute):
    """Resources whose paths have no parameters, found by one look instead of a pattern each."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self._resources = resources

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        resource = self._resources.get(scope["path"]) if scope["type"] == "http" else None
        return (Match.NONE, {}) if resource is None else (Match.FULL, {"endpoint": resource, "path_params": {}})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["endpoint"](scope, receive, send)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HookbinError)
    if request.url.path.startswith("/ui") and "text/html" in request.headers.get("accept", ""):
        shape = problem(error)
        return render(request, "problem.html", status=shape.status, problem=shape)
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
