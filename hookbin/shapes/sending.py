"""The options that webhooks and forward targets have in common, and the types of those that a change has too."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from hookbin.delivery.limits import (
    MAX_AT_ONCE,
    MAX_EXHAUSTED,
    MAX_HEARTBEAT,
    MAX_PATTERNS,
    MAX_RATE,
    MAX_TIMEOUT,
    MIN_RATE,
)
from hookbin.delivery.retries import RETRY_ON, SCHEDULES

Patterns: TypeAlias = Annotated[list[str], Meta(min_length=1, max_length=MAX_PATTERNS)]
Timeout: TypeAlias = Annotated[float, Meta(gt=0, le=MAX_TIMEOUT)]
AtOnce: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_AT_ONCE)]
RateLimit: TypeAlias = Annotated[float, Meta(ge=MIN_RATE, le=MAX_RATE)]
DisableAfter: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_EXHAUSTED)]
Heartbeat: TypeAlias = Annotated[float, Meta(ge=1, le=MAX_HEARTBEAT)]


class SendingOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    retry_schedule: Annotated[
        str | list[float] | None, Meta(description=f"Seconds before each retry, or {', '.join(SCHEDULES)}.")
    ] = None
    retry_on: Annotated[list[str] | None, Meta(description=f"Of {', '.join(RETRY_ON)}.")] = None
    timeout: Annotated[Timeout, Meta(description="Seconds that one attempt may take in all.")] = 15.0
    max_in_flight: Annotated[AtOnce, Meta(description="Attempts under way at once.")] = 8
