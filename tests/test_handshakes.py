"""The checks by which providers find out whose an endpoint is, answered as their documentation says."""

from __future__ import annotations

from gzip import compress
from typing import Any

import pytest

from hookbin.answers.handshakes import HANDSHAKES, MAX_CHALLENGE, HandshakeAnswer, answer
from hookbin.conditions.incoming import Incoming
from hookbin.models.answers import BinHandshake, Provider
from tests.support import ROOT


def shaken(
    provider: Provider, method: str, *, query: str = "", body: bytes = b"", secret: str | None = None, **headers: str
) -> HandshakeAnswer | None:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    incoming = Incoming(method=method, target=f"/b/joe?{query}", headers=fields, body=body)
    return answer(BinHandshake(provider=provider, secret=secret), incoming)


HUB = "hub.topic=https%3A%2F%2Fexample.com%2Ffeed&hub.challenge=c7&hub.lease_seconds=10"
META = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock"


SLACK = b'{"token": "Jhj5dZrV", "type": "url_verification", "challenge": "3eZbrw1aBm2rZgRN"}'
SLACK_PACKED = compress(b'\xef\xbb\xbf{"type": "url_verification", "challenge": "3eZ"}')
ZOOM = b'{"payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}, "event": "endpoint.url_validation"}'
ZOOM_HASH = "72cef096bfd47c0b8664df30d07721641e4abd7e885ba432204260db477a9a3e"
STRAVA = "hub.verify_token=STRAVA&hub.challenge=15f7d1a91c1f40f8a748fd134752feb3&hub.mode=subscribe"
GRID = b'[{"id": "2d", "data": {"validationCode": "512d38b6"}, "eventType": "Microsoft.EventGrid"}]'
TWITCH = {"Twitch_Eventsub_Message_Type": "webhook_callback_verification"}
UPPER = META.upper().replace("SUBSCRIBE", "subscribe")


@pytest.mark.parametrize(
    ("provider", "method", "sent", "said"),
    [
        (Provider.SLACK, "POST", {"body": SLACK}, "3eZbrw1aBm2rZgRN"),
        (Provider.SLACK, "POST", {"body": SLACK_PACKED, "content_encoding": "gzip"}, "3eZ"),
        (Provider.META, "GET", {"query": META, "secret": "meatyhamhock"}, "1158201444"),
        (Provider.META, "GET", {"query": UPPER, "secret": "MEATYHAMHOCK"}, "1158201444"),
        (Provider.DROPBOX, "GET", {"query": "challenge=%3Cb%3E"}, "<b>"),
        (Provider.ZOOM, "POST", {"body": ZOOM},
         f'{{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"{ZOOM_HASH}"}}'),
        (Provider.TWITTER, "GET", {"query": "crc_token=9b4507b3-9040-4669-9ca3-6b94edb50553"},
         '{"response_token":"sha256=CCaF7JoinKrx7/LQHWSmMC3gluNLvmLge86rnkkUiTg="}'),
        (Provider.WEBSUB, "GET", {"query": f"hub.mode=subscribe&{HUB}"}, "c7"),
        (Provider.WEBSUB, "GET", {"query": f"hub.mode=unsubscribe&{HUB}"}, "c7"),
        (Provider.MICROSOFT_GRAPH, "POST", {"query": "validationToken=Validation%3A+Testing%20client"},
         "Validation: Testing client"),
        (Provider.MICROSOFT_GRAPH, "POST", {"query": "validationtoken=a"}, "a"),
        (Provider.MONDAY, "POST", {"body": b'{"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}'},
         '{"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}'),
        (Provider.OKTA, "GET", {"X_Okta_Verification_Challenge": "Me_rShK8JHsTnbyYrWXCEoMGbM_zsZ6k0hLPZ_Pg"},
         '{"verification":"Me_rShK8JHsTnbyYrWXCEoMGbM_zsZ6k0hLPZ_Pg"}'),
        (Provider.STRAVA, "GET", {"query": STRAVA, "secret": "STRAVA"},
         '{"hub.challenge":"15f7d1a91c1f40f8a748fd134752feb3"}'),
        (Provider.TWITCH, "POST", {"body": b'{"challenge": "pogchamp-kappa", "subscription": {}}', **TWITCH},
         "pogchamp-kappa"),
        (Provider.AZURE_EVENT_GRID, "POST", {"body": GRID, "aeg_event_type": "SubscriptionValidation"},
         '{"validationResponse":"512d38b6"}'),
    ],
)  # fmt: skip
def test_a_challenge_comes_back_as_its_provider_documents(
    provider: Provider, method: str, sent: dict[str, Any], said: str
) -> None:
    """By the examples of the documentation; hashes are those of `openssl dgst -sha256 -hmac secret`."""
    found = shaken(provider, method, **{"secret": "secret", **sent})

    assert found is not None
    assert (found.step.status, found.step.body, found.error) == (200, said, None)


def test_a_challenge_is_text_that_no_browser_takes_for_more() -> None:
    slack = shaken(Provider.SLACK, "POST", body=b'{"type": "url_verification", "challenge": "<b>"}')
    dropbox = shaken(Provider.DROPBOX, "GET", query="challenge=%3Cb%3E")

    assert slack is not None
    assert ("content-type", "text/plain; charset=utf-8") in slack.step.headers
    assert dropbox is not None
    assert ("x-content-type-options", "nosniff") in dropbox.step.headers


def test_a_wrong_token_is_refused_with_the_reason() -> None:
    refused = shaken(Provider.META, "GET", query=META, secret="other")

    assert refused is not None
    assert refused.step.status == 403
    assert "hub.verify_token" in str(refused.error)


@pytest.mark.parametrize(
    ("provider", "asked", "answered"),
    [
        (Provider.ASANA, "X-Hook-Secret", "X-Hook-Secret"),
        (Provider.SMARTSHEET, "Smartsheet-Hook-Challenge", "Smartsheet-Hook-Response"),
    ],
)
def test_a_challenge_in_a_header_comes_back_in_one(provider: Provider, asked: str, answered: str) -> None:
    headers: dict[str, Any] = {asked: "b537207f20cbfa02"}
    found = shaken(provider, "POST", **headers)

    assert found is not None
    assert (found.step.status, found.step.headers, found.step.body) == (200, ((answered, "b537207f20cbfa02"),), "")


def test_the_docs_have_every_provider_with_its_check_and_source() -> None:
    lines = [f"| `{name}` | {row.check} | {row.needs or ''} | {row.source} |" for name, row in HANDSHAKES.items()]

    assert list(HANDSHAKES) == list(Provider)
    assert "\n".join(line.replace("|  |", "| |") for line in lines) in (ROOT / "docs" / "bins.md").read_text()


@pytest.mark.parametrize(("asked", "allowed"), [("120", "120"), ("", "*"), ("many", "*")])
def test_cloudevents_gets_leave_for_who_asks(asked: str, allowed: str) -> None:
    found = shaken(
        Provider.CLOUDEVENTS,
        "OPTIONS",
        webhook_request_origin="eventemitter.example.com",
        webhook_request_rate=asked,
    )

    assert found is not None
    assert (found.step.status, found.step.body) == (200, "")
    assert dict(found.step.headers) == {
        "allow": "POST",
        "webhook-allowed-origin": "eventemitter.example.com",
        "webhook-allowed-rate": allowed,
    }


@pytest.mark.parametrize(
    ("provider", "method", "query", "body"),
    [
        (Provider.SLACK, "POST", "", b'{"type": "event_callback", "challenge": "x"}'),
        (Provider.SLACK, "POST", "", b"[]"),
        (Provider.SLACK, "POST", "", b'{"type": "url_verification", "challenge": "\\ud800"}'),
        (Provider.MONDAY, "POST", "", b'{"event": {"type": "create_item"}}'),
        (Provider.OKTA, "POST", "", b"{}"),
        (Provider.STRAVA, "POST", "", b'{"aspect_type": "create"}'),
        (Provider.TWITCH, "POST", "", b'{"challenge": "c"}'),
        (Provider.AZURE_EVENT_GRID, "POST", "", b'[{"data": {"validationCode": "c"}}]'),
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
    secret = "s" if HANDSHAKES[provider].needs else None
    for method in ("GET", "POST", "OPTIONS"):
        assert shaken(provider, method, body=b"\xff\x00", query="%ff=1", secret=secret) is None
