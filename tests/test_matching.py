"""Patterns, paths into JSON, and the conditions of rules."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin.bodies.json_values import NOTHING
from hookbin.conditions.incoming import MAX_JSON, Incoming
from hookbin.conditions.matching import (
    MAX_TEXT,
    at,
    complaints,
    glob,
    json_path,
    matcher,
    path_glob,
)
from hookbin.models.answers import When
from hookbin.models.common import Headers


def incoming(
    method: str = "POST", path: str = "/", *, query: str = "", headers: Headers = (), body: bytes = b""
) -> Incoming:
    return Incoming(method=method, target=f"/b/joe{path}?{query}", headers=headers, body=body)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("push", "push", True),
        ("push", "Push", False),
        ("invoice.*", "invoice.paid", True),
        ("*.paid", "invoice.paid", True),
        ("?", "é", True),
        ("a*", "a\nb", True),
        (r"\*", "*", True),
        (r"\*", "x", False),
        (r"a\?", "a?", True),
        (r"\\", "\\", True),
        ("[a]", "[a]", True),
    ],
)
def test_a_pattern_matches_a_text(pattern: str, text: str, matches: bool) -> None:
    assert glob(pattern)(text) is matches


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_a_pattern_means_what_it_means_in_a_shell(pattern: str, text: str) -> None:
    assert glob(pattern)(text) is fnmatch.fnmatchcase(text, pattern)


@given(st.lists(st.sampled_from(["**", "*", "a", "?", "a*"]), max_size=6), st.lists(st.sampled_from(["a", "ab", ""])))
def test_a_pattern_for_a_path_means_what_its_segments_mean(pattern: list[str], path: list[str]) -> None:
    def fits(wanted: list[str], there: list[str]) -> bool:
        match wanted:
            case []:
                return not there
            case ["**", *rest]:
                return any(fits(rest, there[taken:]) for taken in range(len(there) + 1))
            case _:
                return bool(there) and fnmatch.fnmatchcase(there[0], wanted[0]) and fits(wanted[1:], there[1:])

    assert path_glob("/".join(["", *pattern]))("/".join(["", *path])) is fits(pattern, path)


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (path_glob("/**" + "/a" * 120 + "/b/**"), "/a" * (MAX_TEXT // 2)),
        (path_glob("/**" + "/*a" * 80 + "/b/**"), "/a" * (MAX_TEXT // 2)),
        (path_glob("/**/a" * 50 + "/b"), "/a" * (MAX_TEXT // 2)),
        (glob("*a" * 100 + "b"), "a" * MAX_TEXT),
        (glob("*" + "a" * 250 + "b*"), "a" * MAX_TEXT),
        (glob("*" + "?a" * 120 + "b*"), "a" * MAX_TEXT),
    ],
)
def test_a_hundred_patterns_full_of_stars_are_decided_at_once(match: Callable[[str], bool], text: str) -> None:
    """What is given back, or begun again at each place, takes text times pattern: eight seconds and more."""
    started = time.thread_time()
    assert not any(match(text) for _ in range(100))
    assert time.thread_time() - started < 3


def test_a_text_that_is_too_long_matches_nothing_but_a_star() -> None:
    assert glob("*")("a" * (MAX_TEXT + 1))
    assert not glob("a*")("a" * (MAX_TEXT + 1))


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/", "/", True),
        ("/orders", "/orders", True),
        ("/orders", "/orders/", False),
        ("/orders/*", "/orders/7", True),
        ("/orders/*", "/orders", False),
        ("/orders/*", "/orders/7/lines", False),
        ("/orders/**", "/orders", True),
        ("/orders/**", "/orders/7/lines", True),
        ("/**/lines", "/lines", True),
        ("/**/lines", "/orders/7/lines", True),
        ("/**/lines", "/orders/7/lines/1", False),
        ("/**/a/**/b", "/a/x/a/y/b", True),
        ("/v?/*.json", "/v2/x.json", True),
        ("/**", "/", True),
    ],
)
def test_a_pattern_matches_a_path(pattern: str, path: str, matches: bool) -> None:
    assert path_glob(pattern)(path) is matches


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("$.a.b", ("a", "b")),
        ("$", ()),
        ("", ()),
        ("[0]", (0,)),
        ("a[0][1].b", ("a", 0, 1, "b")),
        ('a["b.c"].d', ("a", "b.c", "d")),
        ("$['a']", None),
        ("a..b", None),
        ("a[", None),
        ("a[-1]", None),
        ("a b", None),
    ],
)
def test_a_path_into_json_is_read(path: str, parts: tuple[str | int, ...] | None) -> None:
    if parts is None:
        with pytest.raises(ValueError, match="can't be read"):
            json_path(path)
    else:
        assert json_path(path) == parts


@pytest.mark.parametrize(
    ("path", "found"),
    [("a.b", None), ("a.c", NOTHING), ("l[1]", 2), ("l[9]", NOTHING), ("l.a", NOTHING), ("a[0]", NOTHING)],
)
def test_what_is_not_there_is_not_null(path: str, found: Any) -> None:
    assert at({"a": {"b": None}, "l": [1, 2]}, json_path(path)) is found


@pytest.mark.parametrize(
    ("when", "request_", "matches"),
    [
        (When(), incoming(), True),
        (When(method="GET"), incoming("GET"), True),
        (When(method="GET"), incoming("POST"), False),
        (When(method="get"), incoming("GET"), True),
        (When(path="/a/*"), incoming(path="/a/b"), True),
        (When(header={"X-Event": "push"}), incoming(headers=(("x-event", "push"),)), True),
        (When(header={"x-event": "push"}), incoming(headers=(("x-event", "a"), ("x-event", "push"))), True),
        (When(header={"x-event": "*"}), incoming(), False),
        (When(query={"a": "1"}), incoming(query="a=2&a=1"), True),
        (When(query={"a": ""}), incoming(query="a"), True),
        (When(query={"a b": "é"}), incoming(query="a+b=%C3%A9"), True),
        (When(query={"a": "*"}), incoming(query="&".join("a" * 2000)), False),
        (When(json={"a": 1}), incoming(body=b'{"a": 1.0}'), True),
        (When(json={"a": 1}), incoming(body=b'{"a": true}'), False),
        (When(json={"a": True}), incoming(body=b'{"a": true}'), True),
        (When(json={"a": None}), incoming(body=b'{"a": null}'), True),
        (When(json={"a": None}), incoming(body=b"{}"), False),
        (When(json={"a": "*"}), incoming(body=b'{"a": {}}'), True),
        (When(json={"a": "x*"}), incoming(body=b'{"a": "xy"}'), True),
        (When(json={"a": "1"}), incoming(body=b'{"a": 1}'), False),
        (When(json={"a": "*"}), incoming(body=b"no json"), False),
        (When(json={"a": "*"}), incoming(body=b"[" * 100_000), False),
        (When(json={"a": "*"}), incoming(body=b'{"a": 1}' + b" " * MAX_JSON), False),
        (When(method="GET", query={"a": "1"}), incoming("GET", query="a=2"), False),
    ],
)
def test_a_condition_holds_in_every_point(when: When, request_: Incoming, matches: bool) -> None:
    assert matcher(when)(request_) is matches


@pytest.mark.parametrize(
    ("when", "loc"),
    [
        (When(method="GE T"), "method"),
        (When(method=""), "method"),
        (When(path="orders"), "path"),
        (When(path="/a**"), "path"),
        (When(path="/a\\"), "path"),
        (When(header={"a b": "1"}), "header.a b"),
        (When(header={"a": "\\"}), "header.a"),
        (When(query={"a": "\\"}), "query.a"),
        (When(form={"a": "\\"}), "form.a"),
        (When(json={"a[": 1}), "json.a["),
        (When(json={"a": "\\"}), "json.a"),
    ],
)
def test_a_condition_that_can_not_be_used_is_named(when: When, loc: str) -> None:
    assert [place for place, _ in complaints(when)] == [loc]


def test_a_header_with_odd_characters_is_not_sent_back() -> None:
    assert incoming(headers=(("origin", "a\x01b"),)).echoable("origin") is None
    assert incoming(headers=(("origin", "a"), ("origin", "b"))).echoable("origin") == "a, b"
    assert incoming().echoable("origin") is None


# Bodies, as a page shows them

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
PARTS = (("Content-Type", "multipart/form-data; boundary=x"),)
PLEX = b'--x\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{"event":"media.play"}\r\n--x--'


@pytest.mark.parametrize(
    ("when", "request_"),
    [
        (When(form={"a": "x y", "b": "*"}), incoming(headers=FORM, body=b"a=1&a=x+y&b=")),
        (When(form={"payload": "*media.play*"}), incoming(headers=PARTS, body=PLEX)),
        (When(query={"n": "Jörg"}), incoming(query="n=J%F6rg")),
        (When(query={"n": "Jörg"}), incoming(query="n=J\xc3\xb6rg")),
        (When(path="/Jörg"), incoming(path="/J%C3%B6rg")),
        (When(path="/Jörg"), incoming(path="/J%F6rg")),
        (When(header={"x-a": "Jörg"}), incoming(headers=(("X-A", "J\xc3\xb6rg"),))),
        (When(header={"x-a": "Jörg"}), incoming(headers=(("X-A", "J\xf6rg"),))),
    ],
)
def test_a_condition_sees_what_a_page_shows(when: When, request_: Incoming) -> None:
    assert matcher(when)(request_)
