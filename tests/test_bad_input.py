"""What can't be used: each a problem that says what to do, and each leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hookbin.web.rest.route import Route
from hookbin.web.routes import API
from tests.support import Server
from tests.wire import check_problem, connected, exchange

JSON = {"content-type": "application/json"}
LISTS = ("bins", "webhooks", "events", "deliveries")
WEBHOOK = {"name": "test", "destination": "http://localhost:1/hook"}
DEEP = 100_000


def contents(server: Server) -> Any:
    return {name: server.get(f"/{name}?limit=250")["data"] for name in LISTS}


@pytest.fixture(scope="module", autouse=True)
def something_is_there(server: Server) -> None:
    """Or nothing could be lost."""
    server.request("POST", "/b/headed", content=b"12345")
    server.register("http://localhost:1/", disabled=True)
    server.post("/events", {"type": "there", "data": None})


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind(server: Server, something_is_there: None) -> Iterator[None]:
    before = contents(server)
    yield
    assert contents(server) == before
    assert "Traceback" not in server.log()


# Bodies

WITH_BODY = [("POST", "/webhooks"), ("POST", "/events")]


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
@pytest.mark.parametrize("content", [b"", b" \r\n\t"])
def test_no_body(server: Server, method: str, path: str, content: bytes) -> None:
    problem = check_problem(server.call(method, path, content, **JSON), 400, "no_body")

    assert problem["detail"].startswith("send ")


KNOWN = json.dumps({**WEBHOOK, "type": "a", "data": 1}).encode()
UNUSABLE = {
    "broken": (b"{", {"broken_json"}),
    "no UTF-8": (b'{"type": "\xff", "data": 1}', {"broken_json"}),
    "nested deeply": (b'{"data": ' + b"[" * DEEP + b"]" * DEEP + b"}", {"broken_json", "invalid_fields"}),
    "half a surrogate pair": (KNOWN.replace(b'"a"', b'"\\ud800"'), {"broken_json", "invalid_fields"}),
    "a field that is not known": (KNOWN.replace(b"{", b'{"colour": "red", '), {"invalid_fields"}),
}
"""One witness for each of what test_decoding has in full."""


@pytest.mark.parametrize("path", ["/bins", "/webhooks", "/events"])
@pytest.mark.parametrize("name", UNUSABLE)
def test_json_that_can_not_be_used(server: Server, path: str, name: str) -> None:
    content, codes = UNUSABLE[name]

    response = server.call("POST", path, content, **JSON)

    assert response.json()["code"] in codes
    assert response.status_code in (400, 422)
    assert server.get("/healthz") == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        ("/bins", {}, "name"),
        ("/webhooks", WEBHOOK, "name"),
        ("/webhooks", WEBHOOK, "destination"),
        ("/webhooks", WEBHOOK, "secret"),
        ("/webhooks", WEBHOOK, "retry_schedule"),
        ("/events", {"data": 1}, "type"),
    ],
)
def test_a_control_character(server: Server, path: str, fields: Any, field: str) -> None:
    for char in ("\0", "\n", "\x7f", "\u202e"):
        value = fields.get(field, "text") + char + "x"
        response = server.post(path, {**fields, field: value})
        check_problem(response, 422, "invalid_fields", loc=field)
        assert char not in response.text


@pytest.mark.parametrize("path", ["/events", "/webhooks", "/bins"])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", "", "nonsense"]
)
def test_another_content_type_than_json(server: Server, path: str, content_type: str) -> None:
    response = server.call("POST", path, b'{"type": "a", "data": 1}', content_type=content_type)

    problem = check_problem(response, 415, "unsupported_media_type")
    assert "content-type: application/json" in problem["detail"]


@pytest.mark.parametrize("path", ["/events", "/events?type=big", "/webhooks", "/bins"])
def test_a_body_over_one_mebibyte(server: Server, path: str) -> None:
    size = 1024 * 1024 + 1
    content = b'{"type": "big", "data": "%b"}' % (b"x" * size)

    problem = check_problem(server.call("POST", path, content[:size], **JSON), 413, "body_too_large")

    assert "1,048,576" in problem["detail"]


def test_a_body_over_one_mebibyte_in_chunks_and_on_a_connection_that_closes(server: Server) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = (
        b"POST /events?type=big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )

    answer = exchange(server, head + chunk * 40 + b"0\r\n\r\n")

    assert answer.status == 413
    assert json.loads(answer.body)["code"] == "body_too_large"


def test_a_sender_that_breaks_off_in_the_middle_of_its_body(server: Server) -> None:
    for path in (b"/events", b"/events?type=cut", b"/bins", b"/webhooks", b"/ui/sign-in"):
        with connected(server) as connection:
            connection.sendall(b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{" % path)

    assert server.get("/healthz") == {"status": "ok"}
    assert "Traceback" not in server.log()


# Raw events


@pytest.mark.parametrize(
    ("name", "value"),
    [("Content-Type", value) for value in ("", "text", "a/b\u00e9", "text/plain" + "x" * 300, "/x", "a b/c")]
    + [("hookbin-hops", value) for value in ("", "x", "-1", "1.5", "9999", "\u00b2")],
)
def test_a_header_that_can_not_be_used(server: Server, name: str, value: str) -> None:
    headers = [(name.encode(), value.encode())]

    response = server.request("POST", "/events?type=a", content=b"x", headers=headers)

    check_problem(response, 422, "invalid_fields", loc=name)


def test_a_type_in_the_query_with_bad_characters(server: Server) -> None:
    check_problem(server.call("POST", "/events?type=a%20b", b"x"), 422, "invalid_fields", loc="type")


# Addresses


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/bins/{}", "bin_not_found"),
        ("PATCH", "/bins/{}", "bin_not_found"),
        ("DELETE", "/bins/{}", "bin_not_found"),
        ("GET", "/bins/{}/requests", "bin_not_found"),
        ("GET", "/requests/{}", "request_not_found"),
        ("GET", "/requests/{}/body", "request_not_found"),
        ("GET", "/webhooks/{}", "webhook_not_found"),
        ("PATCH", "/webhooks/{}", "webhook_not_found"),
        ("DELETE", "/webhooks/{}", "webhook_not_found"),
        ("GET", "/events/{}", "event_not_found"),
        ("GET", "/deliveries/{}", "delivery_not_found"),
        ("POST", "/deliveries/{}/retry", "delivery_not_found"),
        ("GET", "/stream?bin={}", "bin_not_found"),
        ("GET", "/stream?webhook={}", "webhook_not_found"),
    ],
)
def test_an_unknown_id(server: Server, method: str, path: str, code: str) -> None:
    for id in ("x", "%2e%2e", "%00%ff", "%F0%9F%90%9F" * 300):
        check_problem(server.call(method, path.format(id), b"{}" if method == "PATCH" else None, **JSON), 404, code)


@pytest.mark.parametrize("path", ["/nothing", "/bins/a/b", "/events/a/b", "/b", "/static/none.js", "/static/../app.py"])
def test_an_unknown_path(server: Server, path: str) -> None:
    check_problem(server.call("GET", path), 404, "not_found")


PATHS = sorted({route.path for route in API})
ALLOWED = {path: {route.method for route in API if route.path == path} for path in PATHS}


@pytest.mark.parametrize("path", PATHS)
def test_options_and_a_wrong_method_are_told_the_right_ones(server: Server, path: str) -> None:
    refused, told = (server.call(method, path.replace("{", "").replace("}", "")) for method in ("PROPFIND", "OPTIONS"))

    check_problem(refused, 405, "method_not_allowed")
    assert (told.status_code, told.content) == (204, b"")
    implied = {"HEAD", "OPTIONS"} if "GET" in ALLOWED[path] else {"OPTIONS"}
    for response in (refused, told):
        assert set(response.headers["allow"].split(", ")) == ALLOWED[path] | implied


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/ui", {"GET", "HEAD"}),
        ("/ui/sign-in", {"GET", "HEAD", "POST"}),
        ("/ui/sign-out", {"POST"}),
        ("/static/js/none.js", {"GET", "HEAD"}),
    ],
)
def test_options_lists_what_a_page_can(server: Server, path: str, methods: set[str]) -> None:
    response = server.call("OPTIONS", path)

    assert (response.status_code, response.content) == (204, b"")
    assert set(response.headers["allow"].split(", ")) == methods | {"OPTIONS"}


@pytest.mark.parametrize(
    "path", [path for path in PATHS if "{" not in path and "GET" in ALLOWED[path] and path != "/stream"]
)
def test_head_answers_as_get_does_without_the_body(server: Server, path: str) -> None:
    get, head = server.call("GET", path), server.call("HEAD", path)

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert "content-length" in head.headers


def test_head_of_a_request_and_its_body(server: Server) -> None:
    (captured,) = server.captured("headed")

    for path in (f"/requests/{captured['id']}", f"/requests/{captured['id']}/body"):
        head, get = server.call("HEAD", path), server.call("GET", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(get.content))


@pytest.mark.parametrize("path", ["/bins/", "/webhooks/", "/events/", "/deliveries/", "/healthz/", "/docs/", "/bins//"])
def test_a_slash_at_the_end_makes_no_difference(server: Server, path: str) -> None:
    assert server.call("GET", path).content == server.call("GET", path.rstrip("/")).content


@pytest.mark.parametrize("path", ["/events/", "/webhooks/"])
def test_a_slash_at_the_end_of_a_post_makes_no_difference(server: Server, path: str) -> None:
    check_problem(server.call("POST", path, b"", **JSON), 400, "no_body")


# Queries


@pytest.mark.parametrize("path", ["/bins", "/webhooks", "/events", "/deliveries"])
@pytest.mark.parametrize(
    "query", ["limit=251", "cursor=", "cursor=%00", "cursor=%ff", "cursor=evt_", "cursor=zzz_" + "0" * 13]
)
def test_a_page_that_is_wrong(server: Server, path: str, query: str) -> None:
    loc = query.partition("=")[0]

    check_problem(server.call("GET", f"{path}?{query}"), 422, "invalid_fields", loc=loc)


STRICT = [route for route in API if route.query is not None]


@pytest.mark.parametrize("route", STRICT, ids=[f"{route.method} {route.path}" for route in STRICT])
def test_a_query_that_a_route_does_not_know(server: Server, route: Route) -> None:
    path = route.path.replace("{", "").replace("}", "")

    check_problem(server.call(route.method, f"{path}?colour=red", b"{}", **JSON), 422, "invalid_fields", loc="colour")


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/robots.txt", "/docs", "/openapi.json"])
def test_a_query_does_not_bother_what_monitors_and_browsers_ask_for(server: Server, path: str) -> None:
    assert server.call("GET", f"{path}?utm_source=x").status_code == 200


def test_a_cursor_of_another_list(server: Server) -> None:
    event = "evt_" + "0" * 26
    for path in ("/bins", "/webhooks", "/deliveries"):
        check_problem(server.call("GET", f"{path}?cursor={event}"), 422, "invalid_fields", loc="cursor")


def test_a_state_that_is_none_is_told_those_there_are(server: Server) -> None:
    problem = check_problem(server.call("GET", "/deliveries?state=lost"), 422, "invalid_fields", loc="state")

    assert problem["errors"][0]["msg"] == "'lost' is not one of pending, succeeded, failed, cancelled"
