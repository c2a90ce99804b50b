"""What goes out in an attempt: the headers, and what stands in each."""

from __future__ import annotations

from functools import lru_cache

import httpx

from hookbin import __version__
from hookbin.models import SECOND, Event, Headers, Webhook, attempt_id
from hookbin.signing import live_secrets
from hookbin.styles import Message, signature_headers

USER_AGENT = f"hookbin/{__version__}"
REQUEST_ORIGIN = "webhook-request-origin"
"""CloudEvents, HTTP 1.1 Web Hooks, 4.1.2: in the handshake and in each delivery after it."""
_DEFAULTS = (("user-agent", USER_AGENT), ("accept", "*/*"))
"""What the owner's headers may replace."""


def request_headers(
    webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int, origin: str
) -> Headers:
    """The headers of one attempt, all that go out, secrets in clear; `timestamp` is this attempt's second.

    `origin` is the name that a destination has agreed to be sent to by, if it was asked.
    """
    message = Message(id=event.id, type=event.type, timestamp=timestamp, body=event.body)
    secrets = live_secrets(webhook, now=timestamp * SECOND)
    return (
        *opening(webhook.destination, chosen=webhook.headers, size=len(event.body)),
        ("content-type", event.content_type),
        *signature_headers(webhook.signature_style, secrets, message),
        ("hookbin-event-type", event.type),
        ("hookbin-delivery-id", delivery_id),
        ("hookbin-attempt-id", attempt_id(delivery_id, number)),
        ("hookbin-attempt-number", str(number)),
        ("hookbin-hops", str(event.hops + 1)),
        *([] if webhook.handshake is None else [(REQUEST_ORIGIN, origin)]),
        *webhook.headers,
    )


def opening(destination: str, *, chosen: Headers, size: int) -> Headers:
    """What every request begins with; `chosen` are the owner's headers, which may replace some of it."""
    names = {name.lower() for name, _ in chosen}
    return (
        ("host", _host(destination)),
        ("content-length", str(size)),
        *[default for default in _DEFAULTS if default[0] not in names],
    )


@lru_cache(maxsize=4096)
def _host(destination: str) -> str:
    return httpx.URL(destination).netloc.decode()
