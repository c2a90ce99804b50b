"""What goes out in an attempt: the headers, and what stands in each."""

from __future__ import annotations

import httpx

from hookbin import __version__
from hookbin.models import SECOND, Event, Headers, Webhook, attempt_id
from hookbin.signing import live_secrets
from hookbin.styles import Message, signature_headers

USER_AGENT = f"hookbin/{__version__}"
_DEFAULTS = (("user-agent", USER_AGENT), ("accept", "*/*"))
"""What the owner's headers may replace."""


def request_headers(webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int) -> Headers:
    """The headers of one attempt, all that go out, secrets in clear; `timestamp` is this attempt's second."""
    chosen = {name.lower() for name, _ in webhook.headers}
    message = Message(id=event.id, type=event.type, timestamp=timestamp, body=event.body)
    secrets = live_secrets(webhook, now=timestamp * SECOND)
    return (
        ("host", httpx.URL(webhook.destination).netloc.decode()),
        ("content-length", str(len(event.body))),
        *[default for default in _DEFAULTS if default[0] not in chosen],
        ("content-type", event.content_type),
        *signature_headers(webhook.signature_style, secrets, message),
        ("hookbin-event-type", event.type),
        ("hookbin-delivery-id", delivery_id),
        ("hookbin-attempt-id", attempt_id(delivery_id, number)),
        ("hookbin-attempt-number", str(number)),
        ("hookbin-hops", str(event.hops + 1)),
        *webhook.headers,
    )
