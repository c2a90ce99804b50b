"""Standard Webhooks signatures (schemes `v1` and `v1a`) and their secrets.

The rules are those of the specification, "Signature scheme" and "Verifying signatures":
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets as randomness
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache

from msgspec.structs import replace

from hookbin import errors
from hookbin.models.common import SECOND
from hookbin.models.webhooks import OldSecret, SignatureStyle, Webhook
from hookbin.signatures import ed25519

SECRET_PREFIX = "whsec_"
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
SECRET_BYTES = range(24, 65)
"""How long a symmetric key may be (specification, "Signature scheme")."""
MAX_OLD_SECRETS = 5
"""Secrets that may sign besides the current one: each makes the header longer."""

_NEW_SECRET_BYTES = 32
_SHORTEST_HINTED = 20
"""Of a shorter secret nothing is shown: four characters would be too much of it."""
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_TEXT_SECRET = re.compile(r"[\x21-\x7e]{8,256}")
"""What the styles take whose key is the secret's text itself."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Verdict(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNSIGNED = "unsigned"


def make_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(randomness.token_bytes(_NEW_SECRET_BYTES)).decode()


def check_secret(secret: str, *, style: SignatureStyle) -> str:
    """The secret as given. Raises FieldsInvalid if it can't sign in that style; its message never holds the secret."""
    if style is SignatureStyle.STANDARD:
        parse_secret(secret)
    elif _TEXT_SECRET.fullmatch(secret) is None:
        raise errors.FieldsInvalid(("secret", "must be 8 to 256 visible ASCII characters"))
    return secret


def fits(secret: str, *, style: SignatureStyle) -> bool:
    """Whether the secret can sign in that style."""
    try:
        check_secret(secret, style=style)
    except errors.FieldsInvalid:
        return False
    return True


def parse_secret(secret: str) -> bytes:
    """The key in `secret`. Raises FieldsInvalid; its message never holds the secret."""
    complaint = _complaint(secret)
    if complaint:
        raise errors.FieldsInvalid(("secret", complaint))
    return base64.b64decode(secret.partition("_")[2])


def public_key(secret: str) -> str | None:
    """`whpk_…`, which verifies what a `whsk_` secret signs; None for a secret of another kind."""
    if not (secret.startswith(PRIVATE_PREFIX) and ed25519.AVAILABLE):
        return None
    return PUBLIC_PREFIX + _base64(ed25519.public_key(parse_secret(secret)))


def hint(secret: str) -> str:
    """Enough of the secret to tell it from others."""
    prefix = next((known for known in (SECRET_PREFIX, PRIVATE_PREFIX) if secret.startswith(known)), "")
    return f"{prefix}…{secret[-4:] if len(secret) >= _SHORTEST_HINTED else ''}"


def live_secrets(webhook: Webhook, *, now: int) -> tuple[str, ...]:
    """What signs at `now`: the secret, then those that were rotated out and have not expired, newest first."""
    return (webhook.secret, *(old.secret for old in webhook.old_secrets if old.expires_at > now))


def rotated(webhook: Webhook, secret: str, *, overlap: int, now: int) -> Webhook:
    """The webhook with a new secret; the one so far still signs for `overlap` seconds.

    With 0 nothing but the new one signs from now on. Raises `FieldsInvalid`.
    """
    check_secret(secret, style=webhook.signature_style)
    if secret == webhook.secret:
        raise errors.FieldsInvalid(("secret", "is the one that signs already; send another, or none to have one made"))
    if overlap and webhook.signature_style is SignatureStyle.GITHUB:
        raise errors.FieldsInvalid(("overlap", "must be 0: a signature header of the style github has room for one"))
    old: tuple[OldSecret, ...] = ()
    if overlap:
        last = OldSecret(secret=webhook.secret, expires_at=now + overlap * SECOND)
        old = (last, *(each for each in webhook.old_secrets if each.expires_at > now and each.secret != secret))
    if len(old) > MAX_OLD_SECRETS:
        message = f"{MAX_OLD_SECRETS} old secrets still sign; wait for one to expire, or drop them all with 0"
        raise errors.FieldsInvalid(("overlap", message))
    return replace(webhook, secret=secret, old_secrets=old)


def without_expired(webhook: Webhook, *, now: int) -> Webhook:
    return replace(webhook, old_secrets=tuple(old for old in webhook.old_secrets if old.expires_at > now))


def sign(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`. `timestamp` is in seconds, as `webhook-timestamp` has it."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(signer(secret)(signed) for secret in secrets)


def verify(
    secrets: Sequence[str],
    *,
    message_id: str | None,
    timestamp: str | None,
    signature: str | None,
    body: bytes,
    now: int,
    tolerance: int = 300,
) -> Verdict:
    """Judges the three headers, each as latin-1 text; `now` and `tolerance` are in seconds.

    Never raises: a secret that can't be parsed matches nothing.
    """
    if signature is None:
        return Verdict.UNSIGNED
    if message_id is None or timestamp is None or not _is_fresh(timestamp, now=now, tolerance=tolerance):
        return Verdict.FAILED
    try:
        signed = f"{message_id}.{timestamp}.".encode("latin-1") + body
        given = [word.encode("latin-1") for word in signature.split(" ")]
    except UnicodeEncodeError:
        return Verdict.FAILED
    expected = [sign(signed).encode() for sign in _usable(secrets)]
    matches = [hmac.compare_digest(one, other) for one in expected for other in given]
    return Verdict.OK if any(matches) else Verdict.FAILED


def _is_fresh(timestamp: str, *, now: int, tolerance: int) -> bool:
    return _TIMESTAMP.fullmatch(timestamp) is not None and abs(now - int(timestamp)) <= tolerance


def _usable(secrets: Sequence[str]) -> Iterator[Callable[[bytes], str]]:
    for secret in secrets:
        try:
            yield signer(secret)
        except errors.FieldsInvalid:
            continue


@lru_cache(maxsize=4096)
def signer(secret: str) -> Callable[[bytes], str]:
    """Makes of bytes one signature as the header has it. The same bytes get the same one, ed25519 included."""
    key = parse_secret(secret)
    if secret.startswith(PRIVATE_PREFIX):
        sign = ed25519.signer(key)
        return lambda signed: "v1a," + _base64(sign(signed))
    return lambda signed: "v1," + _base64(hmac.digest(key, signed, "sha256"))


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _complaint(secret: str) -> str | None:
    prefix, _, text = secret.partition("_")
    if f"{prefix}_" not in (SECRET_PREFIX, PRIVATE_PREFIX):
        return "must start with whsec_ or, for an ed25519 key, whsk_, followed by the key in base64"
    if any(character.isspace() for character in text):
        return "must not contain spaces or line ends"
    if "-" in text or "_" in text:
        return "uses the URL-safe base64 alphabet; write + for - and / for _"
    if len(text) % 4 and re.fullmatch(r"[A-Za-z0-9+/]+=?", text):
        return f"is base64 without its padding; add = until the part after {prefix}_ is a multiple of 4 long"
    if not _BASE64.fullmatch(text):
        return f"is not base64 after {prefix}_"
    key = base64.b64decode(text)
    if f"{prefix}_" == PRIVATE_PREFIX:
        return _private_complaint(key)
    return None if len(key) in SECRET_BYTES else f"must hold 24 to 64 bytes, this one holds {len(key)}"


def _private_complaint(key: bytes) -> str | None:
    if not ed25519.AVAILABLE:
        return "is an ed25519 key, and they need the extra v1a: pip install 'hookbin[v1a]', then start hookbin again"
    if len(key) not in (ed25519.SEED_BYTES, ed25519.PAIR_BYTES):
        return f"must hold the 32 bytes of an ed25519 seed, or 64 with its public key; this one holds {len(key)}"
    if len(key) == ed25519.PAIR_BYTES and key[ed25519.SEED_BYTES :] != ed25519.public_key(key):
        return "holds a public key that is not that of its private key"
    return None
