"""One sentence on how a delivery stands and what happens next, from the table that decided (`retries.classify`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from hookbin.delivery.retries import DEFAULT_RETRY_ON, Kind, classify
from hookbin.models.deliveries import CancelReason, DeliveryState, ErrorClass, Trigger


class Hold(StrEnum):
    """What a pending delivery waits for, if not for its time alone."""

    UNDER_WAY = "under_way"
    PAUSED = "paused"
    PUBLISHER = "publisher"
    RECEIVER = "receiver"
    ORDER = "order"
    RATE = "rate"
    PLACE = "place"


_PENDING: Mapping[Hold | None, str] = MappingProxyType(
    {
        None: "{attempt} follows{at}.",
        Hold.UNDER_WAY: "{attempt} is under way now.",
        Hold.PAUSED: "{attempt} waits: its webhook is paused, and nothing is sent until it is resumed.",
        Hold.PUBLISHER: "{attempt} follows{at}, as its publisher asked.",
        Hold.RECEIVER: "{attempt} follows{at}, as the answer's Retry-After asked.",
        Hold.ORDER: "{attempt} follows after {what} which comes first: its webhook takes one at a time, in order.",
        Hold.RATE: "{attempt} is due and waits for its turn: its webhook takes {what}.",
        Hold.PLACE: "{attempt} is due and begins as soon as there is a place for it.",
    }
)
_CANCELLED: Mapping[CancelReason | None, tuple[str, str]] = MappingProxyType(
    {
        None: ("Cancelled{when}", "retry it to send it"),
        CancelReason.OWNER: ("Cancelled by hand{when}", "retry it to send it"),
        CancelReason.WEBHOOK_DISABLED: (
            "Cancelled{when} because its webhook was disabled",
            "enable that and retry it to send it",
        ),
        CancelReason.WEBHOOK_DELETED: ("Cancelled{when} because its webhook was deleted", "nothing more is sent"),
        CancelReason.LOOP: (
            "Not sent: it goes in a circle, since it came through this bin or webhook before, or through too many",
            "take out what leads back, or retry it to send it once",
        ),
        CancelReason.DOT_SEGMENTS: (
            "Not sent on: the request's path has dot segments, which could lead out of the destination's path",
            "retry it to send it all the same",
        ),
    }
)
"""Why, and what to do."""


class Waiting(Struct, frozen=True):
    """What a delivery waits for; `what` is the delivery before it with a comma, or the rate."""

    hold: Hold | None = None
    what: str = ""

    @property
    def is_timed(self) -> bool:
        """Whether the next attempt begins at its time, and not at that of something else."""
        return self.hold in (None, Hold.PUBLISHER, Hold.RECEIVER)


ITS_TIME = Waiting()


def explain(
    *,
    state: DeliveryState,
    attempt_count: int,
    next_attempt_at_text: str | None,
    last_status: int | None,
    last_error: ErrorClass | None,
    retry_on: Collection[str],
    schedule_length: int,
    next_trigger: Trigger = Trigger.AUTO,
    waiting: Waiting = ITS_TIME,
    cancel_reason: CancelReason | None = None,
    disabled_reason: str | None = None,
    was_disabled: bool = True,
) -> str:
    """One sentence on where a delivery stands and what happens next.

    `schedule_length` counts retries, so there is one attempt more. `disabled_reason` says why its webhook
    is disabled, if it is. `was_disabled` is False when an outcome that disables did not: the destination of a single
    replay can't be, and what an older destination answered, or one before the webhook was enabled anew, says nothing.
    """
    if state is DeliveryState.SUCCEEDED:
        return f"Delivered on attempt {attempt_count}" + (f" with {last_status}." if last_status else ".")
    if state is DeliveryState.CANCELLED:
        return _explain_cancelled(attempt_count, cancel_reason, is_under_way=waiting.hold is Hold.UNDER_WAY)
    if state is DeliveryState.PENDING and not attempt_count and waiting.hold is None:
        due = f", due at {next_attempt_at_text}" if next_attempt_at_text else ""
        return f"Waiting for its first attempt{due}."
    kind = classify(last_status, last_error)
    retried = kind.is_retried(retry_on)
    what = kind.meaning.format(status=last_status) + (f" ({last_error})" if last_error else "")
    if state is DeliveryState.PENDING:
        number = attempt_count + 1
        place = f" of {schedule_length + 1}" if retried and number <= schedule_length + 1 else ""
        aside = "" if retried else ", which is not retried by itself"
        by_hand = ", asked for by hand," if next_trigger is Trigger.MANUAL else ""
        attempt = f"{what}{aside}; attempt {number}{place}" if attempt_count else "Its first attempt"
        at = f" at {next_attempt_at_text}" if next_attempt_at_text else ""
        return _PENDING[waiting.hold].format(attempt=attempt + by_hand, at=at, what=waiting.what)
    disables = kind.disables and was_disabled
    if not retried:
        why = f"{what}, {_consequence(kind, disables=disables)}"
    elif attempt_count <= schedule_length:
        why = f"{what}; nothing more is planned, so retry it to send it again"
    elif attempt_count == 1:
        why = f"{what}, and its webhook's schedule has no retries"
    else:
        got = last_status if last_error is None else f"no answer ({last_error})"
        why = f"{_all(attempt_count)} attempts failed, the last got {got}, and nothing more is planned"
    if disabled_reason is None or disables:
        return f"{why}."
    return f"{why}; its webhook is disabled ({disabled_reason})."


def _consequence(kind: Kind, *, disables: bool) -> str:
    """What followed from an outcome that was not retried."""
    if disables:
        return "so its webhook was disabled"
    return "which this webhook does not retry" if kind.is_retried(DEFAULT_RETRY_ON) else "so it was not retried"


def _all(count: int) -> str:
    return "Both" if count == 2 else f"All {count}"


def _explain_cancelled(attempt_count: int, reason: CancelReason | None, *, is_under_way: bool) -> str:
    why, next_step = _CANCELLED[reason]
    if is_under_way:
        return f"{why.format(when='')} while attempt {attempt_count + 1} was under way: if that succeeds, so has it."
    plural = "" if attempt_count == 1 else "s"
    when = f" after {attempt_count} attempt{plural}" if attempt_count else " before its first attempt"
    again = " again" if attempt_count and next_step.endswith("send it") else ""
    return f"{why.format(when=when)}; {next_step}{again}."
