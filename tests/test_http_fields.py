"""Which fields can stand in a message, by the words of RFC 9110."""

from __future__ import annotations

import pytest

from hookbin import http_fields
from hookbin.http_fields import ASCII, LATIN_1, MAX_NAME, MAX_VALUE


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("a", True),
        ("X-9_.~!#$%&'*+^`|", True),
        ("", False),
        ("a b", False),
        ("a:", False),
        ("a\r", False),
        ("a\n", False),
        ("é", False),
        *((delimiter, False) for delimiter in '"(),/:;<=>?@[\\]{}'),
    ],
)
def test_a_token_has_no_delimiter(text: str, token: bool) -> None:
    assert http_fields.is_token(text) is token
    assert http_fields.is_name(text) is token


def test_a_name_of_an_owner_s_has_a_bound() -> None:
    assert http_fields.is_name("a" * MAX_NAME)
    assert not http_fields.is_name("a" * (MAX_NAME + 1))
    assert http_fields.is_token("a" * (MAX_NAME + 1))


@pytest.mark.parametrize(
    ("value", "charsets"),
    [
        ("", {ASCII, LATIN_1}),
        ("a\tb", {ASCII, LATIN_1}),
        ("a" * MAX_VALUE, {ASCII, LATIN_1}),
        ("é", {LATIN_1}),
        ("☃", set()),
        ("a\r\nb: c", set()),
        ("a\nb", set()),
        ("a\0b", set()),
        ("a\x7f", set()),
        (" a", set()),
        ("a\t", set()),
        ("\xa0a", set()),
        ("a" * (MAX_VALUE + 1), set()),
    ],
)
def test_a_value_is_one_line_without_space_around_it(value: str, charsets: set[str]) -> None:
    found = {name for name in (ASCII, LATIN_1) if http_fields.complaint("x", value, reserved={}, charset=name) is None}

    assert found == charsets


def test_a_reserved_name_is_one_in_any_case_and_says_whose_it_is() -> None:
    reserved = {"host": "is that of the destination"}

    said = http_fields.complaint("HOST", "x", reserved=reserved, charset=ASCII)
    assert said == "host can't be set: it is that of the destination"
    assert http_fields.complaint("hosts", "x", reserved=reserved, charset=ASCII) is None


@pytest.mark.parametrize("end", ["\r", "\n", "\0"])
def test_what_would_end_a_line_does_not_go_out_again(end: str) -> None:
    assert http_fields.keeps_its_line("a\x01\x7f\xff")
    assert not http_fields.keeps_its_line(f"a{end}b")
