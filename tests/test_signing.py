"""Signing, judged by the providers' own libraries or their published examples; and the secrets that sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import subprocess
import sys
import time
from uuid import UUID

import pytest
import standardwebhooks
import stripe
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric import ed25519

from hookbin import errors
from hookbin.clock import Ids
from hookbin.models.webhooks import NO_SIGNATURE
from hookbin.signatures.scheme import Message
from hookbin.signatures.secrets import hint, make_secret, parse_secret, public_key
from hookbin.signatures.styles import STYLES, check_secret, signature_headers
from tests.support import ROOT, FakeClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ID = Ids(FakeClock()).event()
NOW = 1_764_000_000
TEXTS = [b'{"type": "user.created"}', b"", "naïve ☃ 💥".encode(), b"\x00\x01\r\n\x7f\n"]


def sent(style: str, *secrets: str, body: bytes = b"hello", id: str = ID, timestamp: int = NOW) -> dict[str, str]:
    return dict(signature_headers(style, secrets, Message(id=id, type="push", timestamp=timestamp, body=body)))


@pytest.mark.parametrize("style", [*STYLES, NO_SIGNATURE])
def test_the_id_and_the_time_are_sent_in_every_style(style: str) -> None:
    headers = sent(style, SECRET)

    assert (headers.pop("webhook-id"), headers.pop("webhook-timestamp")) == (ID, str(NOW))
    assert bool(headers) == (style != NO_SIGNATURE)


# Standard Webhooks


@pytest.mark.parametrize("body", TEXTS)
@pytest.mark.parametrize("judge", [standardwebhooks.Webhook, svix.webhooks.Webhook])
def test_other_libraries_accept_what_either_secret_signs(judge: type, body: bytes) -> None:
    headers = sent("standard", OTHER, SECRET, body=body, timestamp=int(time.time()))
    options = {"json_parse": False} if judge is standardwebhooks.Webhook else {}
    for secret in (OTHER, SECRET):
        judge(secret).verify(body, headers, **options)
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            judge(secret).verify(body + b"!", headers, **options)


def test_the_signature_is_that_of_the_specification_s_example() -> None:
    headers = sent(
        "standard", SECRET, id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_ed25519_key_signs_as_the_example_of_its_specification_says() -> None:
    """RFC 8032, 7.1, test 1 is over an empty message; here the public key that belongs to its seed."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    for key in (seed, seed + public):
        secret = "whsk_" + base64.b64encode(key).decode()
        assert public_key(secret) == "whpk_" + base64.b64encode(public).decode()
        signature = sent("standard", secret)["webhook-signature"]
        assert signature.startswith("v1a,")
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(
            base64.b64decode(signature.removeprefix("v1a,")), f"{ID}.{NOW}.hello".encode()
        )


def test_without_the_library_an_ed25519_key_is_refused_and_the_rest_works() -> None:
    """In a process of its own that can't import the library."""
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from hookbin import errors\n"
        "from hookbin.signatures import secrets, signing\n"
        "assert signing.signer(secrets.make_secret())(b'').startswith('v1,')\n"
        "try: secrets.parse_secret(sys.argv[1])\n"
        "except errors.FieldsInvalid as error: print(error.detail)"
    )
    done = subprocess.run([sys.executable, "-c", code, "whsk_" + encoded(32)], capture_output=True, text=True, cwd=ROOT)
    assert "pip install 'hookbin[v1a]'" in done.stdout, done.stderr


# As others sign


def test_github_s_headers_are_the_event_a_guid_and_one_signature_of_the_bytes() -> None:
    body = bytes(range(256))
    headers = sent("github", "a secret", "an old one", body=body)

    assert headers["x-github-event"] == "push"
    assert UUID(headers["x-github-delivery"]).version == 7
    assert headers["x-hub-signature-256"] == f"sha256={hmac.new(b'a secret', body, hashlib.sha256).hexdigest()}"


@pytest.mark.parametrize("secrets", [("whsec_test_secret",), ("new_secret_1", "old_secret_1", "older_secret")])
@pytest.mark.parametrize("body", TEXTS)
def test_stripe_s_library_accepts_every_secret_that_signs(secrets: tuple[str, ...], body: bytes) -> None:
    header = sent("stripe", *secrets, body=body)["stripe-signature"]

    for secret in secrets:
        assert stripe.WebhookSignature.verify_header(body.decode(), header, secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode(), header, "another_secret")


# Secrets


def test_a_new_secret_holds_32_bytes_and_is_new() -> None:
    assert len(parse_secret(make_secret())) == 32
    assert make_secret() != make_secret()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", make_secret())


def encoded(size: int) -> str:
    return base64.b64encode(b"k" * size).decode()


@pytest.mark.parametrize("size", [24, 25, 26, 32, 64])
def test_a_secret_of_24_to_64_bytes_is_accepted(size: int) -> None:
    assert parse_secret("whsec_" + encoded(size)) == b"k" * size


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("", "must start with whsec_"),
        (encoded(32), "must start with whsec_"),
        ("whpk_" + encoded(32), "must start with whsec_"),
        ("whsk_" + encoded(31), "32 bytes of an ed25519 seed"),
        ("whsk_" + encoded(64), "not that of its private key"),
        ("whsk_" + encoded(32).rstrip("="), "padding"),
        ("whsec_" + encoded(23), "holds 23"),
        ("whsec_" + encoded(65), "holds 65"),
        ("whsec_" + encoded(32).rstrip("="), "padding"),
        ("whsec_" + encoded(24) + "====", "not base64"),
        ("whsec_" + encoded(24) + "\n", "spaces or line ends"),
        ("whsec_" + base64.urlsafe_b64encode(b"\xfb\xff" * 15).decode(), "URL-safe"),
        ("whsec_" + "\ud800" * 32, "not base64"),
        ("whsec_whsec_" + encoded(24), "URL-safe"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_with_the_reason(secret: str, message: str) -> None:
    for parse in (parse_secret, lambda text: check_secret(text, style="standard"), lambda text: sent("standard", text)):
        with pytest.raises(errors.FieldsInvalid) as refused:
            parse(secret)
        [(loc, said)] = refused.value.errors
        assert loc == "secret"
        assert message in said
        assert len(secret) < 7 or secret not in refused.value.detail


@pytest.mark.parametrize("style", ["github", "stripe"])
@pytest.mark.parametrize(("secret", "fits"), [("12345678", True), ("x" * 256, True), ("1234567", False)])
def test_where_the_key_is_text_the_secret_is_visible_ascii(style: str, secret: str, fits: bool) -> None:
    bad = [secret + " ", secret + "é", "x" * 257] if fits else [secret]

    assert not fits or check_secret(secret, style=style) == secret
    for refused in bad:
        with pytest.raises(errors.FieldsInvalid):
            check_secret(refused, style=style)


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (SECRET, "whsec_…LaSw"),
        ("whsk_" + encoded(32), "whsk_…a2s="),
        ("short_secret", "…"),
        ("a" * 16 + "bcde", "…bcde"),
    ],
)
def test_a_hint_tells_little(secret: str, expected: str) -> None:
    assert hint(secret) == expected
