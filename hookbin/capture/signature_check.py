"""By which rule and secrets a captured request is checked: its bin's own, or those of our webhook that sent it."""

from __future__ import annotations

from collections.abc import Iterator

from hookbin.capture.services import CaptureServices
from hookbin.models.bins import Bin, Verify
from hookbin.models.common import SECOND
from hookbin.models.webhooks import NO_SIGNATURE, Webhook
from hookbin.signatures import verification
from hookbin.signatures.diagnosis import Other
from hookbin.signatures.rotation import live_secrets
from hookbin.signatures.scheme import SignedRequest
from hookbin.signatures.verification import SignatureCheck

UNCHECKED = SignatureCheck()
_UNSIGNED = SignatureCheck(
    reason="The webhook that sent it has the signature style none; set verify on the bin to check it."
)
_CUT = (
    "The body did not come whole or was cut, so its signature can't be computed: see --max-body and the sender's "
    "limits."
)


def check_signature(
    services: CaptureServices, bin: Bin, webhook: Webhook | None, request: SignedRequest, *, whole: bool, now: int
) -> SignatureCheck:
    """Check by the bin's own setting, which wins, or else as `webhook` signs, whose attempt sent the request.

    `now` is in µs. A request whose body is not `whole` is not checked.
    """
    rule = bin.verify
    if rule is not None:
        secrets: tuple[str, ...] = (rule.secret,)
    elif webhook is None:
        return UNCHECKED
    elif webhook.signature_style == NO_SIGNATURE:
        return _UNSIGNED
    else:
        secrets = live_secrets(webhook, now=now)
        rule = Verify(scheme=webhook.signature_style, secret=webhook.secret)
    if not whole:
        return SignatureCheck(scheme=rule.scheme, reason=_CUT)
    others = _others(services, bin)
    return verification.check_signature(rule, request, secrets=secrets, now=now // SECOND, others=others)


def _others(services: CaptureServices, bin: Bin) -> Iterator[Other]:
    for webhook in services.webhooks.all():
        yield Other(f"the webhook {webhook.name or webhook.id!r}", webhook.secret)
        for old in webhook.old_secrets:
            yield Other(f"the webhook {webhook.name or webhook.id!r} before it was rotated", old.secret)
    for other in services.bins.all():
        if other.verify is not None and other.id != bin.id:
            yield Other(f"the bin {other.name or other.id!r}", other.verify.secret)
