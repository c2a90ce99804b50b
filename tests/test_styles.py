"""Signature headers: each style checked by the provider's own library or its published example."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import pytest
import stripe

from hookbin.clock import Ids
from hookbin.models.webhooks import SignatureStyle
from hookbin.signatures.styles import Message, signature_headers
from tests.builders import SECRET
from tests.support import FakeClock

BODIES = [b"", b'{"a": 1.0}', "é€😀".encode(), bytes(range(256))]
MESSAGE = Message(id=Ids(FakeClock()).event(), type="push", timestamp=1_790_000_000, body=b"{}")


def headers(style: SignatureStyle, *secrets: str, body: bytes = b"{}") -> dict[str, str]:
    message = Message(id=MESSAGE.id, type=MESSAGE.type, timestamp=MESSAGE.timestamp, body=body)
    return dict(signature_headers(style, secrets, message))


@pytest.mark.parametrize("style", list(SignatureStyle))
def test_the_id_and_the_time_are_always_sent(style: SignatureStyle) -> None:
    sent = headers(style, SECRET)

    assert (sent["webhook-id"], sent["webhook-timestamp"]) == (MESSAGE.id, "1790000000")


def test_github_s_published_example_comes_out() -> None:
    """GitHub Docs, "Validating webhook deliveries", "Testing the webhook payload validation"."""
    sent = headers(SignatureStyle.GITHUB, "It's a Secret to Everybody", body=b"Hello, World!")

    assert sent["x-hub-signature-256"] == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


@pytest.mark.parametrize("body", BODIES)
def test_github_s_headers_are_the_event_a_guid_and_the_signature_of_the_body(body: bytes) -> None:
    sent = headers(SignatureStyle.GITHUB, "a secret", "an old one", body=body)

    assert sent["x-github-event"] == "push"
    assert UUID(sent["x-github-delivery"]).version == 7
    expected = hmac.new(b"a secret", body, hashlib.sha256).hexdigest()
    assert sent["x-hub-signature-256"] == f"sha256={expected}"
    assert "webhook-signature" not in sent


@pytest.mark.parametrize("secrets", [("whsec_test_secret",), ("new_secret_1", "old_secret_1", "older_secret")])
@pytest.mark.parametrize("body", BODIES[:3])
def test_stripe_s_library_accepts_every_secret_that_signs(secrets: tuple[str, ...], body: bytes) -> None:
    sent = headers(SignatureStyle.STRIPE, *secrets, body=body)["stripe-signature"]

    for secret in secrets:
        assert stripe.WebhookSignature.verify_header(body.decode(), sent, secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode(), sent, "another_secret")


def test_no_style_signs_nothing() -> None:
    assert headers(SignatureStyle.NONE, SECRET).keys() == {"webhook-id", "webhook-timestamp"}
