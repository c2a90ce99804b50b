"""What a route of the JSON API is: told by its handler, as far as that can tell.

A handler is `async def name(call: Call[Query, Body]) -> Answer`. Its annotations say what is decoded and
encoded, its docstring's first line is the summary and the rest the description, `raises` and `reads_header` mark
what neither can say. From a `Route` calls are decoded, and the OpenAPI document and the page of documentation made.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from functools import partial
from types import NoneType, UnionType
from typing import Any, Generic, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from hookbin import errors
from hookbin.web.rest.services import Services

Query = TypeVar("Query")
Body = TypeVar("Body")
H = TypeVar("H", bound=Callable[..., Any])
Errors: TypeAlias = tuple[type[errors.HookbinError], ...]

_BODY_ERRORS: Errors = (
    errors.BrokenJson,
    errors.UnsupportedMediaType,
    errors.BodyTooLarge,
    errors.SenderTimedOut,
    errors.FieldsInvalid,
)
_PATH_ERRORS = {
    "bin": errors.BinNotFound,
    "request": errors.RequestNotFound,
    "webhook": errors.WebhookNotFound,
    "event": errors.EventNotFound,
    "delivery": errors.DeliveryNotFound,
    "undo": errors.UndoNotFound,
    "session": errors.SessionNotFound,
    "view": errors.ViewNotFound,
    "number": errors.PartNotFound,
}
"""How a call fails whose path names something that is not there."""


class Call(Generic[Query, Body]):
    """One call, decoded."""

    __slots__ = ("body", "delivering", "live", "path", "query", "request", "services", "site", "stores")

    def __init__(self, request: Request, services: Services, *, query: Query, body: Body) -> None:
        self.request = request
        self.services = services
        self.stores = services.stores
        self.delivering = services.delivering
        self.live = services.live
        self.site = services.site
        self.path: dict[str, str] = request.path_params
        self.query = query
        self.body = body


Handler: TypeAlias = Callable[[Call[Any, Any]], Awaitable[Any]]


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a route that reads none."""


class Route(Struct, frozen=True, kw_only=True):
    """One method of one resource."""

    method: str
    path: str
    handler: Handler
    tag: str = ""
    summary: str
    description: str
    query: type[Struct] | None
    """None where anything may stand in the query, and nothing of it is read."""
    headers: tuple[tuple[str, str], ...]
    """`(name, description)` of each header field that the handler reads."""
    body: type[Struct] | None
    raw_body: bool = False
    """The handler reads the body itself, and takes other media types than JSON too."""
    body_optional: bool = False
    answer: Any
    """The type of the answer; None when it has no body."""
    answer_media: str
    status: int
    others: tuple[tuple[int, str], ...] = ()
    """`(status, description)` of each answer besides, that is no error and has no body."""
    raises: Errors


def raises(*found: type[errors.HookbinError]) -> Callable[[H], H]:
    """Mark a handler with how it fails besides what its path, query and body say."""
    return partial(_mark, "raises", found)


def reads_header(name: str, description: str) -> Callable[[H], H]:
    """Mark a handler with a header field that it reads."""
    return partial(_mark, "headers", ((name, description),))


def _mark(name: str, value: Any, handler: H) -> H:
    vars(handler)[name] = value
    return handler


def route(
    method: str, path: str, handler: Handler, *, status: int | None = None, media: str = "", **options: Any
) -> Route:
    """The route that leads to a handler; `media` is the type of an answer that the handler makes as a `Response`."""
    hints = get_type_hints(handler)
    query, body = (None if found is NoneType else found for found in get_args(hints["call"]))
    answer = _answer(hints["return"], media)
    summary, _, description = (inspect.getdoc(handler) or "").partition("\n\n")
    if status is None:
        status = 204 if answer is None else 200
    found = Route(
        method=method,
        path=path,
        handler=handler,
        summary=summary.removesuffix("."),
        description=" ".join(description.split()),
        query=None if query is Any else query or NoQuery,
        body=body,
        answer=answer,
        answer_media=media or "application/json",
        status=status,
        headers=vars(handler).get("headers", ()),
        raises=(),
        **options,
    )
    return replace(found, raises=_errors(found))


def _answer(hint: Any, media: str) -> Any:
    """The type that is encoded; of a `Response`, text or bytes."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    others = [option for option in options if option not in (Response, NoneType)]
    if others:
        return others[0]
    if Response not in options:
        return None
    return str if media.startswith("text/") else bytes


def _errors(route: Route) -> Errors:
    of_query = () if route.query is None else (errors.FieldsInvalid,)
    of_path = tuple(_PATH_ERRORS[name] for name in path_parameters(route.path) if name in _PATH_ERRORS)
    of_body = () if route.body is None else _BODY_ERRORS
    if route.body is not None and not route.body_optional:
        of_body = (errors.NoBody, *of_body)
    return tuple(dict.fromkeys((*of_body, *of_query, *of_path, *vars(route.handler).get("raises", ()))))


def path_parameters(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


GET, POST, PATCH, DELETE = (partial(route, method) for method in ("GET", "POST", "PATCH", "DELETE"))


def tagged(tag: str, *routes: Route) -> tuple[Route, ...]:
    """The routes as one section of the documentation."""
    return tuple(replace(route, tag=tag) for route in routes)
