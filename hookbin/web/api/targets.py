"""Forward targets of bins, and destinations of replays, made of what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hookbin.errors import FieldsInvalid, TargetRefused
from hookbin.models.bins import Bin, Verify
from hookbin.models.requests import CapturedRequest
from hookbin.models.webhooks import NO_SIGNATURE, Webhook, WebhookKind
from hookbin.shapes.bins import NewTarget
from hookbin.shapes.requests import NewReplay
from hookbin.shapes.sending import SendingOptions
from hookbin.signatures.secrets import parse_secret
from hookbin.signatures.styles import STYLES
from hookbin.web.api.options import check_destination, read_retry_on, read_schedule
from hookbin.web.rest.services import Services

_NEEDED = (
    "is needed to sign anew: give a whsec_ secret, or have the bin verify "
    f"{', '.join([*STYLES][:-1])} or {[*STYLES][-1]} signatures"
)


class Signer(Struct, frozen=True):
    """By which style and with which secret attempts are signed."""

    style: str
    secret: str


UNSIGNED = Signer(NO_SIGNATURE, "")
"""They keep the signature that they came with."""


def make_targets(services: Services, bin: Bin, wanted: Sequence[NewTarget]) -> list[Webhook]:
    """Where a bin is to forward to. Raises `FieldsInvalid` for the first that can't be, or `TargetRefused`."""
    destinations = [target.destination for target in wanted]
    if twice := next((each for each in destinations if destinations.count(each) > 1), None):
        raise FieldsInvalid(("forward", f"names {twice[:200]!r} more than once"))
    targets = []
    for place, target in enumerate(wanted):
        try:
            targets.append(_target(services, bin, target))
        except FieldsInvalid as error:
            raise FieldsInvalid(*((f"forward[{place}].{loc}", msg) for loc, msg in error.errors)) from error
        except TargetRefused as error:
            raise TargetRefused(error.detail, loc=f"forward[{place}].destination") from error
    return targets


def make_destination(
    services: Services, request: CapturedRequest, wanted: NewReplay, *, url: str, sender: Webhook | None
) -> Webhook:
    """Where a captured request is to be sent by hand; `sender` is the webhook of ours that had sent it.

    Raises `FieldsInvalid` or `TargetRefused`.
    """
    signer = UNSIGNED
    if wanted.signature == "fresh":
        bin = services.stores.bins.find(request.bin_id)
        signer = _signer(_given(wanted.secret) or _verifier(bin) or _sender(sender))
    return _webhook(
        services,
        WebhookKind.ONCE,
        name="replay",
        destination=url,
        signer=signer,
        options=SendingOptions(retry_schedule="none" if wanted.retry_schedule is None else wanted.retry_schedule),
    )


def _target(services: Services, bin: Bin, wanted: NewTarget) -> Webhook:
    signer = UNSIGNED
    if wanted.signature == "fresh":
        signer = _signer(_given(wanted.secret) or _as_before(services, bin, wanted.destination) or _verifier(bin))
    return _webhook(
        services,
        WebhookKind.FORWARD,
        bin_id=bin.id,
        name=f"forward of {bin.name or bin.id}",
        destination=wanted.destination,
        signer=signer,
        options=wanted,
    )


def _webhook(
    services: Services,
    kind: WebhookKind,
    *,
    bin_id: str | None = None,
    name: str,
    destination: str,
    signer: Signer,
    options: SendingOptions,
) -> Webhook:
    return Webhook(
        id=services.site.ids.webhook(),
        kind=kind,
        bin_id=bin_id,
        name=name,
        destination=check_destination(services, destination),
        secret=signer.secret,
        signature_style=signer.style,
        retry_schedule=read_schedule(services.site.settings, options.retry_schedule),
        retry_on=read_retry_on(services.site.settings, options.retry_on),
        timeout=options.timeout,
        max_in_flight=options.max_in_flight,
        created_at=services.site.clock.now(),
    )


def _signer(found: Signer | None) -> Signer:
    if found is None:
        raise FieldsInvalid(("secret", _NEEDED))
    return found


def _given(secret: str | None) -> Signer | None:
    if secret is None:
        return None
    parse_secret(secret)
    return Signer("standard", secret)


def _as_before(services: Services, bin: Bin, destination: str) -> Signer | None:
    """How the bin's target of that destination signs now: its secret is not shown, so it can't be sent again."""
    for target in services.stores.webhooks.forwards_of(bin.id):
        if target.destination == destination and target.signature_style != NO_SIGNATURE:
            return Signer(target.signature_style, target.secret)
    return None


def _verifier(bin: Bin | None) -> Signer | None:
    """What the bin checks signatures with, if we can sign by it."""
    verify: Verify | None = None if bin is None else bin.verify
    if verify is None or verify.scheme not in STYLES:
        return None
    STYLES[verify.scheme].secret.key(verify.secret)  # a bin may check by a secret that can't sign
    return Signer(verify.scheme, verify.secret)


def _sender(webhook: Webhook | None) -> Signer | None:
    if webhook is None or webhook.signature_style == NO_SIGNATURE:
        return None
    return Signer(webhook.signature_style, webhook.secret)
