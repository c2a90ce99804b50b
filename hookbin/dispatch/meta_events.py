"""Meta events: what hookbin tells of itself, as events like any other.

`delivery.exhausted` when a delivery has failed for good by itself, `webhook.disabled` when a webhook or
a forward target was disabled. A transaction that brings one of these about writes the event too: it is
there once, whatever crashes in between (a transactional outbox). Of a delivery that brings a meta event none is made.
"""

from __future__ import annotations

import msgspec

from hookbin.delivery.explanations import explain
from hookbin.dispatch.event_factory import EventFactory, envelope
from hookbin.dispatch.publisher import EVERYTHING, wants
from hookbin.models.deliveries import Action, Attempt, DeliveryState, Trigger
from hookbin.models.events import Event
from hookbin.models.webhooks import Webhook, WebhookKind
from hookbin.names import DELIVERY_EXHAUSTED, META_EVENTS, WEBHOOK_DISABLED
from hookbin.store.publishing import DisabledEventMaker, MetaEvents, Publication
from hookbin.store.webhooks import WebhookStore


class MetaEventMaker:
    """Prepares meta events; one that is not written in the end takes no number of the log."""

    def __init__(self, webhooks: WebhookStore, factory: EventFactory) -> None:
        self._webhooks = webhooks
        self._factory = factory

    def of_attempt(self, attempt: Attempt, webhook: Webhook, *, action: Action, event: Event) -> MetaEvents:
        """What may have to be published of an attempt to send `event` whose outcome means `action`."""
        if action is not Action.FAIL:
            return MetaEvents()
        exhausted, hops, trail = None, event.hops, event.trail
        if attempt.trigger is Trigger.AUTO and attempt.event_type not in META_EVENTS:
            exhausted = self._publication(DELIVERY_EXHAUSTED, _of_delivery(attempt, webhook), hops=hops, trail=trail)
        return MetaEvents(exhausted=exhausted, disabled=self.of_disabling(webhook, hops=hops, trail=trail))

    def of_disabling(self, webhook: Webhook, *, hops: int = 0, trail: str = "") -> DisabledEventMaker | None:
        """Makes the event to publish if the webhook is disabled; None for a destination of single requests."""
        if webhook.kind is WebhookKind.ONCE:
            return None
        prepared = self._publication(WEBHOOK_DISABLED, {}, hops=hops, trail=trail)

        def complete(disabled: Webhook) -> Publication:
            data = msgspec.json.encode(_of_webhook(disabled))
            body = envelope(WEBHOOK_DISABLED, data, now=prepared.event.created_at)
            event = msgspec.structs.replace(prepared.event, body=body, size=len(body))
            return msgspec.structs.replace(prepared, event=event)

        return complete

    def _publication(self, type: str, data: dict[str, object], *, hops: int, trail: str) -> Publication:
        event = self._factory.event(type, msgspec.json.encode(data), hops=hops, trail=trail)
        wanted = (  # most ask for everything, and so not for this: told at a glance, since there may be many
            webhook for webhook in self._webhooks.all() if webhook.events != EVERYTHING and wants(webhook, type)
        )
        return self._factory.publication(event, wanted)


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
