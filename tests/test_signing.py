from __future__ import annotations

import base64
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from hookbin import errors
from hookbin.signatures.signing import Verdict, hint, make_secret, parse_secret, public_key, sign, verify
from tests.support import ROOT

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = 1_764_000_000

BODIES = [
    pytest.param(b'{"type": "user.created"}', id="json"),
    pytest.param(b"plain words", id="text"),
    pytest.param(b"", id="empty"),
    pytest.param("naïve ☃ 💥".encode(), id="non-ascii"),
    pytest.param(b"\x00\x01\r\n\x7f\n", id="control-characters"),
]


def judged(secret: str = SECRET, *, signature: str, body: bytes = b"hello", **changes: Any) -> Verdict:
    headers: dict[str, Any] = {"message_id": "evt_1", "timestamp": str(NOW), "now": NOW} | changes
    return verify([secret], signature=signature, body=body, **headers)


def signed(secret: str = SECRET, *, body: bytes = b"hello", timestamp: int = NOW) -> str:
    return sign([secret], message_id="evt_1", timestamp=timestamp, body=body)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("judge", [standardwebhooks.Webhook, svix.webhooks.Webhook])
def test_other_libraries_accept_what_is_signed_here(judge: type, body: bytes) -> None:
    now = int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign([OTHER, SECRET], message_id="evt_1", timestamp=now, body=body),
    }
    options = {"json_parse": False} if judge is standardwebhooks.Webhook else {}
    judge(SECRET).verify(body, headers, **options)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        judge(SECRET).verify(body + b"!", headers, **options)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("message_id", ["msg_1", "msg with spaces", "mé"])
def test_what_another_library_signs_is_accepted_here(message_id: str, body: bytes) -> None:
    signature = standardwebhooks.Webhook(SECRET).sign(message_id, datetime.fromtimestamp(NOW, UTC), body.decode())
    as_on_the_wire = message_id.encode().decode("latin-1")
    assert judged(signature=signature, body=body, message_id=as_on_the_wire) is Verdict.OK


def test_the_signature_is_that_of_the_specifications_example() -> None:
    signature = sign(
        [SECRET], message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_make_two_signatures_in_their_order() -> None:
    both = sign([SECRET, OTHER], message_id="evt_1", timestamp=NOW, body=b"hello")
    assert both == f"{signed(SECRET)} {signed(OTHER)}"
    assert signed(SECRET) != signed(OTHER)


def test_a_body_that_is_not_text_is_signed_as_its_bytes() -> None:
    assert judged(signature=signed(body=b"\xff\x00\xfe"), body=b"\xff\x00\xfe") is Verdict.OK
    assert judged(signature=signed(body=b"\xff\x00\xfe"), body=b"\xff\x00\xff") is Verdict.FAILED


@given(body=st.binary(max_size=200))
def test_during_a_rotation_either_secret_is_accepted(body: bytes) -> None:
    both = sign([SECRET, OTHER], message_id="evt_1", timestamp=NOW, body=body)
    assert judged(SECRET, signature=both, body=body) is Verdict.OK
    assert judged(OTHER, signature=both, body=body) is Verdict.OK
    assert judged(make_secret(), signature=both, body=body) is Verdict.FAILED


@given(body=st.binary(min_size=1, max_size=200), place=st.integers(min_value=0), flip=st.integers(1, 255))
def test_changing_any_byte_of_the_body_fails(body: bytes, place: int, flip: int) -> None:
    place %= len(body)
    changed = body[:place] + bytes([body[place] ^ flip]) + body[place + 1 :]
    assert judged(signature=signed(body=body), body=changed) is Verdict.FAILED


@given(place=st.integers(0, 46), character=st.characters(min_codepoint=1, max_codepoint=255))
def test_changing_any_character_of_the_signature_fails(place: int, character: str) -> None:
    signature = signed()
    assert len(signature) == 47
    changed = signature[:place] + character + signature[place + 1 :]
    assert judged(signature=changed) is (Verdict.OK if changed == signature else Verdict.FAILED)


@pytest.mark.parametrize(
    "changes",
    [{"message_id": "evt_2"}, {"message_id": None}, {"timestamp": None}, {"timestamp": str(NOW + 1)}],
    ids=["other id", "no id", "no timestamp", "other timestamp"],
)
def test_what_was_signed_includes_id_and_timestamp(changes: dict[str, Any]) -> None:
    assert judged(signature=signed()) is Verdict.OK
    assert judged(signature=signed(), **changes) is Verdict.FAILED


@pytest.mark.parametrize(
    ("age", "verdict"),
    [(0, "ok"), (300, "ok"), (-300, "ok"), (301, "failed"), (-301, "failed")],
)
def test_a_timestamp_may_be_five_minutes_off(age: int, verdict: str) -> None:
    assert judged(signature=signed(), now=NOW + age) == verdict


def test_the_tolerance_can_be_chosen() -> None:
    assert judged(signature=signed(), now=NOW + 11, tolerance=10) is Verdict.FAILED
    assert judged(signature=signed(), now=NOW + 10, tolerance=10) is Verdict.OK


@pytest.mark.parametrize(
    "timestamp", ["", " ", "now", f"{NOW}.0", f"+{NOW}", f" {NOW}", f"{NOW}\n", "1_764_000_000", "٣", "9" * 5000]
)
def test_a_timestamp_that_is_not_a_whole_number_fails(timestamp: str) -> None:
    body = b"hello"
    text = standardwebhooks.webhooks.hmac_data(parse_secret(SECRET), f"evt_1.{timestamp}.".encode() + body)
    signature = "v1," + base64.b64encode(text).decode()
    assert judged(signature=signature, timestamp=timestamp) is Verdict.FAILED


def test_no_signature_header_is_unsigned_but_an_empty_one_is_a_failure() -> None:
    assert verify([SECRET], message_id=None, timestamp=None, signature=None, body=b"", now=NOW) is Verdict.UNSIGNED
    assert judged(signature="") is Verdict.FAILED


@pytest.mark.parametrize("around", ["{} ", " {}", "v1a,AAAA {}", "v1,☃ {}".encode().decode("latin-1"), "v2, {} v1,"])
def test_other_signatures_beside_the_right_one_do_no_harm(around: str) -> None:
    assert judged(signature=around.format(signed())) is Verdict.OK


@pytest.mark.parametrize("broken", ["{}", "v1={}", "V1,{}", "v2,{}", "v1a,{}", "v1,{},", "v1, {}"])
def test_a_signature_written_in_another_way_fails(broken: str) -> None:
    assert judged(signature=broken.format(signed().removeprefix("v1,"))) is Verdict.FAILED


def test_no_secrets_or_unusable_ones_match_nothing() -> None:
    for secrets in ([], ["whsec_"], ["nonsense"]):
        verdict = verify(secrets, message_id="evt_1", timestamp=str(NOW), signature=signed(), body=b"hello", now=NOW)
        assert verdict is Verdict.FAILED


any_text = st.text(st.characters(exclude_categories=()), max_size=40)


@given(secret=any_text, message_id=any_text, timestamp=any_text | st.just(str(NOW)), signature=any_text)
def test_no_text_whatever_makes_verify_raise(secret: str, message_id: str, timestamp: str, signature: str) -> None:
    for secrets in ([secret], [SECRET]):
        verdict = verify(
            secrets, message_id=message_id, timestamp=timestamp, signature=signature, body=b"hello", now=NOW
        )
        assert verdict is Verdict.FAILED


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
        ("WHSEC_" + encoded(32), "must start with whsec_"),
        ("whpk_" + encoded(32), "must start with whsec_"),
        ("whsk_" + encoded(31), "32 bytes of an ed25519 seed"),
        ("whsk_" + encoded(64), "not that of its private key"),
        ("whsk_" + encoded(32).rstrip("="), "padding"),
        ("whsec_", "holds 0"),
        ("whsec_" + encoded(23), "holds 23"),
        ("whsec_" + encoded(65), "holds 65"),
        ("whsec_" + encoded(32).rstrip("="), "padding"),
        ("whsec_" + encoded(25).removesuffix("="), "padding"),
        ("whsec_" + encoded(24) + "====", "not base64"),
        ("whsec_" + encoded(24) + "\n", "spaces or line ends"),
        ("whsec_ " + encoded(24), "spaces or line ends"),
        ("whsec_" + base64.urlsafe_b64encode(b"\xfb\xff" * 15).decode(), "URL-safe"),
        ("whsec_" + "é" * 32, "not base64"),
        ("whsec_" + "\ud800" * 32, "not base64"),
        ("whsec_" + "k!" * 16, "not base64"),
        ("whsec_whsec_" + encoded(24), "URL-safe"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_with_the_reason(secret: str, message: str) -> None:
    with pytest.raises(errors.FieldsInvalid) as refused:
        parse_secret(secret)
    [(loc, msg)] = refused.value.errors
    assert loc == "secret"
    assert message in msg


def test_the_refusal_of_a_secret_does_not_repeat_it() -> None:
    with pytest.raises(errors.FieldsInvalid) as refused:
        parse_secret("whsec_hunter2")
    assert "hunter2" not in refused.value.detail


def test_signing_with_an_unusable_secret_is_an_error() -> None:
    with pytest.raises(errors.FieldsInvalid):
        signed("whsec_short")


def test_an_ed25519_key_signs_as_the_example_of_its_specification_says() -> None:
    """RFC 8032, 7.1, test 1 is over an empty message; here the public key that belongs to its seed."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    for key in (seed, seed + public):
        secret = "whsk_" + base64.b64encode(key).decode()
        assert public_key(secret) == "whpk_" + base64.b64encode(public).decode()
        signature = signed(secret)
        assert signature.startswith("v1a,")
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(
            base64.b64decode(signature.removeprefix("v1a,")), f"evt_1.{NOW}.hello".encode()
        )
        assert judged(secret, signature=signature) is Verdict.OK
        assert judged(secret, signature=signature, body=b"other") is Verdict.FAILED


def test_without_the_library_an_ed25519_key_is_refused_and_the_rest_works() -> None:
    """In a process of its own that can't import the library."""
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from hookbin import errors, signing\n"
        "assert signing.sign([signing.make_secret()], message_id='a', timestamp=1, body=b'').startswith('v1,')\n"
        "try: signing.parse_secret(sys.argv[1])\n"
        "except errors.FieldsInvalid as error: print(error.detail)"
    )
    done = subprocess.run([sys.executable, "-c", code, "whsk_" + encoded(32)], capture_output=True, text=True, cwd=ROOT)
    assert "pip install 'hookbin[v1a]'" in done.stdout, done.stderr


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
