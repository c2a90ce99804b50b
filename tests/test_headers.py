"""Headers of an owner's own: which may be sent, and how those that are secrets are shown."""

from __future__ import annotations

import pytest

from hookbin.delivery.headers import MASK, MAX_BYTES, MAX_HEADERS, check_headers, is_secret, masked, unmasked
from hookbin.errors import FieldsInvalid


def test_headers_are_taken_as_they_are_with_order_case_and_duplicates() -> None:
    headers = [("X-B", "1"), ("x-a", ""), ("X-b", "2"), ("User-Agent", "mine/1"), ("Accept", "a, b")]

    assert check_headers(headers) == tuple(headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "x"),
        ("content-length", "1"),
        ("Content-Type", "text/plain"),
        ("CONNECTION", "close"),
        ("transfer-encoding", "chunked"),
        ("Proxy-Authorization", "Basic x"),
        ("expect", "100-continue"),
        ("webhook-id", "1"),
        ("Webhook-Signature", "v1,x"),
        ("hookbin-attempt-id", "att_1"),
        ("X-Hub-Signature-256", "sha256=x"),
        ("x-github-event", "push"),
        ("Stripe-Signature", "t=1"),
        ("a b", "x"),
        ("x", "é"),
    ],
)
def test_a_header_that_can_t_be_sent_or_is_not_the_owner_s_is_named(name: str, value: str) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        check_headers([("x-ok", "1"), (name, value)])

    ((loc, message),) = caught.value.errors
    assert loc == "headers[1]"
    assert not value or len(value) < 3 or value not in message


def test_there_is_a_bound_to_how_many_and_how_much() -> None:
    with pytest.raises(FieldsInvalid, match=f"at most {MAX_HEADERS}"):
        check_headers([("x", "1")] * (MAX_HEADERS + 1))
    with pytest.raises(FieldsInvalid, match=f"at most {MAX_BYTES:,}"):
        check_headers([("x", "a" * 8000)] * 3)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Authorization", True),
        ("cookie", True),
        ("X-API-Key", True),
        ("apikey", True),
        ("X-Auth-Token", True),
        ("x-amz-security-token", True),
        ("Ocp-Apim-Subscription-Key", True),
        ("X_Client_Secret", True),
        ("x-password", True),
        ("idempotency-key", False),
        ("x-monkey", False),
        ("x-author", False),
        ("x-tokenizer", False),
        ("webhook-id", False),
        ("host", False),
    ],
)
def test_headers_that_hold_credentials_are_known_by_their_names(name: str, secret: bool) -> None:
    assert is_secret(name) is secret


def test_a_secret_is_masked_and_the_mask_sent_back_stands_for_it() -> None:
    headers = (("Authorization", "Bearer 1"), ("x-a", "b"), ("X-Key", "one"), ("x-key", "two"), ("x-token", ""))

    shown = masked(headers)

    assert shown == (("Authorization", MASK), ("x-a", "b"), ("X-Key", MASK), ("x-key", MASK), ("x-token", ""))
    assert unmasked(shown, known=headers) == headers
    assert unmasked((("x-key", "new"), ("AUTHORIZATION", MASK)), known=headers) == (
        ("x-key", "new"),
        ("AUTHORIZATION", "Bearer 1"),
    )


def test_a_mask_that_stands_for_nothing_is_refused() -> None:
    with pytest.raises(FieldsInvalid) as caught:
        unmasked((("x-a", MASK), ("x-key", MASK), ("x-key", MASK)), known=(("x-key", "one"),))

    assert caught.value.errors[0][0] == "headers[2]"
