"""Sample events: what well-known senders post, written by us in the shapes that they document.

They stand in `samples.json`. Sources, each read for its current shape: docs.github.com "Webhook events
and payloads", docs.stripe.com "The Event object" and "The Invoice object", shopify.dev "Webhooks",
docs.slack.dev "Events API". All names, ids and amounts are made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from hookbin import errors
from hookbin.models.common import Headers

DEFAULT = "user.created"


class Sample(Struct, frozen=True, kw_only=True):
    """One event to try a receiver with."""

    type: str
    """Its name here, with the sender's in front."""
    provider: str
    description: str
    headers: Headers
    """What the sender says in headers beside the signature; none for an event of our own form."""
    data: Mapping[str, Any]
    """The body, or what stands in `data` of an event of our own form."""

    @property
    def is_ours(self) -> bool:
        return not self.headers

    @property
    def body(self) -> bytes:
        return msgspec.json.encode(self.data)


SAMPLES = msgspec.json.decode(files(__package__).joinpath("samples.json").read_bytes(), type=tuple[Sample, ...])
"""In the order in which they are listed."""
_BY_NAME = MappingProxyType(
    {
        **{sample.type.partition(".")[2]: sample for sample in SAMPLES if not sample.is_ours},
        **{sample.type: sample for sample in SAMPLES},
    }
)


def find(type: str) -> Sample:
    """The sample of that name, with or without the provider in front. Raises `FieldsInvalid`."""
    if type not in _BY_NAME:
        known = ", ".join(sample.type for sample in SAMPLES)
        raise errors.FieldsInvalid(("type", f"{type[:64]!r} is no sample; known are {known}"))
    return _BY_NAME[type]
