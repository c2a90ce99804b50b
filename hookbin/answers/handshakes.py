"""The answers with which a bin shows providers that it is its owner's: one function for each."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from hookbin.conditions.incoming import Incoming
from hookbin.conditions.matching import at
from hookbin.models.answers import BinHandshake, Provider, Step
from hookbin.models.common import Headers

NEEDS_SECRET = frozenset({Provider.META, Provider.ZOOM, Provider.TWITTER})
MAX_CHALLENGE = 4096
"""Characters of a challenge that is answered; providers send a few dozen."""
_TEXT: Headers = (("content-type", "text/plain; charset=utf-8"),)
_JSON: Headers = (("content-type", "application/json"),)


class HandshakeAnswer(Struct, frozen=True):
    """The answer to a provider's check, and what was wrong with the check."""

    step: Step
    error: str | None = None


def answer(handshake: BinHandshake, incoming: Incoming) -> HandshakeAnswer | None:
    """None when the request is none of the provider's checks."""
    return _ANSWERS[handshake.provider](incoming, handshake.secret or "")


def _slack(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """https://docs.slack.dev/reference/events/url_verification"""
    if incoming.method != "POST" or at(incoming.json, ("type",)) != "url_verification":
        return None
    return _echo(at(incoming.json, ("challenge",)))


def _meta(incoming: Incoming, secret: str) -> HandshakeAnswer | None:
    """https://developers.facebook.com/docs/graph-api/webhooks/getting-started: `secret` is the verify token."""
    if incoming.method != "GET" or incoming.parameter("hub.mode") != "subscribe":
        return None
    if not hmac.compare_digest((incoming.parameter("hub.verify_token") or "").encode(), secret.encode()):
        refusal = "hub.verify_token is not the secret of this bin's handshake"
        return HandshakeAnswer(Step(status=403, body=f"{refusal}\n"), refusal)
    return _echo(incoming.parameter("hub.challenge"))


def _microsoft_graph(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """https://learn.microsoft.com/graph/change-notifications-delivery-webhooks: 200, text/plain, the decoded token."""
    return _echo(incoming.parameter("validationToken")) if incoming.method == "POST" else None


def _dropbox(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """https://www.dropbox.com/developers/reference/webhooks"""
    if incoming.method != "GET":
        return None
    return _echo(incoming.parameter("challenge"), headers=(("x-content-type-options", "nosniff"),))


def _zoom(incoming: Incoming, secret: str) -> HandshakeAnswer | None:
    """https://developers.zoom.us/docs/api/webhooks: `secret` is the secret token; the HMAC is in hex."""
    if incoming.method != "POST" or at(incoming.json, ("event",)) != "endpoint.url_validation":
        return None
    token = at(incoming.json, ("payload", "plainToken"))
    if not isinstance(token, str) or len(token) > MAX_CHALLENGE:
        return None
    return _json({"plainToken": token, "encryptedToken": _hmac(secret, token).hex()})


def _twitter(incoming: Incoming, secret: str) -> HandshakeAnswer | None:
    """https://docs.x.com/x-api/webhooks/quickstart: `secret` is the app's consumer secret (API secret key)."""
    token = incoming.parameter("crc_token")
    if incoming.method != "GET" or token is None or len(token) > MAX_CHALLENGE:
        return None
    return _json({"response_token": f"sha256={base64.b64encode(_hmac(secret, token)).decode()}"})


def _cloudevents(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """CloudEvents, HTTP 1.1 Web Hooks for Event Delivery, 4: who asks is allowed, at the rate that it asks for."""
    origin = incoming.echoable("webhook-request-origin")
    if incoming.method != "OPTIONS" or origin is None:
        return None
    rate = incoming.header("webhook-request-rate") or ""
    allowed_rate = rate if rate.isascii() and rate.isdigit() and len(rate) < 10 else "*"
    headers = (("allow", "POST"), ("webhook-allowed-origin", origin), ("webhook-allowed-rate", allowed_rate))
    return HandshakeAnswer(Step(headers=headers, body=""))


def _websub(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """https://www.w3.org/TR/websub/ (5.3): any subscription or its end is confirmed."""
    if incoming.method != "GET" or incoming.parameter("hub.mode") not in ("subscribe", "unsubscribe"):
        return None
    return _echo(incoming.parameter("hub.challenge")) if incoming.parameter("hub.topic") else None


_ANSWERS: dict[Provider, Callable[[Incoming, str], HandshakeAnswer | None]] = {
    Provider.SLACK: _slack,
    Provider.META: _meta,
    Provider.MICROSOFT_GRAPH: _microsoft_graph,
    Provider.DROPBOX: _dropbox,
    Provider.ZOOM: _zoom,
    Provider.TWITTER: _twitter,
    Provider.CLOUDEVENTS: _cloudevents,
    Provider.WEBSUB: _websub,
}


def _echo(challenge: Any, *, headers: Headers = ()) -> HandshakeAnswer | None:
    if not isinstance(challenge, str) or not 0 < len(challenge) <= MAX_CHALLENGE:
        return None
    return HandshakeAnswer(Step(headers=(*_TEXT, *headers), body=challenge))


def _json(body: dict[str, str]) -> HandshakeAnswer:
    return HandshakeAnswer(Step(headers=_JSON, body=msgspec.json.encode(body).decode()))


def _hmac(secret: str, message: str) -> bytes:
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()
