"""The checks by which providers find out whose an endpoint is, answered as their documentation says."""

from __future__ import annotations

import msgspec
import pytest

from hookbin.answers.handshakes import MAX_CHALLENGE, NEEDS_SECRET, HandshakeAnswer, answer
from hookbin.conditions.incoming import Incoming
from hookbin.models.answers import BinHandshake, Provider


def shaken(
    provider: Provider, method: str, *, query: str = "", body: bytes = b"", secret: str | None = None, **headers: str
) -> HandshakeAnswer | None:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    incoming = Incoming(method=method, target=f"/b/joe?{query}", headers=fields, body=body)
    return answer(BinHandshake(provider=provider, secret=secret), incoming)


def said(found: HandshakeAnswer | None) -> str:
    assert found is not None
    assert found.step.status == 200
    assert found.error is None
    return found.step.body


def test_slack_gets_its_challenge() -> None:
    """The example of Slack's documentation of url_verification."""
    body = (
        b'{"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "type": "url_verification",'
        b' "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}'
    )
    found = shaken(Provider.SLACK, "POST", body=body)

    assert said(found) == "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
    assert found is not None
    assert ("content-type", "text/plain; charset=utf-8") in found.step.headers


def test_meta_gets_its_challenge_for_the_right_token_only() -> None:
    """The example of Meta's documentation of webhooks."""
    query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock"

    assert said(shaken(Provider.META, "GET", query=query, secret="meatyhamhock")) == "1158201444"
    refused = shaken(Provider.META, "GET", query=query, secret="other")
    assert refused is not None
    assert refused.step.status == 403
    assert refused.error


def test_dropbox_gets_its_challenge_and_no_sniffing() -> None:
    found = shaken(Provider.DROPBOX, "GET", query="challenge=%3Cb%3E")

    assert said(found) == "<b>"
    assert found is not None
    assert ("x-content-type-options", "nosniff") in found.step.headers


def test_zoom_gets_its_token_and_the_hash_of_it() -> None:
    """The token is that of Zoom's documentation, the hash was computed by `openssl dgst -sha256 -hmac secret`."""
    body = b'{"payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}, "event": "endpoint.url_validation"}'

    assert msgspec.json.decode(said(shaken(Provider.ZOOM, "POST", body=body, secret="secret"))) == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": "72cef096bfd47c0b8664df30d07721641e4abd7e885ba432204260db477a9a3e",
    }


def test_twitter_gets_the_hash_of_its_token() -> None:
    """The hash was computed by `openssl dgst -sha256 -hmac secret -binary | base64`."""
    found = shaken(Provider.TWITTER, "GET", query="crc_token=9b4507b3-9040-4669-9ca3-6b94edb50553", secret="secret")

    assert msgspec.json.decode(said(found)) == {"response_token": "sha256=CCaF7JoinKrx7/LQHWSmMC3gluNLvmLge86rnkkUiTg="}


@pytest.mark.parametrize(("asked", "allowed"), [("120", "120"), ("", "*"), ("many", "*")])
def test_cloudevents_gets_leave_for_who_asks(asked: str, allowed: str) -> None:
    found = shaken(
        Provider.CLOUDEVENTS,
        "OPTIONS",
        webhook_request_origin="eventemitter.example.com",
        webhook_request_rate=asked,
    )

    assert said(found) == ""
    assert found is not None
    assert dict(found.step.headers) == {
        "allow": "POST",
        "webhook-allowed-origin": "eventemitter.example.com",
        "webhook-allowed-rate": allowed,
    }


HUB = "hub.topic=https%3A%2F%2Fexample.com%2Ffeed&hub.challenge=c7&hub.lease_seconds=10"


@pytest.mark.parametrize(
    ("provider", "method", "query", "challenge"),
    [
        (Provider.WEBSUB, "GET", f"hub.mode=subscribe&{HUB}", "c7"),
        (Provider.WEBSUB, "GET", f"hub.mode=unsubscribe&{HUB}", "c7"),
        (
            Provider.MICROSOFT_GRAPH,
            "POST",
            "validationToken=Validation%3A+Testing%20client",
            "Validation: Testing client",
        ),
    ],
)
def test_a_challenge_comes_back_decoded(provider: Provider, method: str, query: str, challenge: str) -> None:
    assert said(shaken(provider, method, query=query)) == challenge


@pytest.mark.parametrize(
    ("provider", "method", "query", "body"),
    [
        (Provider.SLACK, "POST", "", b'{"type": "event_callback", "challenge": "x"}'),
        (Provider.SLACK, "POST", "", b"[]"),
        (Provider.SLACK, "POST", "", b'{"type": "url_verification"}'),
        (Provider.SLACK, "POST", "", b"challenge=x"),
        (Provider.SLACK, "POST", "", b'{"type": "url_verification", "challenge": "%b"}' % (b"x" * (MAX_CHALLENGE + 1))),
        (Provider.META, "POST", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=secret", b""),
        (Provider.MICROSOFT_GRAPH, "POST", "", b'{"value": []}'),
        (Provider.ZOOM, "POST", "", b'{"event": "meeting.started"}'),
        (Provider.TWITTER, "POST", "", b"{}"),
        (Provider.CLOUDEVENTS, "OPTIONS", "", b""),
        (Provider.WEBSUB, "GET", "hub.mode=denied&hub.topic=t&hub.reason=no", b""),
    ],
)
def test_any_other_request_gets_the_bin_s_answer(provider: Provider, method: str, query: str, body: bytes) -> None:
    assert shaken(provider, method, query=query, body=body, secret="secret") is None


@pytest.mark.parametrize("provider", Provider)
def test_every_provider_has_an_answer_and_ignores_what_is_no_check(provider: Provider) -> None:
    secret = "s" if provider in NEEDS_SECRET else None
    for method in ("GET", "POST", "OPTIONS"):
        assert shaken(provider, method, body=b"\xff\x00", query="%ff=1", secret=secret) is None
