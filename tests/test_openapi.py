"""`/openapi.json` and `/docs`: every route is described, and the server does what the description says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from hookbin.problems import status_of
from hookbin.web.rest.route import Route
from hookbin.web.routes import API
from tests.raw_receiver import Receiver
from tests.support import Server, eventually


@pytest.fixture(scope="module")
def document(server: Server) -> Any:
    return server.get("/openapi.json")


def operation(document: Any, route: Route) -> Any:
    return document["paths"][route.path][route.method.lower()]


def test_the_document_is_valid_openapi(document: Any) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_the_document_names_this_server(server: Server, document: Any) -> None:
    assert document["servers"] == [{"url": server.url}]


@pytest.mark.parametrize("route", API, ids=[f"{route.method} {route.path}" for route in API])
def test_every_route_is_described_with_its_parameters(document: Any, route: Route) -> None:
    described = operation(document, route)

    assert described["summary"].strip()
    assert described["description"].strip().endswith((".", ")"))
    assert described["operationId"]
    success = described["responses"][str(route.status)]
    if route.answer is not None:
        schema = success["content"][route.answer_media]["schema"]
        assert schema.get("$ref") or schema.get("type") or route.answer_media == "*/*", schema
    if route.body is not None:
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        assert (schema["anyOf"][0] if route.raw_body else schema)["$ref"]
    for error in route.raises:
        assert error.code in described["responses"][str(status_of(error))]["description"]
    of = {"query": set[str](), "path": set[str](), "header": set[str]()}
    for parameter in described["parameters"]:
        of[parameter["in"]].add(parameter["name"])
        assert parameter["schema"]
        assert parameter["in"] == "path" or parameter.get("description") or parameter["schema"].get("description")
    assert of["query"] == set(route.query.__struct_fields__ if route.query is not None else ())
    assert of["path"] == set(re.findall(r"{(\w+)}", route.path))


def test_nothing_is_described_that_is_not_there(document: Any) -> None:
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert described == {(route.method, route.path) for route in API}


def test_every_schema_says_what_its_type_is(document: Any) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("type") == "object" or "enum" in schema or "anyOf" in schema, name


def test_the_page_of_documentation_lists_every_path(server: Server) -> None:
    page = server.request("GET", "/docs")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for route in API:
        assert route.path in page.text
        assert route.summary in page.text.replace("&#39;", "'")


@pytest.fixture(scope="module")
def lived_in(server: Server) -> dict[str, str]:
    """The ids of one of everything, on a server where deliveries succeeded, failed and wait."""
    server.post("/bins", {"name": "described", "response": {"headers": [["x-a", "1"]]}, "max_age": 3600})
    server.request("POST", "/b/described?x=1", content=b"\xff")
    server.request("POST", "/b/described", content=b"text")
    with Receiver(500, headers={"x-b": "2"}, body=b"\xfe").serving() as url:
        webhook = server.register(url, retry_schedule=[3600], heartbeat=3600)
        (delivery,) = eventually(lambda: server.deliveries(webhook=webhook["id"]))
        eventually(lambda: server.get(f"/deliveries/{delivery['id']}")["attempt_count"] == 1)
    server.register("http://127.0.0.1:1/", retry_schedule="none", ping=True)
    server.register(f"{server.url}/b/described", disabled=True)
    eventually(lambda: server.deliveries(state="failed"))
    return {
        "bin": "described",
        "request": server.captured("described")[0]["id"],
        "webhook": webhook["id"],
        "event": delivery["event_id"],
        "delivery": delivery["id"],
        "other": server.captured("described")[0]["id"],
        "view": "hex",
    }


GETS = [route for route in API if route.method == "GET" and route.answer_media == "application/json"]


@pytest.mark.parametrize("route", GETS, ids=[route.path for route in GETS])
def test_what_is_read_has_the_shape_that_is_described(
    server: Server, document: Any, lived_in: dict[str, str], route: Route
) -> None:
    response = server.request("GET", route.path.format(**lived_in))

    schema = operation(document, route)["responses"]["200"]["content"]["application/json"]["schema"]
    closed = {**schema, "components": {"schemas": closed_schemas(document)}}
    jsonschema.Draft202012Validator(closed).validate(response.json())
    assert response.status_code == 200
    assert response.json()


def closed_schemas(document: Any) -> Any:
    """The schemas, but a field that they do not know is a failure."""
    schemas = document["components"]["schemas"]
    return {
        name: {**schema, "additionalProperties": False} if schema.get("properties") else schema
        for name, schema in schemas.items()
    }


@pytest.mark.timeout(320)
def test_schemathesis_finds_nothing_that_is_not_described(server: Server, tmp_path: Path) -> None:
    """Many calls, right and wrong. What our own checks refuse beyond the schema is not judged.

    One worker: schemathesis parses Python in each, and on Python 3.11 two threads that do so at once
    can fail with "AST constructor recursion depth mismatch".
    """
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--no-color"]
    waits = ["--exclude-path", "/stream", "--exclude-path", "/bins/{bin}/wait"]
    bounds = [*waits, "--max-examples", "20", "--seed", "7", "--workers", "1"]
    refusals = (
        "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, '5xx']\n"
    )
    (tmp_path / "schemathesis.toml").write_text(refusals)  # its own list lacks the 413 of a body that is too large
    # to empty a list deletes what is in it, and the list answers on: for `use_after_free` it should be gone
    unjudged = ["--exclude-checks", "positive_data_acceptance,use_after_free"]

    done = subprocess.run([*command, *bounds, *unjudged], capture_output=True, text=True, cwd=tmp_path, timeout=300)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Traceback" not in server.log()
