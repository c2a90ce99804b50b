"""The API told to people: `/docs`."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response

from hookbin.problems import status_of
from hookbin.web.html.rendering import render
from hookbin.web.rest.route import Call, Route
from hookbin.web.rest.routing import routes_of


class RouteDoc(Struct, frozen=True, kw_only=True):
    """A route as the page shows it; `query` and `body` hold (name, type, description)."""

    method: str
    path: str
    summary: str
    description: str
    query: list[tuple[str, str, str]]
    body: list[tuple[str, str, str]]
    answers: list[tuple[int, str]]


async def docs(call: Call[Any, None]) -> Response:
    """This API as a page.

    For people.
    """
    groups = [
        (tag, [_described(route) for route in routes])
        for tag, routes in groupby(routes_of(call.request), key=lambda route: route.tag)
    ]
    return render(call.request, "docs.html", groups=groups)


def _described(route: Route) -> RouteDoc:
    answers = [(route.status, route.answer_media if route.answer is not None else "no body")]
    answers += [(status_of(error), error.code) for error in route.raises]
    return RouteDoc(
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
