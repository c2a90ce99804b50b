"""Sent compared with received: headers, order, the first byte that differs, and the words where an end is missing."""

from __future__ import annotations

from typing import Any

import pytest

from hookbin.delivery.headers import MASK
from hookbin.models.common import Headers
from hookbin.models.deliveries import Attempt, ErrorClass
from hookbin.shapes.comparison import Comparison
from hookbin.web.html.sent_vs_received import (
    compare,
    first_difference,
    header_words,
    of_captured,
    of_uncaptured,
    of_unrecorded,
    target_of,
)
from tests.builders import a_bin, a_delivery, a_request, a_webhook, an_attempt, an_event

WEBHOOK = a_webhook(destination="http://localhost:1/b/joe?q=1")
DELIVERY = a_delivery(an_event(), WEBHOOK)


def attempt(**changes: Any) -> Attempt:
    return an_attempt(DELIVERY, seq=2, **changes)


def compared(
    sent: Headers = (), received: Headers = (), *, body: bytes = b"hello", arrived: bytes = b"hello"
) -> Comparison:
    return compare(attempt(request_headers=sent), a_request(a_bin(), headers=received, body=arrived, seq=3), sent=body)


def marks(found: Comparison) -> list[tuple[str, str]]:
    return [(line.name, line.mark) for line in found.headers]


def test_each_header_stands_beside_the_one_that_arrived() -> None:
    found = compared((("a", "1"), ("b", "2"), ("c", "3")), (("a", "1"), ("b", "x"), ("via", "proxy")))
    assert marks(found) == [("a", "same"), ("b", "changed"), ("c", "missing"), ("via", "added")]
    assert not found.same_head
    assert header_words(found) == ("1 header arrived as it was sent, in their order; 1 added, 1 changed, 1 missing.")


def test_repeated_headers_are_matched_by_their_values() -> None:
    found = compared((("a", "1"), ("a", "2")), (("a", "2"), ("a", "1")))
    assert marks(found) == [("a", "same"), ("a", "same")]
    assert not found.in_order
    assert "in another order" in header_words(found)


def test_a_name_in_another_case_is_a_change() -> None:
    found = compared((("x-a", "1"),), (("X-A", "1"),))
    assert marks(found) == [("x-a", "changed")]
    assert found.headers[0].right_name == "X-A"


def test_a_credential_that_the_log_does_not_hold_is_not_called_changed() -> None:
    assert marks(compared((("authorization", MASK),), (("authorization", "Bearer x"),))) == [("authorization", "same")]


@pytest.mark.parametrize(
    ("sent", "received", "expected"),
    [
        (b"hello", b"hello", None),
        (b"hello", b"help", (3, "lo", "p")),
        (b"hello", b"", (0, "hello", "")),
        (b"", b"x", (0, "", "x")),
        (b"x" * 200_000, b"x" * 200_000 + b"y", (200_000, "", "y")),
        (b"x" * 65_536 + b"ab", b"x" * 65_536 + b"\x00b", (65_536, "ab", "\\x00b")),
    ],
)
def test_the_first_byte_that_differs_is_found(
    sent: bytes, received: bytes, expected: tuple[int, str, str] | None
) -> None:
    found = first_difference(compared(body=sent, arrived=received), sent=sent, received=received)
    assert (None if found is None else (found.offset, found.sent, found.received)) == expected


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://localhost:1/b/joe?q=1", "/b/joe?q=1"),
        ("http://localhost:1", "/"),
        ("http://localhost:1?q=/", "/?q=/"),
        ("https://a/b#c", "/b"),
    ],
)
def test_the_target_of_a_url(url: str, target: str) -> None:
    assert target_of(url) == target


def test_method_and_target_are_compared_too() -> None:
    assert compared().same_line
    assert not compare(attempt(), a_request(a_bin(), method="PUT", seq=3), sent=b"hello").same_line


def test_an_attempt_that_both_ends_know_alike_needs_no_words() -> None:
    assert of_captured(attempt(), [a_request(a_bin(), seq=3)]) == []


def test_an_answer_that_another_one_came_back_for_is_said() -> None:
    (said,) = of_captured(attempt(status=502), [a_request(a_bin(), seq=3)])
    assert said.text == "The bin says that it answered 200; 502 came back."


def test_a_lost_answer_and_a_repeat_are_said_together() -> None:
    lost = attempt(status=None, error=ErrorClass.CONNECTION_RESET)
    repeat, answer = of_captured(lost, [a_request(a_bin(), seq=3), a_request(a_bin(), seq=4)])
    assert "captured this attempt 2 times" in repeat.text
    assert answer.text.endswith("the connection broke off. The bin had 200 to answer.")


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"status": None, "error": ErrorClass.CONNECTION_REFUSED}, "joe", "it never arrived there."),
        ({"status": None, "error": ErrorClass.TIMEOUT}, "joe", "it never arrived there whole, or is gone since."),
        ({"status": 404}, None, "there was none"),
        ({"status": 200}, None, "it is deleted"),
        ({"status": 507}, "joe", "turned away before it was kept"),
        ({"status": 200}, "joe", "answered it, but holds it no longer"),
    ],
)
def test_a_bin_that_holds_nothing_of_it_is_said(changes: dict[str, Any], name: str | None, words: str) -> None:
    assert words in of_uncaptured(attempt(**changes), bin_name=name).text


def test_an_attempt_that_is_not_recorded_is_under_way_or_was_lost_in_a_crash() -> None:
    assert "is under way" in of_unrecorded(1, captures=1, under_way=True, pending=True).text
    assert "It is sent again under the same ids." in of_unrecorded(1, captures=1, under_way=False, pending=True).text
    assert "Nothing more is planned" in of_unrecorded(1, captures=2, under_way=False, pending=False).text
