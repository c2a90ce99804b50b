"""What an attempt makes of its delivery, and of the webhook: written with the attempt in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hookbin.delivery import retries
from hookbin.models.deliveries import Action, Attempt, Delivery, DeliveryState
from hookbin.models.webhooks import Webhook
from hookbin.store import delivery_states, webhooks
from hookbin.store.delivery_states import STATUS, DeliveryStatus
from hookbin.store.publishing import MetaEvents, insert
from hookbin.store.rows import ATTEMPTS
from hookbin.store.transaction import Transaction

_STANDING = (
    f"SELECT {', '.join(f'd.{field}' for field in STATUS)}, w.disable_after, w.exhausted_in_a_row, w.generation"
    " FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id WHERE d.id IN (SELECT value FROM json_each(?))"
)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that has ended; `DeliveryStore.finish` tells what the rest means."""

    attempt: Attempt
    began: Delivery
    generation: int
    """The webhook's when the attempt began."""
    action: Action
    disable: str | None
    meta_events: MetaEvents

    @property
    def ended_at(self) -> int:
        return self.attempt.started_at + self.attempt.duration


def finish_all(transaction: Transaction, endings: Sequence[Ending]) -> list[Attempt]:
    """Write what has ended, in few statements as long as all of it only concerns its own delivery."""
    standing = _standing(transaction, endings)
    if len(standing) < len(endings):  # one is no longer kept, or is there twice
        return [finish_one(transaction, ending) for ending in endings]
    attempts, changed = [], []
    for ending in endings:
        before = standing[ending.attempt.delivery_id]
        attempt, status = _outcome(before, ending)
        if _concerns_more(before, attempt, ending):
            return [finish_one(transaction, ending) for ending in endings]
        attempts.append(attempt)
        changed.append(status)
    _write(transaction, attempts, changed)
    return attempts


def finish_one(transaction: Transaction, ending: Ending) -> Attempt:
    """Write an attempt with all that it brings about; nothing is written if its delivery is no longer kept."""
    before = _standing(transaction, [ending]).get(ending.attempt.delivery_id)
    if before is None:
        return msgspec.structs.replace(ending.attempt, next_attempt_at=None)
    attempt, status = _outcome(before, ending)
    _write(transaction, [attempt], [status])
    edited = None
    if ending.generation == before.generation:
        edited = _change_webhook(transaction, before, attempt, ending.disable, now=ending.ended_at)
    if attempt.delivery_state is DeliveryState.FAILED and ending.meta_events.exhausted is not None:
        insert(transaction, ending.meta_events.exhausted)
    if edited is not None and edited.is_newly_disabled and ending.meta_events.disabled is not None:
        insert(transaction, ending.meta_events.disabled(edited.webhook))
    return attempt


def _write(transaction: Transaction, attempts: Sequence[Attempt], changed: Sequence[DeliveryStatus]) -> None:
    transaction.record(*attempts)
    transaction.insert_rows(ATTEMPTS.insert, list(map(ATTEMPTS.values, attempts)))
    delivery_states.write(transaction, changed)


def _outcome(before: _Standing, ending: Ending) -> tuple[Attempt, DeliveryStatus]:
    """The attempt as it is to be written, and how its delivery stands after it."""
    after = delivery_states.after_attempt(before, ending.began, ending.attempt, ending.action)
    attempt = msgspec.structs.replace(ending.attempt, delivery_state=after.state, next_attempt_at=after.next_attempt_at)
    return attempt, after


def _concerns_more(before: _Standing, attempt: Attempt, ending: Ending) -> bool:
    """Whether the webhook changes with it, or an event tells of it."""
    failed = attempt.delivery_state is DeliveryState.FAILED
    counts = before.disable_after is not None and (failed or before.exhausted_in_a_row > 0)
    changes = ending.generation == before.generation and (ending.disable is not None or counts)
    return changes or (failed and ending.meta_events.exhausted is not None)


class _Standing(DeliveryStatus, frozen=True, kw_only=True, array_like=True):
    """How a delivery and its webhook stand when an attempt is recorded."""

    disable_after: int | None
    exhausted_in_a_row: int
    generation: int


def _standing(transaction: Transaction, endings: Sequence[Ending]) -> dict[str, _Standing]:
    ids = msgspec.json.encode([ending.attempt.delivery_id for ending in endings]).decode()
    rows = transaction.execute(_STANDING, (ids,)).fetchall()
    return {standing.id: standing for standing in msgspec.convert(rows, list[_Standing])}


def _change_webhook(
    transaction: Transaction, before: _Standing, attempt: Attempt, disable: str | None, *, now: int
) -> webhooks.Edited | None:
    """Count the failures in a row where that is asked for, and disable the webhook if there is a reason to."""
    count = before.exhausted_in_a_row
    if before.disable_after is not None:
        count = retries.streak(count, attempt.delivery_state, trigger=attempt.trigger)
        if disable is None and count >= before.disable_after:
            disable = retries.explain_streak(count, last_status=attempt.status, last_error=attempt.error)
    if disable is None and count == before.exhausted_in_a_row:
        return None

    def count_and_disable(webhook: Webhook) -> Webhook:
        webhook = msgspec.structs.replace(webhook, exhausted_in_a_row=count)
        if disable is None or webhook.disabled:
            return webhook
        return msgspec.structs.replace(webhook, disabled=True, disabled_reason=disable)

    return webhooks.edit(transaction, attempt.webhook_id, count_and_disable, now=now)
