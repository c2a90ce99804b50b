"""Meta events: what hookbin tells of itself, as events like any other.

`delivery.exhausted` when a delivery has failed for good by itself, `webhook.disabled` when a webhook or
a forward target was disabled. A transaction that brings one of these about writes the event too: it is
there once, whatever crashes in between. Of a delivery that brings a meta event none is made.
"""

from __future__ import annotations

import msgspec

from hookbin.clock import Clock, Ids, rfc3339
from hookbin.delivery.explanations import explain
from hookbin.dispatch.publisher import EVERYTHING, wants
from hookbin.models.deliveries import Action, Attempt, Delivery, DeliveryState, Trigger, pending_delivery
from hookbin.models.events import Event
from hookbin.models.webhooks import Webhook, WebhookKind
from hookbin.names import DELIVERY_EXHAUSTED, META_EVENTS, WEBHOOK_DISABLED
from hookbin.store.publishing import Notice, Notices, Publication
from hookbin.store.webhooks import WebhookStore


class MetaEventMaker:
    """Prepares meta events; one that is not written in the end takes no number of the log."""

    def __init__(self, webhooks: WebhookStore, *, clock: Clock, ids: Ids) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._ids = ids

    def of_attempt(self, attempt: Attempt, webhook: Webhook, *, action: Action, hops: int) -> Notices:
        """What may have to be told of an attempt whose outcome means `action`; `hops` are its event's."""
        if action is not Action.FAIL:
            return Notices()
        exhausted = None
        if attempt.trigger is Trigger.AUTO and attempt.event_type not in META_EVENTS:
            exhausted = self._publication(DELIVERY_EXHAUSTED, _of_delivery(attempt, webhook), hops=hops)
        return Notices(exhausted=exhausted, disabled=self.of_disabling(webhook, hops=hops))

    def of_disabling(self, webhook: Webhook, *, hops: int = 0) -> Notice | None:
        """What is to be told if the webhook is disabled; None for a destination of single requests."""
        if webhook.kind is WebhookKind.ONCE:
            return None
        prepared = self._publication(WEBHOOK_DISABLED, {}, hops=hops)

        def notice(disabled: Webhook) -> Publication:
            body = _body(WEBHOOK_DISABLED, prepared.event.created_at, _of_webhook(disabled))
            event = msgspec.structs.replace(prepared.event, body=body, size=len(body))
            return msgspec.structs.replace(prepared, event=event)

        return notice

    def _publication(self, type: str, data: dict[str, object], *, hops: int) -> Publication:
        now = self._clock.now()
        body = _body(type, now, data)
        event = Event(
            id=self._ids.event(),
            type=type,
            created_at=now,
            deliver_at=None,
            content_type="application/json",
            idempotency_key=None,
            hops=hops,
            request_id=None,
            size=len(body),
            fingerprint=b"",
            original=None,
            body=body,
        )
        wanted = (  # most ask for everything, and so not for this: told at a glance, since there may be many
            webhook for webhook in self._webhooks.all() if webhook.events != EVERYTHING and wants(webhook, type)
        )
        return Publication(event=event, deliveries=tuple(self._delivery(event, webhook) for webhook in wanted))

    def _delivery(self, event: Event, webhook: Webhook) -> Delivery:
        return pending_delivery(
            self._ids.delivery(),
            webhook,
            event_id=event.id,
            event_type=event.type,
            created_at=event.created_at,
            due=event.created_at,
            turn=event.created_at,
        )


def _body(type: str, now: int, data: dict[str, object]) -> bytes:
    return msgspec.json.encode({"type": type, "timestamp": rfc3339(now), "data": data})


def _of_delivery(attempt: Attempt, webhook: Webhook) -> dict[str, object]:
    explanation = explain(
        state=DeliveryState.FAILED,
        attempt_count=attempt.number,
        next_attempt_at_text=None,
        last_status=attempt.status,
        last_error=attempt.error,
        retry_on=webhook.retry_on,
        schedule_length=len(webhook.retry_schedule),
    )
    return {
        "delivery_id": attempt.delivery_id,
        "event_id": attempt.event_id,
        "event_type": attempt.event_type,
        "webhook_id": webhook.id,
        "webhook_name": webhook.name,
        "destination": webhook.destination,
        "attempt_count": attempt.number,
        "last_status": attempt.status,
        "last_error": attempt.error,
        "explanation": explanation,
    }


def _of_webhook(webhook: Webhook) -> dict[str, object]:
    return {
        "webhook_id": webhook.id,
        "name": webhook.name,
        "destination": webhook.destination,
        "kind": webhook.kind,
        "bin_id": webhook.bin_id,
        "reason": webhook.disabled_reason,
    }
