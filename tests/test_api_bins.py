"""`/bins` and `/requests`: make, list, read, change, delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import Server
from tests.wire import check_problem

DEFAULT_RESPONSE = {
    "status": 200,
    "headers": [["content-type", "text/plain; charset=utf-8"]],
    "body": "ok\n",
    "delay_ms": 0,
    "template": False,
    "fault": None,
    "sequence": [],
    "then": "stay",
    "chance": None,
    "rules": [],
    "handshake": None,
    "cors": False,
}


def make(server: Server, **fields: Any) -> Any:
    response = server.post("/bins", fields)
    assert response.status_code == 201, response.text
    return response.json()


def test_a_bin_made_of_nothing_has_every_default(server: Server) -> None:
    response = server.request("POST", "/bins")
    bin = response.json()

    assert response.status_code == 201
    assert bin["name"] is None
    assert re.fullmatch(r"(bin_)?[a-z0-9]{16}", bin["id"])
    assert bin["url"] == f"{server.url}/b/{bin['id']}"
    assert bin["request_count"] == 0
    assert bin["response"] == DEFAULT_RESPONSE
    assert bin["max_requests"] == 10_000
    assert bin["max_age"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", bin["created_at"])


def test_a_taken_name_is_a_conflict_and_changes_nothing(server: Server) -> None:
    make(server, name="first-come")
    second = make(server, name="second-come")

    response = server.request("PATCH", "/bins/second-come", json={"name": "first-come"})

    check_problem(response, 409, "name_taken")
    check_problem(server.post("/bins", {"name": "first-come"}), 409, "name_taken")
    assert server.get("/bins/second-come") == second == server.get(f"/bins/{second['id']}")


def test_an_id_can_not_be_taken_as_a_name(server: Server) -> None:
    """Or a bin would answer in the place of another one."""
    bin = make(server)

    response = server.post("/bins", {"name": bin["id"]})

    assert response.status_code in (409, 422), response.text


def test_a_patch_leaves_alone_what_it_does_not_name(server: Server) -> None:
    response = {"status": 418, "headers": [["x-tea", "pot"]], "body": "short and stout", "delay_ms": 1}
    bin = make(server, name="patched", response=response, max_age=60)

    changed = server.request("PATCH", "/bins/patched", json={"max_requests": 7}).json()

    assert changed == {**bin, "max_requests": 7}
    assert server.patch("/bins/patched", {}).json() == changed


def test_null_in_a_patch_puts_the_default_back(server: Server) -> None:
    make(server, name="nulled", response={"status": 500}, max_requests=7, max_age=60)

    nothing = dict.fromkeys(("name", "response", "max_requests", "max_age"))
    changed = server.request("PATCH", "/bins/nulled", json=nothing).json()

    assert changed["response"] == DEFAULT_RESPONSE
    assert (changed["max_requests"], changed["max_age"], changed["name"]) == (10_000, None, None)
    assert changed["url"] == f"{server.url}/b/{changed['id']}"


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"colour": "red"}, "colour"),
        ({"name": "a b"}, "name"),
        ({"response": {"status": 600}}, "response.status"),
        ({"response": {"headers": [["x-a", "1"], ["x-b", "1\r\nx-c: 2"]]}}, "response.headers[1]"),
        ({"response": {"headers": [["content-security-policy", "script-src *"]]}}, "response.headers[0]"),
    ],
)
def test_a_field_that_is_wrong_is_named(server: Server, fields: dict[str, Any], loc: str) -> None:
    before = server.get("/bins?limit=250")

    check_problem(server.post("/bins", fields), 422, "invalid_fields", loc=loc)

    assert server.get("/bins?limit=250") == before


def test_a_bin_that_is_deleted_is_gone_with_what_it_captured(start_server: Callable[..., Server]) -> None:
    server = start_server("--no-auto-create")
    bin = make(server, name="short-lived")
    server.request("POST", "/b/short-lived", content=b"x")
    (captured,) = server.captured("short-lived")

    response = server.request("DELETE", "/bins/short-lived")

    assert (response.status_code, response.content) == (204, b"")
    check_problem(server.request("GET", "/bins/short-lived"), 404, "bin_not_found")
    check_problem(server.request("GET", f"/bins/{bin['id']}/requests"), 404, "bin_not_found")
    check_problem(server.request("GET", f"/requests/{captured['id']}"), 404, "request_not_found")
    check_problem(server.request("DELETE", "/bins/short-lived"), 404, "bin_not_found")
    check_problem(server.request("POST", "/b/short-lived"), 404, "bin_not_found")


def test_a_request_in_a_list_comes_without_headers_and_body(server: Server) -> None:
    server.request("POST", "/b/rows/deep?x=1", content=b"hello")

    (row,) = server.get("/bins/rows/requests")["data"]
    whole = server.get(f"/requests/{row['id']}")

    assert "headers" not in row
    assert "body" not in row
    assert {key: value for key, value in whole.items() if key in row} == row
    assert whole["body"] == {"size": 5, "truncated": False, "text": "hello"}
    assert (row["path"], row["query"], row["target"]) == ("/b/rows/deep", "x=1", "/b/rows/deep?x=1")


def test_a_long_body_is_cut_in_json_between_two_characters_and_whole_in_the_download(server: Server) -> None:
    body = b"x" + "é".encode() * 200_000
    server.request("POST", "/b/long", content=body)

    (captured,) = server.captured("long")

    assert captured["body"]["truncated"] is True
    assert captured["body"]["size"] == captured["size"] == 400_001
    assert captured["body"]["text"] == "x" + "é" * ((256 * 1024 - 1) // 2)
    assert captured["truncated"] is False
    assert server.request("GET", f"/requests/{captured['id']}/body").content == body


def test_a_raw_body_is_a_download_that_no_browser_renders(server: Server) -> None:
    page = b"<script>alert(1)</script>"
    server.request("POST", "/b/inert", content=page, headers={"content-type": "text/html"})
    (captured,) = server.captured("inert")

    response = server.request("GET", f"/requests/{captured['id']}/body")

    assert response.content == page
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == f'attachment; filename="{captured["id"]}.bin"'
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


def test_a_full_last_page_has_no_next_one(server: Server) -> None:
    for _ in range(2):
        server.request("POST", "/b/exact")

    page = server.get("/bins/exact/requests?limit=2")

    assert len(page["data"]) == 2
    assert page["next_cursor"] is None
