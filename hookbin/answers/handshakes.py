"""The answers with which a bin shows providers that it is its owner's: one row for each in `HANDSHAKES`."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from hookbin.bodies.json_values import as_text, printable
from hookbin.conditions.incoming import Incoming
from hookbin.conditions.matching import at
from hookbin.models.answers import BinHandshake, Provider, Step
from hookbin.models.common import Headers

MAX_CHALLENGE = 4096
"""Characters of a challenge that is answered; providers send a few dozen."""
_TEXT: Headers = (("content-type", "text/plain; charset=utf-8"),)
_JSON: Headers = (("content-type", "application/json"),)


class HandshakeAnswer(Struct, frozen=True):
    """The answer to a provider's check, and what was wrong with the check."""

    step: Step
    error: str | None = None


class Handshake(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    check: str
    """What the provider sends."""
    needs: str | None = None
    """What of its owner the answer needs, as the secret."""
    source: str
    answer: Callable[[Incoming, str], HandshakeAnswer | None]
    """Made of the request and the secret; None when it is no check."""


def answer(handshake: BinHandshake, incoming: Incoming) -> HandshakeAnswer | None:
    """None when the request is none of the provider's checks."""
    return HANDSHAKES[handshake.provider].answer(incoming, handshake.secret or "")


def _slack(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    if incoming.method != "POST" or at(incoming.json, ("type",)) != "url_verification":
        return None
    return _echo(at(incoming.json, ("challenge",)))


def _meta(incoming: Incoming, secret: str) -> HandshakeAnswer | None:
    return _subscribed(incoming, secret, _echo)


def _strava(incoming: Incoming, secret: str) -> HandshakeAnswer | None:
    return _subscribed(incoming, secret, lambda challenge: _json("hub.challenge", challenge))


def _subscribed(
    incoming: Incoming, secret: str, grant: Callable[[Any], HandshakeAnswer | None]
) -> HandshakeAnswer | None:
    """What `grant` makes of the challenge, if the verify token is the secret."""
    if incoming.method != "GET" or incoming.parameter("hub.mode") != "subscribe":
        return None
    if not hmac.compare_digest((incoming.parameter("hub.verify_token") or "").encode(), secret.encode()):
        refusal = "hub.verify_token is not the secret of this bin's handshake"
        return HandshakeAnswer(Step(status=403, body=f"{refusal}\n"), refusal)
    return grant(incoming.parameter("hub.challenge"))


def _microsoft_graph(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """200, text/plain, the decoded token."""
    return _echo(incoming.parameter("validationToken")) if incoming.method == "POST" else None


def _event_grid(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    if incoming.method != "POST" or incoming.header("aeg-event-type") != "SubscriptionValidation":
        return None
    return _json("validationResponse", at(incoming.json, (0, "data", "validationCode")))


def _dropbox(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    if incoming.method != "GET":
        return None
    return _echo(incoming.parameter("challenge"), headers=(("x-content-type-options", "nosniff"),))


def _zoom(incoming: Incoming, secret: str) -> HandshakeAnswer | None:
    """The HMAC is in hex."""
    if incoming.method != "POST" or at(incoming.json, ("event",)) != "endpoint.url_validation":
        return None
    token = at(incoming.json, ("payload", "plainToken"))
    return _json("plainToken", token, lambda: {"encryptedToken": _hmac(secret, token).hex()})


def _twitter(incoming: Incoming, secret: str) -> HandshakeAnswer | None:
    token = incoming.parameter("crc_token")
    if incoming.method != "GET" or token is None or len(token) > MAX_CHALLENGE:
        return None
    return _json("response_token", f"sha256={base64.b64encode(_hmac(secret, token)).decode()}")


def _cloudevents(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """Who asks is allowed, at the rate that it asks for."""
    origin = incoming.echoable("webhook-request-origin")
    if incoming.method != "OPTIONS" or origin is None:
        return None
    rate = incoming.header("webhook-request-rate") or ""
    allowed_rate = rate if rate.isascii() and rate.isdigit() and len(rate) < 10 else "*"
    headers = (("allow", "POST"), ("webhook-allowed-origin", origin), ("webhook-allowed-rate", allowed_rate))
    return HandshakeAnswer(Step(headers=headers, body=""))


def _websub(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """Any subscription or its end is confirmed."""
    if incoming.method != "GET" or incoming.parameter("hub.mode") not in ("subscribe", "unsubscribe"):
        return None
    return _echo(incoming.parameter("hub.challenge")) if incoming.parameter("hub.topic") else None


def _asana(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    """The secret goes back in a header of the same name."""
    secret = incoming.echoable("x-hook-secret")
    if incoming.method != "POST" or secret is None:
        return None
    return HandshakeAnswer(Step(headers=(("X-Hook-Secret", secret),), body=""))


def _smartsheet(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    challenge = incoming.echoable("smartsheet-hook-challenge")
    if incoming.method != "POST" or challenge is None:
        return None
    return HandshakeAnswer(Step(headers=(("Smartsheet-Hook-Response", challenge),), body=""))


def _monday(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    return _json("challenge", at(incoming.json, ("challenge",))) if incoming.method == "POST" else None


def _okta(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    return _json("verification", incoming.header("x-okta-verification-challenge")) if incoming.method == "GET" else None


def _twitch(incoming: Incoming, _: str) -> HandshakeAnswer | None:
    if incoming.method != "POST" or incoming.header(_TWITCH_TYPE) != "webhook_callback_verification":
        return None
    return _echo(at(incoming.json, ("challenge",)))


_TWITCH_TYPE = "twitch-eventsub-message-type"
HANDSHAKES: Mapping[Provider, Handshake] = MappingProxyType(
    {
        Provider.SLACK: Handshake(
            check="`url_verification`",
            source="https://docs.slack.dev/reference/events/url_verification",
            answer=_slack,
        ),
        Provider.META: Handshake(
            check="`hub.challenge`, when `hub.verify_token` is right, else 403",
            needs="the verify token",
            source="https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
            answer=_meta,
        ),
        Provider.MICROSOFT_GRAPH: Handshake(
            check="`validationToken`",
            source="https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
            answer=_microsoft_graph,
        ),
        Provider.DROPBOX: Handshake(
            check="`challenge`",
            source="https://www.dropbox.com/developers/reference/webhooks",
            answer=_dropbox,
        ),
        Provider.ZOOM: Handshake(
            check="`endpoint.url_validation`",
            needs="the secret token",
            source="https://developers.zoom.us/docs/api/webhooks",
            answer=_zoom,
        ),
        Provider.TWITTER: Handshake(
            check="`crc_token` (X)",
            needs="the consumer secret (API secret key)",
            source="https://docs.x.com/x-api/webhooks/quickstart",
            answer=_twitter,
        ),
        Provider.CLOUDEVENTS: Handshake(
            check="`OPTIONS` with `WebHook-Request-Origin`",
            source="CloudEvents, HTTP 1.1 Web Hooks for Event Delivery, 4",
            answer=_cloudevents,
        ),
        Provider.WEBSUB: Handshake(
            check="`hub.challenge` of a subscription or its end",
            source="https://www.w3.org/TR/websub/, 5.3",
            answer=_websub,
        ),
        Provider.ASANA: Handshake(
            check="`X-Hook-Secret`, sent back",
            source="https://developers.asana.com/docs/webhooks-guide, The webhook handshake",
            answer=_asana,
        ),
        Provider.SMARTSHEET: Handshake(
            check="`Smartsheet-Hook-Challenge`, sent back as `Smartsheet-Hook-Response`",
            source="https://developers.smartsheet.com/api/smartsheet/guides/webhooks/webhook-verification",
            answer=_smartsheet,
        ),
        Provider.MONDAY: Handshake(
            check="JSON with a `challenge`",
            source="https://developer.monday.com/api-reference/docs/webhooks, URL Verification",
            answer=_monday,
        ),
        Provider.OKTA: Handshake(
            check="`GET` with `X-Okta-Verification-Challenge`",
            source="https://developer.okta.com/docs/concepts/event-hooks/, One-time verification request",
            answer=_okta,
        ),
        Provider.STRAVA: Handshake(
            check="`hub.challenge`, when `hub.verify_token` is right, else 403; the answer is JSON",
            needs="the verify token",
            source="https://developers.strava.com/docs/webhooks/",
            answer=_strava,
        ),
        Provider.TWITCH: Handshake(
            check="`webhook_callback_verification`",
            source="https://dev.twitch.tv/docs/eventsub/handling-webhook-events/",
            answer=_twitch,
        ),
        Provider.AZURE_EVENT_GRID: Handshake(
            check="`SubscriptionValidation`",
            source="https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema",
            answer=_event_grid,
        ),
    }
)


def _is_challenge(value: Any) -> bool:
    """Whether it is text that can be sent back."""
    return isinstance(value, str) and 0 < len(value) <= MAX_CHALLENGE and printable(value) == value


def _echo(challenge: Any, *, headers: Headers = ()) -> HandshakeAnswer | None:
    return HandshakeAnswer(Step(headers=(*_TEXT, *headers), body=challenge)) if _is_challenge(challenge) else None


def _json(name: str, value: Any, others: Callable[[], Mapping[str, str]] = dict) -> HandshakeAnswer | None:
    """An object with the value under its name; `others` go with it."""
    if not _is_challenge(value):
        return None
    return HandshakeAnswer(Step(headers=_JSON, body=as_text({name: value, **others()})))


def _hmac(secret: str, message: str) -> bytes:
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()
