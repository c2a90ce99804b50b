"""Bins as the JSON API takes and gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from hookbin.answers.plan import next_step
from hookbin.delivery.limits import MAX_TARGETS
from hookbin.models.answers import BinHandshake, BinResponse
from hookbin.models.bins import Age, Bin, Count, Verify, VerifyOptions
from hookbin.models.webhooks import NO_SIGNATURE, Webhook
from hookbin.shapes.common import fields_of
from hookbin.shapes.sending import SendingOptions
from hookbin.signatures.schemes import SchemeName
from hookbin.signatures.secrets import MAX_SECRET, hint


class BinVerify(VerifyOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How signatures are checked. What follows the secret is for the scheme `hmac` alone."""

    scheme: SchemeName
    secret: Annotated[
        Annotated[str, Meta(max_length=MAX_SECRET)] | UnsetType,
        Meta(
            description="As the provider shows it. Shown masked, whole with `?secret=true`; "
            "left out in a change of the same scheme, it stays.",
        ),
    ] = UNSET


Signing = Literal["original", "fresh"]
"""With the signature it came with, or with one of ours."""


class NewTarget(SendingOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a bin forwards what it captures to."""

    destination: Annotated[str, Meta(description="An http or https URL; path and query below the bin are added.")]
    signature: Annotated[Signing, Meta(description="As it came, or made anew.")] = "original"
    secret: Annotated[
        str | None, Meta(description="`whsec_…` to sign anew with; without one that of `verify` is used.")
    ] = None


Targets = Annotated[
    list[NewTarget], Meta(max_length=MAX_TARGETS, description="Where each captured request is sent on to.")
]


class TargetShape(Struct, frozen=True, kw_only=True):
    id: str
    destination: str
    signature: Signing
    retry_schedule: list[float]
    retry_on: list[str]
    timeout: float
    max_in_flight: int
    disabled: bool
    disabled_reason: str | None


class NewBin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str | None, Meta(description="`[a-z0-9][a-z0-9-]{0,62}`; without one the id is the address.")] = (
        None
    )
    response: BinResponse | UnsetType = UNSET
    preset: Annotated[str | UnsetType, Meta(description="The response of that name: see `GET /presets`.")] = UNSET
    verify: BinVerify | None = None
    max_requests: Count | UnsetType = UNSET
    max_age: Age | UnsetType | None = UNSET
    forward: Targets = []


class BinChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; null puts the default back."""

    name: str | UnsetType | None = UNSET
    response: BinResponse | UnsetType | None = UNSET
    preset: Annotated[str | UnsetType, Meta(description="The response of that name: see `GET /presets`.")] = UNSET
    verify: BinVerify | UnsetType | None = UNSET
    max_requests: Count | UnsetType | None = UNSET
    max_age: Age | UnsetType | None = UNSET
    forward: Targets | UnsetType | None = UNSET


class BinShape(Struct, frozen=True, kw_only=True):
    id: str
    name: str | None
    url: str
    created_at: str
    request_count: int
    response: BinResponse
    sequence_position: Annotated[int, Meta(description="Answers that the sequence has given since it began.")]
    sequence_next: Annotated[int | None, Meta(description="The index of the step that answers next.")]
    verify: BinVerify | None
    max_requests: int
    max_age: int | None
    forward: list[TargetShape]


_BIN = fields_of(Bin, BinShape)
_TARGET = fields_of(Webhook, TargetShape)


def bin_shape(
    bin: Bin,
    *,
    url: str,
    request_count: int,
    sequence_position: int,
    forward: Sequence[Webhook],
    with_secret: bool = False,
) -> BinShape:
    fields = _BIN(bin) | {
        "response": response_shape(bin.response),
        "verify": None if bin.verify is None else _verify_shape(bin.verify, with_secret=with_secret),
    }
    return BinShape(
        **fields,
        url=url,
        request_count=request_count,
        sequence_position=sequence_position,
        sequence_next=next_step(bin.response, sequence_position),
        forward=[_target_shape(target) for target in forward],
    )


def _target_shape(target: Webhook) -> TargetShape:
    return TargetShape(**_TARGET(target), signature="original" if target.signature_style == NO_SIGNATURE else "fresh")


def response_shape(response: BinResponse) -> BinResponse:
    """All of it but the secret of its handshake."""
    if response.handshake is None:
        return response
    return msgspec.structs.replace(response, handshake=BinHandshake(provider=response.handshake.provider))


def _verify_shape(verify: Verify, *, with_secret: bool) -> BinVerify:
    shape = BinVerify(**msgspec.structs.asdict(verify))
    return shape if with_secret else msgspec.structs.replace(shape, secret=hint(verify.secret))
