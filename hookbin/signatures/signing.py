"""Signing as each provider does: the headers that an attempt carries, and which secrets can make them."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from functools import lru_cache
from uuid import UUID

from hookbin.clock import parse_uuid
from hookbin.models.common import Headers
from hookbin.signatures import ed25519
from hookbin.signatures.scheme import Message, Style
from hookbin.signatures.secrets import PRIVATE_PREFIX, STANDARD_SECRET, VISIBLE_SECRET, parse_secret


@lru_cache(maxsize=4096)
def signer(secret: str) -> Callable[[bytes], str]:
    """Makes of bytes one signature as `webhook-signature` has it. The same bytes get the same one, ed25519 included.

    Raises `FieldsInvalid` for a secret that can't sign.
    """
    key = parse_secret(secret)
    if secret.startswith(PRIVATE_PREFIX):
        sign = ed25519.signer(key)
        return lambda signed: "v1a," + base64.b64encode(sign(signed)).decode()
    return lambda signed: "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def private_signer(secret: str) -> Callable[[bytes], str] | None:
    """What signs with the ed25519 key in a `whsk_` secret; None for another secret."""
    return signer(secret) if secret.startswith(PRIVATE_PREFIX) else None


def sign_standard(secrets: Sequence[str], message: Message) -> Headers:
    """Standard Webhooks, "Signature scheme"."""
    signed = f"{message.id}.{message.timestamp}.".encode() + message.body
    return (("webhook-signature", " ".join(signer(secret)(signed) for secret in secrets)),)


def _sign_github(secrets: Sequence[str], message: Message) -> Headers:
    """GitHub Docs, "Webhook events and payloads", "Delivery headers"."""
    return (
        ("x-github-event", message.type),
        ("x-github-delivery", str(parse_uuid("evt_", message.id) or UUID(int=0))),
        ("x-hub-signature-256", f"sha256={_hex(secrets[0], message.body)}"),
    )


def _sign_stripe(secrets: Sequence[str], message: Message) -> Headers:
    signed = b"%d." % message.timestamp + message.body
    signatures = "".join(f",v1={_hex(secret, signed)}" for secret in secrets)
    return (("stripe-signature", f"t={message.timestamp}{signatures}"),)


def _hex(secret: str, signed: bytes) -> str:
    """The key is the secret's text as it stands, its prefix included."""
    return hmac.digest(secret.encode(), signed, "sha256").hex()


STANDARD = Style(
    title="Standard Webhooks",
    sign=sign_standard,
    secret=STANDARD_SECRET,
    older=("svix-id", "svix-timestamp", "svix-signature"),
)
GITHUB = Style(
    title="GitHub style",
    sign=_sign_github,
    secret=VISIBLE_SECRET,
    several=False,  # its header holds one signature
    beside=("x-github-event", "x-github-delivery"),
    older=("x-hub-signature",),
)
STRIPE = Style(title="Stripe style", sign=_sign_stripe, secret=VISIBLE_SECRET)
