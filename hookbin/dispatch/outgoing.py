"""What goes out in an attempt: the headers, and what stands in each."""

from __future__ import annotations

import httpx

from hookbin import __version__
from hookbin.models import Event, Webhook, attempt_id
from hookbin.signing import sign

USER_AGENT = f"hookbin/{__version__}"


def request_headers(
    webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int
) -> list[tuple[str, str]]:
    """The headers of one attempt, all that go out; the `webhook-` ones are those of Standard Webhooks."""
    return [
        ("host", httpx.URL(webhook.destination).netloc.decode()),
        ("content-length", str(len(event.body))),
        ("user-agent", USER_AGENT),
        ("accept", "*/*"),
        ("content-type", event.content_type),
        ("webhook-id", event.id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", sign((webhook.secret,), message_id=event.id, timestamp=timestamp, body=event.body)),
        ("hookbin-event-type", event.type),
        ("hookbin-delivery-id", delivery_id),
        ("hookbin-attempt-id", attempt_id(delivery_id, number)),
        ("hookbin-attempt-number", str(number)),
        ("hookbin-hops", str(event.hops + 1)),
    ]
