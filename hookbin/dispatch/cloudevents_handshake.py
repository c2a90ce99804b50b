"""CloudEvents' handshake: a destination is asked whether it wants what will be sent to it.

The rules are those of "HTTP 1.1 Web Hooks for Event Delivery", 4, "Abuse Protection":
https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md
"""

from __future__ import annotations

import re

from hookbin.dispatch.sender import Sender, Sent
from hookbin.errors import HandshakeRefused
from hookbin.models.webhooks import Webhook

_RATE = re.compile(r"[1-9][0-9]{0,8}")
_HIGHEST, _LOWEST = 1000.0, 0.01
"""What a webhook's `rate_limit` may be."""


async def agreed_rate(sender: Sender, webhook: Webhook) -> float | None:
    """The rate limit to go by, in attempts a second: the webhook's own, else the one that the destination sets.

    Raises `HandshakeRefused` when the destination does not say yes, or not to that rate.
    """
    rate = () if webhook.rate_limit is None else (("webhook-request-rate", str(_a_minute(webhook.rate_limit))),)
    sent = await sender.ask(webhook, rate)
    _check_origin(sent, sender.origin)
    allowed = _allowed_rate(sent)
    if allowed is None or (webhook.rate_limit is not None and _a_minute(webhook.rate_limit) <= allowed):
        return webhook.rate_limit
    if webhook.rate_limit is not None:
        raise HandshakeRefused(
            f"it allows {allowed} attempts a minute; send a rate_limit of {allowed / 60:g} or less", loc="rate_limit"
        )
    return min(_HIGHEST, max(_LOWEST, allowed / 60))


def _check_origin(sent: Sent, origin: str) -> None:
    if sent.status is None:
        raise HandshakeRefused(f"it could not be asked: {sent.error} ({sent.error_detail})", loc="destination")
    allowed = _field(sent, "webhook-allowed-origin")
    if allowed is None:
        raise HandshakeRefused(
            f"it answered OPTIONS with {sent.status} and no WebHook-Allowed-Origin; have it answer {origin} or *",
            loc="destination",
        )
    if allowed.lower() not in ("*", origin.lower()):
        raise HandshakeRefused(f"it allows {allowed[:100]!a} only; have it answer {origin} or *", loc="destination")


def _allowed_rate(sent: Sent) -> int | None:
    """Attempts a minute; None for any number."""
    value = _field(sent, "webhook-allowed-rate")
    if value is None or value == "*":
        return None
    if _RATE.fullmatch(value) is None:
        raise HandshakeRefused(
            f"its WebHook-Allowed-Rate is {value[:100]!a}; have it answer a positive number or *", loc="destination"
        )
    return int(value)


def _field(sent: Sent, wanted: str) -> str | None:
    return next((value.strip() for name, value in sent.response_headers or () if name.lower() == wanted), None)


def _a_minute(rate_limit: float) -> int:
    return max(1, round(rate_limit * 60))
