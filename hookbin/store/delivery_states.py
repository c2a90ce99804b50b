"""The one place where a delivery's state changes: by the table `TRANSITIONS`, and by one statement."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hookbin.models.deliveries import TRANSITIONS, Action, Attempt, CancelReason, Delivery, DeliveryState, Trigger
from hookbin.store.transaction import Transaction


class DeliveryStatus(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What of a delivery changes in the course of its life; a row converts to it as it is."""

    id: str
    state: DeliveryState
    attempt_count: int
    next_attempt_at: int | None
    next_trigger: Trigger
    finished_at: int | None
    cancel_reason: CancelReason | None


STATUS = DeliveryStatus.__struct_fields__
"""The columns of `deliveries` that change."""
_UPDATE, _FROM = (
    f"WITH changed ({', '.join(STATUS)}) AS (",
    f") UPDATE deliveries SET {', '.join(f'{field} = changed.{field}' for field in STATUS[1:])}"
    " FROM changed WHERE deliveries.id = changed.id",
)
_UPDATE_ROWS = f"{_UPDATE}VALUES ({', '.join('?' * len(STATUS))}){{more}}{_FROM}"
_CANCEL_PENDING = (
    f"{_UPDATE}SELECT id, ?, attempt_count, NULL, ?, ?, ? FROM deliveries"
    f" WHERE webhook_id = ? AND state = '{DeliveryState.PENDING}'{_FROM}"
)

_IS_PLAIN = "NOT EXISTS (SELECT 1 FROM events e WHERE e.id = d.event_id AND e.deliver_at = d.next_attempt_at)"
"""Not an appointment, that is, which is kept however the clock is set."""
_RESCHEDULE = (
    f"{_UPDATE}SELECT id, state, attempt_count, {{due}}, next_trigger, finished_at, cancel_reason FROM deliveries d"
    f" WHERE state = '{DeliveryState.PENDING}' AND next_attempt_at > {{after}} AND {_IS_PLAIN}{{more}}{_FROM}"
)
_SHIFT_PENDING = _RESCHEDULE.format(
    due="next_attempt_at + ?1",
    after="min(?2, ?2 - ?1)",
    more=" AND id NOT IN (SELECT value FROM json_each(?3))",
)
_KEEP_TO_INTERVALS = _RESCHEDULE.format(
    due=(
        "min(next_attempt_at, ?1 + ifnull((SELECT a.next_attempt_at - a.started_at - a.duration FROM attempts a"
        f" WHERE a.delivery_id = d.id AND a.number = d.attempt_count AND d.next_trigger = '{Trigger.AUTO}'), 0))"
    ),
    after="?1",
    more=f" AND (?2 OR d.next_trigger = '{Trigger.MANUAL}' OR d.attempt_count = 0)",  # these were due at once
)
_LAST_TIME = (
    "SELECT max((SELECT ifnull(max(created_at), 0) FROM (SELECT created_at FROM events ORDER BY seq DESC LIMIT 100)),"
    " (SELECT ifnull(max(started_at + duration), 0) FROM (SELECT started_at, duration FROM attempts ORDER BY seq DESC"
    " LIMIT 100)))"
)
"""The latest that the last rows of the log speak of."""


def is_possible(delivery: Delivery, action: Action) -> bool:
    """Whether the table allows it."""
    return (delivery.state, action) in TRANSITIONS


def change(
    transaction: Transaction, delivery: Delivery, action: Action, *, at: int, reason: CancelReason | None = None
) -> Delivery:
    """Inside a transaction: do to a delivery what is possible, other than by an attempt, and announce it.

    `at` is when it is due, as a manual attempt, or when it has ended.
    """
    state = TRANSITIONS[delivery.state, action]
    after = _status(delivery, state, delivery.attempt_count, due=at, trigger=Trigger.MANUAL, ended_at=at, reason=reason)
    write(transaction, [after])
    changed = msgspec.structs.replace(delivery, **msgspec.structs.asdict(after))
    transaction.announce(changed)
    return changed


def cancel_pending(transaction: Transaction, webhook_id: str, *, now: int, reason: CancelReason) -> None:
    """Inside a transaction: cancel all that is pending for a webhook, of which the webhook's own change tells."""
    state = TRANSITIONS[DeliveryState.PENDING, Action.CANCEL]
    transaction.execute(_CANCEL_PENDING, (state, Trigger.AUTO, now, reason, webhook_id))


def shift_pending(transaction: Transaction, by: int, *, now: int, but: Sequence[str]) -> None:
    """Inside a transaction: move what waits by as much as the clock was set to be `now`, apart from those `but`."""
    transaction.execute(_SHIFT_PENDING, (by, now, msgspec.json.encode(but).decode()))


def keep_to_intervals(transaction: Transaction, *, now: int) -> None:
    """Inside a transaction: let nothing wait longer from `now` on than it was to wait from its last attempt on.

    What waits for a retry does so only if the log's last rows come from the future, as they seem to when the clock was
    set back before a restart.
    """
    ((last,),) = transaction.execute(_LAST_TIME)
    transaction.execute(_KEEP_TO_INTERVALS, (now, now < last))


def after_attempt(before: DeliveryStatus, began: Delivery, attempt: Attempt, action: Action) -> DeliveryStatus:
    """How a delivery stands after an attempt at it whose outcome means `action`; `write` it with the attempt.

    `before` is how it stands by now, `began` how it did when the attempt began. What was asked for in
    between stays due, unless the attempt got through.
    """
    state, due, trigger = TRANSITIONS[before.state, action], attempt.next_attempt_at, Trigger.AUTO
    asked_meanwhile = (before.next_attempt_at, before.next_trigger) != (began.next_attempt_at, began.next_trigger)
    if asked_meanwhile and before.state is DeliveryState.PENDING and action is not Action.SUCCEED:
        state, due, trigger = before.state, before.next_attempt_at, before.next_trigger
    ended_at = attempt.started_at + attempt.duration
    return _status(
        before, state, attempt.number, due=due, trigger=trigger, ended_at=ended_at, reason=before.cancel_reason
    )


def write(transaction: Transaction, changed: Sequence[DeliveryStatus]) -> None:
    """Inside a transaction: write how deliveries stand by now, in few statements."""
    transaction.run_with_rows(_UPDATE_ROWS, [msgspec.structs.astuple(each) for each in changed])


def _status(
    before: Delivery | DeliveryStatus,
    state: DeliveryState,
    attempt_count: int,
    *,
    due: int | None,
    trigger: Trigger,
    ended_at: int,
    reason: CancelReason | None,
) -> DeliveryStatus:
    is_pending = state is DeliveryState.PENDING
    return DeliveryStatus(
        id=before.id,
        state=state,
        attempt_count=attempt_count,
        next_attempt_at=due if is_pending else None,
        next_trigger=trigger if is_pending else Trigger.AUTO,
        finished_at=None if is_pending else ended_at,
        cancel_reason=reason if state is DeliveryState.CANCELLED else None,
    )
