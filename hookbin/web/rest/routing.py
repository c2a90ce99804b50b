"""How a call of the JSON API is decoded, handed to its handler and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hookbin import errors
from hookbin.bodies import strict_json
from hookbin.web.rest.problem_response import problem_response
from hookbin.web.rest.route import Call, Route
from hookbin.web.rest.services import services
from hookbin.web.rest.validation_errors import fields_invalid

Q = TypeVar("Q", bound=Struct)

MAX_JSON_BODY = 1024 * 1024
"""Bytes that a call may send in all; an event is no larger either."""
MAX_FORM = 16 * 1024
"""Bytes of a form without JavaScript; who sends the one that signs in is not known yet."""
MAX_SPILLED = 16 * 1024 * 1024
"""Bytes over the limit that are still read, and thrown away."""


class Resource:
    """All methods of one path, as an ASGI application. HEAD and OPTIONS come by themselves."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {route.method: route for route in routes}
        implied = ("HEAD", "OPTIONS") if "GET" in self._routes else ("OPTIONS",)
        self._allow = tuple(sorted({*self._routes, *implied}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return  # it broke off before its body was in; there is nobody to answer
        except errors.HookbinError as error:
            response = problem_response(error)
        if request.method == "HEAD":
            response = _head_of(response)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        route = self._routes.get(method)
        if route is not None:
            return await respond(route, request)
        if method == "OPTIONS":
            return Response(status_code=204, headers={"allow": ", ".join(self._allow)})
        raise errors.MethodNotAllowed(
            f"{method} is not possible on {request.url.path}; use {', '.join(self._allow)}", allow=self._allow
        )


def routes_of(request: Request) -> tuple[Route, ...]:
    """All routes of the API."""
    routes: tuple[Route, ...] = request.app.state.routes
    return routes


def _head_of(response: Response) -> Response:
    """The same without its body; of a stream, which has no end, not even begun."""
    head = Response(status_code=response.status_code)
    head.raw_headers = response.raw_headers
    return head


async def respond(route: Route, request: Request) -> Response:
    query = decode_query(request, route.query) if route.query is not None else None
    body = await _decode_body(route, request) if route.body is not None and not route.raw_body else None
    result = await route.handler(Call(request, services(request), query=query, body=body))
    if isinstance(result, Response):
        return result
    content = b"" if route.answer is None else msgspec.json.encode(result)
    return Response(content, status_code=route.status, media_type=route.answer_media if content else None)


def decode_query(request: Request, type: type[Struct]) -> Struct:
    """The query as `type`, with numbers and booleans read from their text."""
    pairs = request.query_params.multi_items() if request.scope["query_string"] else ()
    return decode_pairs(pairs, type)


def decode_pairs(pairs: Iterable[tuple[str, str]], type: type[Q]) -> Q:
    """Names and values as `type`; a name stands once, but for lists. Raises `FieldsInvalid`."""
    several = _listed(type)
    values: dict[str, Any] = {}
    twice = set()
    for name, value in pairs:
        if name in several:
            values.setdefault(name, []).append(value)
        elif name in values:
            twice.add(name)
        else:
            values[name] = value
    if twice:
        raise errors.FieldsInvalid(*((name, "stands in the query more than once") for name in sorted(twice)))
    try:
        return msgspec.convert(values, type, strict=False)
    except msgspec.ValidationError as error:
        raise fields_invalid(error, type) from error


@cache
def _listed(type: type[Struct]) -> frozenset[str]:
    """The fields that may stand in a query several times."""
    return frozenset(name for name, hint in get_type_hints(type).items() if get_origin(hint) is list)


def decode_json(content: bytes, type: type[Struct]) -> Any:
    """A JSON body as `type`. Raises `BrokenJson` or `FieldsInvalid`."""
    try:
        return strict_json.decode(content, type)
    except msgspec.ValidationError as error:
        raise fields_invalid(error, type) from error
    except strict_json.BrokenAt as error:
        raise errors.BrokenJson(f"the body can't be read as JSON: {error}") from error


async def read_body(request: Request, *, limit: int = MAX_JSON_BODY) -> bytes:
    """The whole body. Raises `BodyTooLarge`, and `ShuttingDown` when the rest does not come before the server stops.

    What is over the limit is read too: a connection that is closed with bytes unread is reset, and
    the sender may never see the answer (RFC 9112, 9.6).
    """
    body, size, goes_on = bytearray(), 0, True
    try:
        while goes_on and size <= limit + MAX_SPILLED:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk = message.get("body", b"")
            goes_on = message.get("more_body", False)
            size += len(chunk)
            if size <= limit:
                body += chunk
    except asyncio.CancelledError:  # uvicorn waits no longer when it stops
        raise errors.ShuttingDown("hookbin is stopping and has done nothing; send it again in a moment") from None
    if size > limit:
        raise errors.BodyTooLarge(f"the body has more than {limit:,} bytes; send less")
    return bytes(body)


async def read_form(request: Request) -> list[tuple[str, str]]:
    """Names and values of a form that a page of ours sent. Raises `BodyTooLarge`."""
    body = await read_body(request, limit=MAX_FORM)
    return parse_qsl(body.decode("utf-8", "replace"))


async def _decode_body(route: Route, request: Request) -> Any:
    assert route.body is not None
    content = await read_body(request)
    if not content.strip():
        if route.body_optional:
            return decode_json(b"{}", route.body)
        raise errors.NoBody("send a JSON object; /docs shows its fields")
    require_json(request)
    return decode_json(content, route.body)


def require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise errors.UnsupportedMediaType(
            f"the content type is {media_type[:100]!r}; send JSON with --header 'content-type: application/json'"
        )
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise errors.UnsupportedMediaType(
            f"the content-encoding is {encoding[:100]!r}; send JSON as it is, without one (a raw event keeps its own)"
        )
