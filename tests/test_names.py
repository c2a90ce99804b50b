"""Which names, types and keys are taken, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin import names
from hookbin.errors import FieldsInvalid


@pytest.mark.parametrize("name", ["a", "7", "a-b", "a--", "0" * 63])
def test_a_bin_name_is_lower_case_letters_digits_and_dashes(name: str) -> None:
    assert names.check_bin_name(name) == name
    assert names.is_bin_name(name)


@pytest.mark.parametrize("name", ["", "-", "-a", "A", "a.b", "a_b", "a b", "a/b", "0" * 64, "a\n", "é", "٣", "ａ"])
def test_nothing_else_is_a_bin_name(name: str) -> None:
    assert not names.is_bin_name(name)
    with pytest.raises(FieldsInvalid) as caught:
        names.check_bin_name(name)
    assert caught.value.errors[0][0] == "name"


@given(st.text(max_size=70))
def test_a_bin_name_never_needs_escaping_in_a_url(name: str) -> None:
    if names.is_bin_name(name):
        assert name.isascii()
        assert name.replace("-", "").isalnum()
        assert name == name.lower()


@pytest.mark.parametrize("name", ["x", "My webhook", "日本", "a" * 100, "a/b?c=<d>"])
def test_a_webhook_s_name_is_any_text_that_can_be_printed(name: str) -> None:
    assert names.check_webhook_name(name) == name


@pytest.mark.parametrize("name", ["", " ", " a", "a ", "a\tb", "a\0", "a\u202eb", "a\u2028b", "\ud800", "a" * 101])
def test_a_webhook_s_name_holds_nothing_that_can_not_be_seen(name: str) -> None:
    with pytest.raises(FieldsInvalid):
        names.check_webhook_name(name)


@pytest.mark.parametrize("type", ["user.created", "a", "A_1", "com.example:v2/x-y", "_private", "0" * 128])
def test_an_event_type_is_a_dotted_word(type: str) -> None:
    assert names.check_event_type(type) == type


@pytest.mark.parametrize("type", ["", ".a", "-a", "a b", "a*", "a\n", "é", "a,b", "0" * 129])
def test_nothing_else_is_an_event_type(type: str) -> None:
    with pytest.raises(FieldsInvalid):
        names.check_event_type(type)


def test_patterns_may_hold_stars_and_lose_their_repeats() -> None:
    assert names.check_event_patterns(["user.*", "*", "user.*"]) == ("user.*", "*")


@pytest.mark.parametrize("pattern", ["", "a b", "a?", "[ab]", "a\n", "*" * 129])
def test_a_pattern_that_is_none_is_named_by_its_place(pattern: str) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        names.check_event_patterns(["ok", pattern])
    assert caught.value.errors[0][0] == "events[1]"


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (names.check_idempotency_key, "k" * 256),
        (names.check_idempotency_key, ""),
        (names.check_idempotency_key, "a b"),
        (names.check_idempotency_key, "é"),
        (names.check_content_type, "text"),
    ],
)
def test_a_header_that_is_wrong_is_named_as_it_is_sent(check: Callable[[Any], Any], value: str) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        check(value)
    assert caught.value.errors[0][0] in ("Idempotency-Key", "Content-Type")


def test_no_key_is_no_complaint() -> None:
    assert names.check_idempotency_key(None) is None
