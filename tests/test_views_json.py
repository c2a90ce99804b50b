"""JSON as a view: every token as it was sent, or the place where it breaks."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbin.bodies import limits
from hookbin.bodies.budget import Budget
from hookbin.bodies.json_text import Layout, lay_out
from tests.views_helpers import names, view

JSON = "application/json"


def laid_out(text: str, *, most: int = 1_000_000, whole: bool = True) -> Layout:
    return lay_out(text, budget=Budget(time.monotonic, 20), most=most, whole=whole)


def test_order_big_numbers_and_repeated_keys_stay_as_they_were_sent() -> None:
    body = b'{"b":1.00,"a":1E2,"a":-0,"big":123456789012345678901234567890,"t":"\\u00e9\\/"}'
    found = view("json", body, JSON)
    assert found.text == (
        '{\n  "b": 1.00,\n  "a": 1E2,\n  "a": -0,\n  "big": 123456789012345678901234567890,\n  "t": "\\u00e9\\/"\n}'
    )
    assert (found.broken, found.notice, found.truncated) == (None, None, False)


def test_empty_brackets_stay_together_and_nested_ones_are_indented() -> None:
    assert laid_out('[ [], {} ,[1,{"a":[]}]]').text == (
        '[\n  [],\n  {},\n  [\n    1,\n    {\n      "a": []\n    }\n  ]\n]'
    )


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@settings(deadline=None)
@given(tree=TREES, indent=st.none() | st.integers(0, 3), ascii=st.booleans())
def test_any_json_says_the_same_after_it_was_laid_out(tree: Any, indent: int | None, ascii: bool) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=ascii)
    layout = laid_out(text)
    assert layout.broken is None
    assert layout.read == len(text)
    assert tokens(layout.text) == tokens(text)
    assert json.loads(layout.text) == tree


def tokens(text: str) -> list[str]:
    return re.findall(r'"(?:[^"\\]|\\.)*"|[][{}:,]|[^][{}:,\s"]+', text)


@settings(deadline=None, max_examples=300)
@given(text=st.text(st.sampled_from('[]{}:,"\\ 0123.e-+truefalsn\n'), max_size=30) | st.text(max_size=20))
def test_the_reader_agrees_with_python_on_what_is_json(text: str) -> None:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
        valid = text[:1] != "\ufeff"
    except ValueError:
        valid = False
    assert (laid_out(text).broken is None) is valid


@pytest.mark.parametrize(
    ("body", "line", "column", "offset", "message"),
    [
        (b'{"a": 1,}', 1, 9, 8, "a comma before `}`; JSON has no trailing commas"),
        (b'{\n  "\xc3\xa9": 1\n  "b": 2}', 3, 3, 14, "`,` or `}` should stand here"),
        (b"{'a': 1}", 1, 2, 1, "single quotes; JSON has double quotes only"),
        (b"[1, // one\n2]", 1, 5, 4, "a comment; JSON has none"),
        (b"[NaN]", 1, 2, 1, "`NaN` is not JSON"),
        (b'["a\nb"]', 1, 2, 1, "this string has the control character U+000A, 2 characters further on"),
        (b'["\\x"]', 1, 2, 1, "this string has an escape that JSON does not know, 1 characters further on"),
        (b'["abc', 1, 2, 1, "this string does not end"),
        (b'{"a": [1, 2', 1, 12, 11, "it ends too early; 2 brackets are still open"),
        (b"[1] 2", 1, 5, 4, "nothing may follow the value"),
        (b"[01]", 1, 2, 1, "a value or `]` should stand here"),
        (b'{"a" 1}', 1, 6, 5, "`:` should stand here"),
        (b"{1: 2}", 1, 2, 1, "a name in double quotes or `}` should stand here"),
    ],
)
def test_the_place_of_an_error_is_said(body: bytes, line: int, column: int, offset: int, message: str) -> None:
    found = view("json", body, JSON)
    assert found.broken is not None
    assert (found.broken.line, found.broken.column, found.broken.offset) == (line, column, offset)
    assert found.broken.message == message
    assert found.text == body.decode(), "as it came"
    assert (found.broken.before + found.broken.after) in body.decode()


def test_the_byte_of_an_error_counts_the_byte_order_mark_and_wide_characters() -> None:
    found = view("json", "\ufeff[1 2]".encode("utf-16-le"), JSON)
    assert found.broken is not None
    assert (found.broken.column, found.broken.offset) == (4, 2 + 6)


def test_json_is_recognised_whatever_it_is_called() -> None:
    assert names(b'{"a": 1}', "application/x-www-form-urlencoded")[0] == "json", "curl --data sends it so"
    assert names(b"[1]")[0] == "json"
    assert names(b'"a"', "application/cloudevents-batch+json")[0] == "json"
    assert names(b"[Unit]\nName=x", "text/plain")[0] == "text"
    assert "json" not in names(b"hello")


def test_a_long_string_at_the_end_of_what_is_read_is_no_error() -> None:
    body = b'{"data": "' + b"a\\n" * limits.LOOKED_AT + b'"}'
    found = view("json", body, JSON)
    assert found.broken is None
    assert found.text is not None
    assert found.text.startswith('{\n  "data": "a\\na')
    assert len(found.text) == limits.SHOWN
    assert found.truncated


def test_a_body_whose_end_was_not_kept_is_no_broken_json() -> None:
    assert laid_out('{"a": [1, 2, tr', whole=False).broken is None
    assert laid_out('{"a": [1 2', whole=False).broken is not None


def test_json_lines_are_laid_out_each_by_itself() -> None:
    found = view("ndjson", b'{"a":1}\n\n[2,3]\n{"b"}\n', "application/x-ndjson")
    assert found.text == '{\n  "a": 1\n}\n\n[\n  2,\n  3\n]\n\n{"b"}'
    assert found.broken is not None
    assert (found.broken.line, found.broken.column) == (4, 5)
    assert names(b'{"a":1}\n{"a":2}\n')[0] == "ndjson"
    assert "ndjson" not in names(b'{\n"a":1\n}\n')
