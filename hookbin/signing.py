"""Standard Webhooks signatures (scheme `v1`) and their secrets.

The rules are those of the specification, "Signature scheme" and "Verifying signatures":
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets as randomness
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache

from hookbin import errors
from hookbin.models import SignatureStyle, Webhook

SECRET_PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)
"""How long a key may be (specification, "Signature scheme")."""

_NEW_SECRET_BYTES = 32
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
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))


def live_secrets(webhook: Webhook, *, now: int) -> tuple[str, ...]:
    """What signs at `now`: the secret, then those that were rotated out and have not expired, newest first."""
    return (webhook.secret, *(old.secret for old in webhook.old_secrets if old.expires_at > now))


def sign(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`. `timestamp` is in seconds, as `webhook-timestamp` has it."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_signature(_key(secret), signed) for secret in secrets)


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
    expected = [_signature(key, signed).encode() for key in _usable_keys(secrets)]
    matches = [hmac.compare_digest(one, other) for one in expected for other in given]
    return Verdict.OK if any(matches) else Verdict.FAILED


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + binascii.b2a_base64(hmac.digest(key, signed, "sha256"), newline=False).decode()


def _is_fresh(timestamp: str, *, now: int, tolerance: int) -> bool:
    return _TIMESTAMP.fullmatch(timestamp) is not None and abs(now - int(timestamp)) <= tolerance


def _usable_keys(secrets: Sequence[str]) -> Iterator[bytes]:
    for secret in secrets:
        try:
            yield _key(secret)
        except errors.FieldsInvalid:
            continue


@lru_cache(maxsize=4096)
def _key(secret: str) -> bytes:
    return parse_secret(secret)


def _complaint(secret: str) -> str | None:
    if secret.startswith("whsk_"):
        return "whsk_ marks an ed25519 key; a symmetric secret starts with whsec_"
    if not secret.startswith(SECRET_PREFIX):
        return "must start with whsec_, followed by the key in base64"
    text = secret.removeprefix(SECRET_PREFIX)
    if any(character.isspace() for character in text):
        return "must not contain spaces or line ends"
    if "-" in text or "_" in text:
        return "uses the URL-safe base64 alphabet; write + for - and / for _"
    if len(text) % 4 and re.fullmatch(r"[A-Za-z0-9+/]+=?", text):
        return "is base64 without its padding; add = until the part after whsec_ is a multiple of 4 long"
    if not _BASE64.fullmatch(text):
        return "is not base64 after whsec_"
    size = len(base64.b64decode(text))
    return None if size in SECRET_BYTES else f"must hold 24 to 64 bytes, this one holds {size}"
