"""The signature headers of an attempt, as each style has them.

- `standard`: Standard Webhooks, "Webhook headers".
- `github`: GitHub Docs, "Webhook events and payloads", "Delivery headers", and "Validating webhook deliveries".
- `stripe`: Stripe Docs, "Resolve webhook signature verification errors", "Verify webhook signatures manually".

In all of them `webhook-id` and `webhook-timestamp` are sent too: the id is the same in every attempt
at a delivery, so that a receiver can tell a repeat.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from uuid import UUID

from msgspec import Struct

from hookbin.clock import parse_uuid
from hookbin.models.common import Headers
from hookbin.models.webhooks import SignatureStyle
from hookbin.signatures.signing import sign


class Message(Struct, frozen=True, kw_only=True):
    """What is signed, and what stands beside the signature."""

    id: str
    """The event's id."""
    type: str
    timestamp: int
    """Seconds since 1970: when this attempt began."""
    body: bytes


def signature_headers(style: SignatureStyle, secrets: Sequence[str], message: Message) -> Headers:
    """`secrets` are those that sign, the current one first."""
    return (
        ("webhook-id", message.id),
        ("webhook-timestamp", str(message.timestamp)),
        *_STYLES[style](secrets, message),
    )


def _standard(secrets: Sequence[str], message: Message) -> Headers:
    value = sign(secrets, message_id=message.id, timestamp=message.timestamp, body=message.body)
    return (("webhook-signature", value),)


def _github(secrets: Sequence[str], message: Message) -> Headers:
    """Its header holds one signature, so it is the current secret's (see `signing.rotated`)."""
    return (
        ("x-github-event", message.type),
        ("x-github-delivery", str(parse_uuid("evt_", message.id) or UUID(int=0))),
        ("x-hub-signature-256", f"sha256={_hex(secrets[0], message.body)}"),
    )


def _stripe(secrets: Sequence[str], message: Message) -> Headers:
    signed = b"%d." % message.timestamp + message.body
    signatures = "".join(f",v1={_hex(secret, signed)}" for secret in secrets)
    return (("stripe-signature", f"t={message.timestamp}{signatures}"),)


def _none(secrets: Sequence[str], message: Message) -> Headers:
    return ()


def _hex(secret: str, signed: bytes) -> str:
    """The key is the secret's text as it stands, its prefix included."""
    return hmac.digest(secret.encode(), signed, "sha256").hex()


_STYLES: dict[SignatureStyle, Callable[[Sequence[str], Message], Headers]] = {
    SignatureStyle.STANDARD: _standard,
    SignatureStyle.GITHUB: _github,
    SignatureStyle.STRIPE: _stripe,
    SignatureStyle.NONE: _none,
}
