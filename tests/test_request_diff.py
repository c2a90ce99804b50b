"""Two requests side by side: what differs, found in bounded time."""

from __future__ import annotations

import time
from gzip import compress
from typing import Any

import pytest

from hookbin.models.common import Headers
from hookbin.shapes.differences import BodyDifference, JsonDifference
from hookbin.shapes.request_diff import difference
from tests.builders import a_bin, a_request
from tests.support import Server
from tests.wire import check_problem


def test_json_is_compared_by_its_structure_and_numbers_as_written(server: Server) -> None:
    for body in (b'{"a": 1, "b": [1, 2], "c": {"d": 1}}', b'{"c": {"d": 1.0}, "b": [1], "e": null, "a": 1}'):
        server.call("POST", "/b/json", body)
    one, other = server.captured("json")

    found = server.get(f"/requests/{one['id']}/diff/{other['id']}")

    assert found["identical"] is False
    assert found["body"]["kind"] == "json"
    changes = [(each["path"], each["change"], each["left"], each["right"]) for each in found["body"]["json"]]
    assert changes == [
        ("$.b[1]", "removed", "2", None),
        ("$.c.d", "changed", "1", "1.0"),
        ("$.e", "added", None, "null"),
    ]


def two(left: bytes, right: bytes, first: Headers = (), second: Headers = ()) -> BodyDifference:
    """What differs between two bodies with their headers."""
    return difference(a_request(a_bin(), body=left, headers=first), a_request(a_bin(), body=right, headers=second)).body


JSON = (("content-type", "application/json"),)
GZIP = (*JSON, ("content-encoding", "gzip"))
LATIN = (("content-type", "application/json; charset=iso-8859-1"),)
PAID, VOID = '{"type":"paid","n":"ö"}', '{"type":"void","n":"ö"}'


@pytest.mark.parametrize(
    ("left", "right", "headers"),
    [
        (PAID.encode("utf-8-sig"), VOID.encode("utf-8-sig"), JSON),
        (PAID.encode("utf-16"), VOID.encode("utf-16-le"), JSON),
        (PAID.encode("latin-1"), VOID.encode("latin-1"), LATIN),
        (compress(PAID.encode()), compress(VOID.encode()), GZIP),
        (PAID.encode(), compress(VOID.encode()), JSON),
    ],
    ids=["bom", "utf-16", "latin-1", "gzip", "one-gzip"],
)
def test_what_both_pages_show_as_json_is_compared_as_json(left: bytes, right: bytes, headers: Headers) -> None:
    found = two(left, right, headers, headers)
    assert found.kind == "json"
    assert found.json == [JsonDifference(path="$.type", change="changed", left='"paid"', right='"void"')]


@pytest.mark.parametrize(
    ("left", "right", "changes"),
    [
        (b'{"a":1,"a":9}', b'{"a":2,"a":9}', [("$.a", "1", "2")]),
        (b'{"a":1,"a":9}', b'{"a":1}', [("$.a (again, 2)", "9", None)]),
        (b'{"a":1}', b'{"a":1.0}', [("$.a", "1", "1.0")]),
        (b"[1e400]", b"[1e401]", [("$[0]", "1e400", "1e401")]),
        (b'{"a":1}\n{"a":2}', b'{"a":1}\n{"a":3}', [("$[1].a", "2", "3")]),
    ],
)
def test_repeated_keys_and_spellings_of_numbers_differ(left: bytes, right: bytes, changes: list[Any]) -> None:
    found = two(left, right)
    assert [(one.path, one.left, one.right) for one in found.json or []] == changes


@pytest.mark.parametrize(
    ("left", "right", "headers", "kind", "notice"),
    [
        (
            b"a",
            compress(b"a", mtime=0),
            ((), GZIP),
            "bytes",
            "What was unpacked is the same; the bytes that came differ.",
        ),
        ("ö".encode("utf-16"), "ö".encode(), ((), ()), "text", "The text is the same; the bytes differ."),
        (b"\xc3\xb6", b"\xf6", ((), LATIN), "text", "The first was read as utf-8, the second as windows-1252."),
        (
            b'{"a":1, "b":2}',
            b'{"b":2,"a":1}',
            ((), ()),
            "json",
            "The values are the same JSON; it is written otherwise.",
        ),
        (b"[" * 200 + b"]" * 200, b"[" * 200 + b"1" + b"]" * 200, ((), ()), "text", "nested too deeply"),
    ],
)
def test_what_reads_alike_is_not_called_the_same(
    left: bytes, right: bytes, headers: tuple[Headers, Headers], kind: str, notice: str
) -> None:
    found = two(left, right, *headers)
    assert (found.identical, found.kind) == (False, kind)
    assert notice in (found.notice or "")


def test_forms_are_compared_by_their_fields() -> None:
    form = (("content-type", "application/x-www-form-urlencoded"),)
    assert two(b"a=1&b=x+y&a=2", b"a=1&b=x%20z&a=2", form, form).text == [" a=1", "-b=x y", "+b=x z", " a=2"]
    assert two(b'{"a":1}', b'{"a":2}', form, form).kind == "json"
    alike = two(b"a=x+y", b"a=x%20y", form, form)
    assert (alike.identical, alike.text) == (False, [])
    assert "The fields are the same; they are written otherwise." in (alike.notice or "")


def test_what_is_left_out_is_not_called_identical() -> None:
    one, cut = a_request(a_bin()), a_request(a_bin(), truncated=True)
    assert "may differ" in (difference(one, cut).body.notice or "")
    other = a_request(a_bin(), headers=(one.headers[1], one.headers[0], one.headers[2]))
    assert [difference(one, each).identical for each in (one, cut, other)] == [True, False, False]
    assert (difference(one, one).reordered, difference(one, other).reordered) == (False, True)
    found = difference(one, a_request(a_bin(), trailers=(("X-Sum", "1"),)))
    assert (found.identical, [line.name for line in found.trailers]) == (False, ["x-sum"])


def test_a_query_in_another_charset_differs() -> None:
    found = difference(a_request(a_bin(), target="/b/joe?n=%F6"), a_request(a_bin(), target="/b/joe?n=%E4"))
    assert [(line.left, line.right) for line in found.query] == [(["ö"], ["ä"])]


def test_text_is_compared_by_lines_and_bytes_by_the_first_that_differs() -> None:
    text, binary = two(b"one\ntwo\nthree", b"one\n2\nthree"), two(b"\xff\0a", b"\xff\0ab")

    assert (text.text, text.first_difference) == ([" one", "-two", "+2", " three"], 4)
    assert (binary.kind, binary.first_difference, binary.left_size, binary.right_size) == ("bytes", 3, 3, 4)


def test_headers_and_query_are_compared_by_name() -> None:
    one = a_request(a_bin(), target="/b/joe?a=1&b=2", headers=(("X-A", "1"),))
    found = difference(one, a_request(a_bin(), target="/b/joe?a=1&c=3", headers=(("x-a", "2"),)))

    assert [(line.name, line.left, line.right) for line in found.headers] == [("x-a", ["1"], ["2"])]
    assert [(line.name, line.left, line.right) for line in found.query] == [("b", ["2"], []), ("c", [], ["3"])]
    assert found.body.kind == "same"


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
