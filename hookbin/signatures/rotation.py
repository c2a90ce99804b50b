"""Which secrets of a webhook sign: the current one, and for a while those that were rotated out."""

from __future__ import annotations

from msgspec.structs import replace

from hookbin.errors import FieldsInvalid
from hookbin.models.common import SECOND
from hookbin.models.webhooks import OldSecret, Webhook
from hookbin.signatures.styles import STYLES, check_secret

MAX_OLD_SECRETS = 5
"""Secrets that may sign besides the current one: each makes the header longer."""


def live_secrets(webhook: Webhook, *, now: int) -> tuple[str, ...]:
    """What signs at `now`: the secret, then those that were rotated out and have not expired, newest first."""
    return (webhook.secret, *(old.secret for old in webhook.old_secrets if old.expires_at > now))


def rotated(webhook: Webhook, secret: str, *, overlap: int, now: int) -> Webhook:
    """The webhook with a new secret; the one so far still signs for `overlap` seconds.

    With 0 nothing but the new one signs from now on. Raises `FieldsInvalid`.
    """
    style = webhook.signature_style
    check_secret(secret, style=style)
    if secret == webhook.secret:
        raise FieldsInvalid(("secret", "is the one that signs already; send another, or none to have one made"))
    if overlap and not STYLES[style].several:
        raise FieldsInvalid(("overlap", f"must be 0: a signature header of the style {style} has room for one"))
    old: tuple[OldSecret, ...] = ()
    if overlap:
        last = OldSecret(secret=webhook.secret, expires_at=now + overlap * SECOND)
        old = (last, *(each for each in webhook.old_secrets if each.expires_at > now and each.secret != secret))
    if len(old) > MAX_OLD_SECRETS:
        message = f"{MAX_OLD_SECRETS} old secrets still sign; wait for one to expire, or drop them all with 0"
        raise FieldsInvalid(("overlap", message))
    return replace(webhook, secret=secret, old_secrets=old)


def without_expired(webhook: Webhook, *, now: int) -> Webhook:
    return replace(webhook, old_secrets=tuple(old for old in webhook.old_secrets if old.expires_at > now))
