"""Targets as they are sent, taken apart."""

from __future__ import annotations

import pytest

from hookbin.models.request_target import below_the_bin, origin_form, path_and_query
from tests.support import Server
from tests.wire import exchange


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/b/joe", "/b/joe", None),
        ("/b/joe?", "/b/joe", ""),
        ("/b/joe/%2F//;x?a=1?b#c", "/b/joe/%2F//;x", "a=1?b"),
        ("/b/joe#c?d", "/b/joe", None),
        ("http://localhost:1/b/joe?x", "/b/joe", "x"),
        ("HTTP://localhost", "/", None),
        ("http://localhost?x", "/", "x"),
        ("*", "/*", None),
    ],
)
def test_a_target_has_a_path_and_a_query(target: str, path: str, query: str | None) -> None:
    assert path_and_query(target) == (path, query)


def test_the_origin_form_keeps_what_stands_behind_the_authority() -> None:
    assert origin_form("https://[::1]:8/b/joe/a?b#c") == "/b/joe/a?b#c"
    assert origin_form("/b/http://x/") == "/b/http://x/"


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("/b/joe", ""),
        ("/b/joe/", "/"),
        ("/b/joe//a", "//a"),
        ("/b/joe/b/joe", "/b/joe"),
        ("/%62/j%6Fe/a%2Fb", "/a%2Fb"),
        ("/b%2fjoe/a", "/a"),
        ("/b/joe%2Fa/b", "/a/b"),
    ],
)
def test_what_follows_the_bin_is_found_however_the_bin_is_escaped(path: str, below: str) -> None:
    assert below_the_bin(path) == below


@pytest.mark.parametrize(
    "target", [b"http://localhost/b/%b/deep?x=1", b"/%%62/%b/deep?x=1", b"/b/%b%%2Fdeep?x=1", b"/b/%b/deep?x=1#f"]
)
def test_a_rule_and_a_search_see_the_same_path_in_any_form(server: Server, target: bytes) -> None:
    rule = {"when": {"path": "/deep", "query": {"x": "1"}}, "status": 201}
    name = server.post("/bins", {"response": {"rules": [rule]}}).json()["id"]

    answer = exchange(
        server, b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % (target % name.encode())
    )
    (found,) = server.get(f"/bins/{name}/requests?path=/deep&query=x:1")["data"]

    assert answer.status == 201
    assert (found["target"], found["query"]) == ((target % name.encode()).decode(), "x=1")
