"""Two requests side by side: what differs, found in bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hookbin.shapes.request_diff import difference
from tests.builders import a_bin, a_request
from tests.support import Server
from tests.wire import check_problem


def diff(server: Server, bin: str, left: bytes, right: bytes, **options: Any) -> Any:
    for body in (left, right):
        server.request("POST", f"/b/{bin}", content=body, **options)
    one, other = server.captured(bin)
    return server.get(f"/requests/{one['id']}/diff/{other['id']}")


def test_json_is_compared_by_its_structure_and_numbers_as_written(server: Server) -> None:
    found = diff(
        server, "json", b'{"a": 1, "b": [1, 2], "c": {"d": 1}}', b'{"c": {"d": 1.0}, "b": [1], "e": null, "a": 1}'
    )

    assert found["identical"] is False
    assert found["body"]["kind"] == "json"
    changes = [(each["path"], each["change"], each["left"], each["right"]) for each in found["body"]["json"]]
    assert changes == [
        ("$.b[1]", "removed", "2", None),
        ("$.c.d", "changed", "1", "1.0"),
        ("$.e", "added", None, "null"),
    ]


def test_text_is_compared_by_lines(server: Server) -> None:
    found = diff(server, "text", b"one\ntwo\nthree", b"one\n2\nthree")

    assert found["body"]["text"] == [" one", "-two", "+2", " three"]
    assert found["body"]["first_difference"] == 4


def test_bytes_are_compared_by_the_first_that_differs(server: Server) -> None:
    found = diff(server, "binary", b"\xff\0a", b"\xff\0ab")

    assert (found["body"]["kind"], found["body"]["first_difference"]) == ("bytes", 3)
    assert (found["body"]["left_size"], found["body"]["right_size"]) == (3, 4)


def test_headers_and_query_are_compared_by_name(server: Server) -> None:
    for query, value in (("a=1&b=2", "1"), ("a=1&c=3", "2")):
        server.request("POST", f"/b/fields?{query}", headers={"X-A": value})
    one, other = server.captured("fields")

    found = server.get(f"/requests/{one['id']}/diff/{other['id']}")

    assert found["headers"] == [{"name": "x-a", "left": ["1"], "right": ["2"]}]
    assert found["query"] == [{"name": "b", "left": ["2"], "right": []}, {"name": "c", "left": [], "right": ["3"]}]
    assert found["body"]["kind"] == "same"


def test_a_request_is_identical_with_itself(server: Server) -> None:
    server.request("POST", "/b/itself", content=b"x")
    (one,) = server.captured("itself")

    assert server.get(f"/requests/{one['id']}/diff/{one['id']}")["identical"] is True
    response = server.request("GET", f"/requests/{one['id']}/diff/req_nothing")
    check_problem(response, 404, "request_not_found")


MANY = tuple(("x-a", str(number)) for number in range(16_000))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"body": b"[" * 100_000 + b"]" * 100_000}, {"body": b"[" * 99_999 + b"]" * 99_999}),
        ({"body": b"a\nb\n" * 50_000}, {"body": b"b\na\n" * 50_000}),
        ({"body": b"a\n" * 290 + b"b"}, {"body": b"a\n" * 150 + b"c\n" * 140}),
        ({"body": b"x" * 5_000_000}, {"body": b"x" * 5_000_000 + b"y"}),
        ({"body": b"[" + b"1," * 100_000 + b"1]"}, {"body": b"[" + b"2," * 100_000 + b"2]"}),
        ({"headers": MANY}, {"headers": MANY[::-1]}),
        ({"headers": MANY}, {"headers": tuple((name, f"other {value}") for name, value in MANY)}),
    ],
    ids=["deep", "lines", "equal-lines", "large", "wide", "order-of-headers", "headers"],
)
def test_hostile_requests_are_compared_within_a_second_of_work(left: Any, right: Any) -> None:
    one, other = a_request(a_bin(), **left, seq=1), a_request(a_bin(), **right, seq=2)
    begun = time.thread_time()

    found = difference(one, other)

    assert time.thread_time() - begun < 1
    assert not found.identical
