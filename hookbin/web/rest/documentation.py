"""The API told to programs and to people: `/openapi.json` and `/docs`."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from hookbin.problems import status_of
from hookbin.web.html.rendering import render
from hookbin.web.rest import openapi as description
from hookbin.web.rest.routing import Call, Route


class Told(Struct, frozen=True, kw_only=True):
    """A route as the page shows it; `query` and `body` hold (name, type, description)."""

    method: str
    path: str
    summary: str
    description: str
    query: list[tuple[str, str, str]]
    body: list[tuple[str, str, str]]
    answers: list[tuple[int, str]]


async def openapi(call: Call[None, None]) -> dict[str, Any]:
    return description.document(_routes(call.request), call.services.base_url)


async def docs(call: Call[None, None]) -> Response:
    groups = [
        (tag, [_told(route) for route in routes])
        for tag, routes in groupby(_routes(call.request), key=lambda route: route.tag)
    ]
    return render(call.request, "docs.html", groups=groups)


def _routes(request: Request) -> tuple[Route, ...]:
    routes: tuple[Route, ...] = request.app.state.routes
    return routes


def _told(route: Route) -> Told:
    answers = [(route.status, route.answer_media if route.answer is not None else "no body")]
    answers += [(status_of(error), error.code) for error in route.raises]
    return Told(
        method=route.method,
        path=route.path,
        summary=route.summary,
        description=route.description,
        query=_fields(route.query),
        body=_fields(route.body),
        answers=answers,
    )


def _fields(type: type[Struct] | None) -> list[tuple[str, str, str]]:
    if type is None:
        return []
    _, components = msgspec.json.schema_components([type])
    return [
        (name, _type_text(schema), schema.get("description", ""))
        for name, schema in components[type.__name__]["properties"].items()
    ]


def _type_text(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_text(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    text = str(schema.get("type", "any"))
    if text == "array":
        return f"list of {_type_text(schema.get('items') or {})}"
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{text} {low} to {high}" if low is not None and high is not None else text
