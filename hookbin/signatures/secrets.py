"""Secrets of signatures: made, checked, shown as little as can be, and the keys that they stand for.

The forms of Standard Webhooks are those of the specification, "Signature scheme":
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets as randomness
from collections.abc import Callable

from msgspec import Struct

from hookbin import errors
from hookbin.signatures import ed25519

SECRET_PREFIX = "whsec_"
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
SECRET_BYTES = range(24, 65)
"""How long a symmetric key may be (specification, "Signature scheme")."""
MAX_SECRET = 1024
"""Characters of a secret that a bin checks by."""

_NEW_SECRET_BYTES = 32
_SHORTEST_HINTED = 20
"""Of a shorter secret nothing is shown: four characters would be too much of it."""
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_VISIBLE = re.compile(r"[\x21-\x7e]{8,256}")


class SecretForm(Struct, frozen=True, kw_only=True):
    """What a secret has to look like, and which key it stands for."""

    complaint: Callable[[str], str | None]
    """What is wrong with a secret; None if it will do. It never holds the secret."""
    key: Callable[[str], bytes] = str.encode
    """Makes of a secret the key of an HMAC."""

    @property
    def is_text(self) -> bool:
        """Whether the key is the secret's text as it stands."""
        return self.key is str.encode


def make_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(randomness.token_bytes(_NEW_SECRET_BYTES)).decode()


def parse_secret(secret: str) -> bytes:
    """The key in a `whsec_` or `whsk_` secret. Raises FieldsInvalid; its message never holds the secret."""
    complaint = _standard_complaint(secret)
    if complaint:
        raise errors.FieldsInvalid(("secret", complaint))
    return base64.b64decode(secret.partition("_")[2])


def public_key(secret: str) -> str | None:
    """`whpk_…`, which verifies what a `whsk_` secret signs; None for a secret of another kind."""
    if not (secret.startswith(PRIVATE_PREFIX) and ed25519.AVAILABLE):
        return None
    return PUBLIC_PREFIX + base64.b64encode(ed25519.public_key(parse_secret(secret))).decode()


def hint(secret: str) -> str:
    """Enough of the secret to tell it from others."""
    prefix = next((known for known in (SECRET_PREFIX, PRIVATE_PREFIX) if secret.startswith(known)), "")
    return f"{prefix}…{secret[-4:] if len(secret) >= _SHORTEST_HINTED else ''}"


def from_base64(text: str) -> bytes:
    """The bytes, or none of them when it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _standard_complaint(secret: str) -> str | None:
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


def _base64_complaint(secret: str) -> str | None:
    """Of a sender's secret any length will do, with whsec_ in front or not."""
    text = secret.removeprefix(SECRET_PREFIX)
    if secret.startswith(PRIVATE_PREFIX):
        return _standard_complaint(secret)
    if not text:
        return "is empty after whsec_" if secret else "must not be empty"
    if not from_base64(text):
        return "is not base64 after whsec_; copy the secret whole, without quotes, spaces or line ends"
    return None


def _text_complaint(secret: str) -> str | None:
    if not secret:
        return "must not be empty"
    return f"has more than {MAX_SECRET} characters" if len(secret) > MAX_SECRET else None


def _visible_complaint(secret: str) -> str | None:
    return None if _VISIBLE.fullmatch(secret) else "must be 8 to 256 visible ASCII characters"


STANDARD_SECRET = SecretForm(complaint=_standard_complaint, key=parse_secret)
"""What signs in the style standard."""
BASE64_SECRET = SecretForm(
    complaint=_base64_complaint, key=lambda secret: from_base64(secret.removeprefix(SECRET_PREFIX))
)
"""A secret of Standard Webhooks as senders have them."""
VISIBLE_SECRET = SecretForm(complaint=_visible_complaint)
"""What signs where the key is the secret's text."""
TEXT_SECRET = SecretForm(complaint=_text_complaint)
"""Any text, as a provider gives it."""
