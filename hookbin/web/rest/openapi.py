"""The OpenAPI 3.1 document, made from the route table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from hookbin import __version__, errors
from hookbin.problems import MEDIA_TYPE, Problem, status_of
from hookbin.web.rest.route import Route, path_parameters

_REF = "#/components/schemas/{name}"
_BINARY = {"type": "string", "format": "binary"}
_ANY_FILE = {"description": "A file of the format that was asked for."}
"""It may be JSON, which is no string of bytes to who reads it by its media type."""
_ANY = (errors.Unauthorized, errors.TooManyTries, errors.HostRefused, errors.DatabaseUnreadable)
_WRITE = (errors.OriginRefused, errors.Overloaded, errors.ShuttingDown, errors.StorageFailed, errors.DatabaseLost)


@cache
def document(routes: tuple[Route, ...], server: str) -> dict[str, Any]:
    """The document for these routes; `server` is the URL they are under."""
    schemas, components = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hookbin",
            "version": __version__,
            "description": "Both ends of a webhook. Bins capture whatever arrives under `/b/{bin}`, any method.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "security": [{}, {"token": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas(routes: Iterable[Route]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    """The schema of each type that the routes name, and the components these refer to."""
    types = [type for route in routes for type in (route.body, route.answer) if type not in (None, str, bytes)]
    types.append(Problem)
    made, components = msgspec.json.schema_components(types, ref_template=_REF)
    return dict(zip(types, made, strict=True)), {name: _plain(schema) for name, schema in components.items()}


def _plain(schema: Any) -> Any:
    """The schema with a tuple of equal members told as a list of that length, which more readers understand."""
    if isinstance(schema, list):
        return [_plain(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    members = schema.get("prefixItems")
    if members and all(member == members[0] for member in members):
        schema = {**{key: value for key, value in schema.items() if key != "prefixItems"}, "items": members[0]}
    return {key: _plain(value) for key, value in schema.items()}


def _operation(route: Route, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.tag}_{route.handler.__name__}",
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description,
        "parameters": _parameters(route),
        "responses": _responses(route, schemas),
    }
    if route.body is not None:
        content: dict[str, Any] = {"application/json": {"schema": schemas[route.body]}}
        if route.raw_body:
            any_json = {"description": "Any JSON, sent as it is, when the query says of which type it is."}
            content["application/json"] = {"schema": {"anyOf": [schemas[route.body], any_json]}}
            content["*/*"] = {"schema": _BINARY}
        operation["requestBody"] = {"required": not (route.body_optional or route.raw_body), "content": content}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in path_parameters(route.path)
    ]
    if route.query is not None:
        (_,), components = msgspec.json.schema_components([route.query], ref_template=_REF)
        for name, schema in components[route.query.__name__]["properties"].items():
            found.append({"name": name, "in": "query", "required": False, "schema": _inlined(schema, components)})
    found += [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in route.headers
    ]
    return found


def _inlined(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """The schema with references resolved: a query's types are small and stand in no component."""
    if "$ref" in schema:
        return {key: value for key, value in components[schema["$ref"].rpartition("/")[2]].items() if key != "title"}
    if "anyOf" in schema:
        return {**schema, "anyOf": [_inlined(option, components) for option in schema["anyOf"]]}
    return schema


def _responses(route: Route, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    responses: dict[str, Any] = {str(route.status): {"description": HTTPStatus(route.status).phrase}}
    if route.answer is not None:
        file = _ANY_FILE if route.answer_media == "*/*" else _BINARY
        schema = {str: {"type": "string"}, bytes: file}.get(route.answer) or schemas[route.answer]
        responses[str(route.status)]["content"] = {route.answer_media: {"schema": schema}}
    responses |= {str(status): {"description": text} for status, text in route.others}
    for status, codes in _failures(route).items():
        responses[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
            "content": {MEDIA_TYPE: {"schema": schemas[Problem]}},
        }
    return responses


def _failures(route: Route) -> dict[int, Sequence[str]]:
    """The codes of each status that the route can fail with, those included that any route can."""
    failures: dict[int, list[str]] = {}
    for error in dict.fromkeys((*route.raises, *_ANY, *(() if route.method == "GET" else _WRITE))):
        failures.setdefault(status_of(error), []).append(error.code)
    return dict(failures)
