"""What goes out in an attempt: method, URL and headers, and what stands in each."""

from __future__ import annotations

from functools import lru_cache

import httpx

from hookbin import __version__
from hookbin.delivery import trails
from hookbin.dispatch import forwarded_request
from hookbin.http_fields import first_value
from hookbin.models.common import SECOND, Headers
from hookbin.models.deliveries import attempt_id
from hookbin.models.events import Event
from hookbin.models.webhooks import NO_SIGNATURE, Webhook
from hookbin.signatures.rotation import live_secrets
from hookbin.signatures.scheme import Message
from hookbin.signatures.styles import STYLES, signature_headers

USER_AGENT = f"hookbin/{__version__}"
REQUEST_ORIGIN = "webhook-request-origin"
"""CloudEvents, HTTP 1.1 Web Hooks, 4.1.2: in the handshake and in each delivery after it."""
_DEFAULTS: Headers = (("user-agent", USER_AGENT), ("accept", "*/*"))
"""What the owner's headers may replace."""


def method(event: Event) -> str:
    return "POST" if event.original is None else event.original.method


def url(webhook: Webhook, event: Event) -> str:
    return webhook.destination if event.original is None else forwarded_request.url(webhook.destination, event.original)


def of_attempt(
    webhook: Webhook, event: Event, *, delivery_id: str, number: int, timestamp: int, origin: str, trail: str
) -> Headers:
    """The headers of one attempt, all that go out, secrets in clear; `timestamp` is this attempt's second.

    `origin` is the name that a destination has agreed to be sent to by, if it was asked; `trail` what `delivery.trails`
    says of the chain with this webhook.
    """
    signature = _signature(webhook, event, timestamp=timestamp)
    return (
        *_content(webhook, event, signature),
        *signature,
        ("hookbin-event-type", event.type),
        ("hookbin-delivery-id", delivery_id),
        ("hookbin-attempt-id", attempt_id(delivery_id, number)),
        ("hookbin-attempt-number", str(number)),
        ("hookbin-hops", str(event.hops + 1)),
        (trails.HEADER, trail),
        *(() if webhook.handshake is None else ((REQUEST_ORIGIN, origin),)),
        *webhook.headers,
    )


def opening(destination: str, *, chosen: Headers, size: int) -> Headers:
    """What every request begins with; `chosen` are the owner's headers, which may replace some of it."""
    defaults = _DEFAULTS
    if chosen:
        names = {name.lower() for name, _ in chosen}
        defaults = tuple(default for default in _DEFAULTS if default[0] not in names)
    return (("host", _host(destination)), ("content-length", str(size)), *defaults)


@lru_cache(maxsize=4096)
def _host(destination: str) -> str:
    return httpx.URL(destination).netloc.decode()


def _content(webhook: Webhook, event: Event, signature: Headers) -> Headers:
    if event.original is None:
        opened = opening(webhook.destination, chosen=webhook.headers, size=event.size)
        if event.content_encoding is not None and first_value(webhook.headers, "content-encoding") is not None:
            return (*opened, *event.content_headers[:1])  # the owner's own says it
        return (*opened, *event.content_headers)
    replaced = {name.lower() for name, _ in (*webhook.headers, *signature)}
    kept = forwarded_request.headers(event.original, size=event.size, replaced=replaced)
    return (("host", _host(webhook.destination)), *kept)


def _signature(webhook: Webhook, event: Event, *, timestamp: int) -> Headers:
    """Ours; none for what goes out with the one it came with."""
    message = Message(id=event.id, type=event.type, timestamp=timestamp, body=event.body)
    secrets = live_secrets(webhook, now=timestamp * SECOND)
    if event.original is None:
        return signature_headers(webhook.signature_style, secrets, message)
    if event.original.keep_signature or webhook.signature_style == NO_SIGNATURE:
        return ()
    signed = signature_headers(webhook.signature_style, secrets, message)
    return tuple(pair for pair in signed if pair[0] not in STYLES[webhook.signature_style].beside)
