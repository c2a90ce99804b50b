"""What a request is, in a line: told by its sender's header fields and well-known fields of the body."""

from __future__ import annotations

import gzip
import json

import pytest
from markupsafe import escape

from hookbin.bodies import limits
from hookbin.bodies.headline import MAX_WORD, headline
from hookbin.bodies.senders import SENDERS
from tests.support import Server
from tests.test_stream import following

FORM = {"content-type": "application/x-www-form-urlencoded"}
REPOSITORY = {"repository": {"full_name": "octavia/lighthouse"}}
GITHUB = {"x-github-event": "push"}

LINES: list[tuple[dict[str, str], object, str | None]] = [
    (GITHUB, REPOSITORY, "GitHub push · octavia/lighthouse"),
    (GITHUB | {"X-Gitea-Event": "push"}, REPOSITORY, "Gitea push · octavia/lighthouse"),
    ({"X-GitHub-Event": "issues"}, {"action": "opened", **REPOSITORY}, "GitHub issues opened · octavia/lighthouse"),
    (GITHUB | FORM, "payload=" + json.dumps(REPOSITORY), "GitHub push · octavia/lighthouse"),
    (
        {"x-gitlab-event": "Merge Request Hook"},
        {
            "object_kind": "merge_request",
            "object_attributes": {"action": "open"},
            "project": {"path_with_namespace": "a/b"},
        },
        "GitLab merge_request open · a/b",
    ),
    ({"x-event-key": "repo:push"}, REPOSITORY, "Bitbucket repo:push · octavia/lighthouse"),
    (
        {"stripe-signature": "t=1,v1=a"},
        {"type": "invoice.paid", "data": {"object": {"id": "in_1"}}},
        "Stripe invoice.paid · in_1",
    ),
    (
        {"x-shopify-topic": "orders/create", "x-shopify-shop-domain": "lamp.myshopify.com"},
        "{}",
        "Shopify orders/create · lamp.myshopify.com",
    ),
    (
        {"x-slack-signature": "v0=a"} | FORM,
        "command=%2Fdeploy&text=api&channel_name=ops",
        "Slack /deploy api · ops",
    ),
    (
        {"x-slack-signature": "v0=a"},
        {"type": "event_callback", "event": {"type": "message", "channel": "C1"}},
        "Slack message · C1",
    ),
    ({"x-twilio-signature": "a"} | FORM, "MessageStatus=sent&From=%2B491", "Twilio sent · +491"),
    ({"square-environment": "a"}, {"type": "payment.updated", "merchant_id": "M1"}, "Square payment.updated · M1"),
    ({"x-zm-signature": "a"}, {"event": "meeting.ended", "payload": {"account_id": "z"}}, "Zoom meeting.ended · z"),
    ({"x-signature-ed25519": "a"}, {"type": 2, "data": {"name": "roll"}, "guild_id": "7"}, "Discord roll · 7"),
    (
        {"paypal-transmission-id": "a"},
        {"event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {"id": "5"}},
        "PayPal PAYMENT.CAPTURE.COMPLETED · 5",
    ),
    (
        {"x-twilio-email-event-webhook-signature": "a"},
        [{"event": "bounce", "email": "jo@example.com"}],
        "SendGrid bounce · jo@example.com",
    ),
    ({}, {"signature": {}, "event-data": {"event": "opened", "recipient": "jo@a.b"}}, "Mailgun opened · jo@a.b"),
    ({"svix-id": "msg_1"}, {"type": "user.created"}, "Svix user.created"),
    ({"webhook-id": "msg_1"}, {"type": "user.created"}, "Standard Webhooks user.created"),
    ({"webhook-id": "evt_1", "hookbin-event-type": "user.created"}, "not JSON", "hookbin user.created"),
    ({"ce-type": "com.example.made", "ce-source": "/lamp"}, b"\x00", "CloudEvents com.example.made · /lamp"),
    ({}, {"specversion": "1.0", "type": "made", "source": "/lamp"}, "CloudEvents made · /lamp"),
    ({"x-amz-sns-message-type": "Notification", "x-amz-sns-topic-arn": "arn:1"}, "", "Amazon SNS Notification · arn:1"),
    ({"linear-event": "Issue"}, {"action": "update", "data": {"identifier": "LAM-1"}}, "Linear Issue update · LAM-1"),
    (
        {"x-atlassian-webhook-identifier": "1"},
        {"webhookEvent": "jira:issue_created", "issue": {"key": "LAM-1"}},
        "Jira jira:issue_created · LAM-1",
    ),
    (
        {"sentry-hook-resource": "issue"},
        {"action": "created", "data": {"issue": {"shortId": "LAM-1"}}},
        "Sentry issue created · LAM-1",
    ),
    ({}, {"object": "page", "entry": [{"changes": [{"field": "feed"}]}]}, "Meta page feed"),
    ({}, {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "read"}}, "JSON-RPC tools/call · read"),
    (
        {"Access-Control-Request-Method": "PUT", "origin": "https://a.b"},
        "",
        "CORS preflight PUT · https://a.b",
    ),
    ({}, {"type": "user.created"}, "user.created"),
    ({}, {"event": {"a": 1}}, None),
    ({}, {"name": "Joe"}, None),
    ({}, [1, 2], None),
    ({}, "type=user.created", None),
    ({}, b"", None),
    ({}, b"[" * limits.HEADLINE, None),
]  # fmt: skip


def body_of(given: object) -> bytes:
    if isinstance(given, bytes):
        return given
    return (given if isinstance(given, str) else json.dumps(given)).encode()


@pytest.mark.parametrize(("headers", "body", "line"), LINES)
def test_a_request_is_named_by_its_sender(headers: dict[str, str], body: object, line: str | None) -> None:
    assert headline(tuple(headers.items()), body_of(body)) == line


def test_every_place_of_the_table_is_one_of_the_three_kinds() -> None:
    for sender in SENDERS:
        for place in "|".join((*sender.marks, *sender.what, sender.about)).split("|"):
            assert place[:1] in (".", "=") or place == place.lower().strip(), sender.name
        assert len({mark[0] == "." for mark in sender.marks}) == 1, sender.name


def test_a_hostile_word_is_short_and_shows_nothing_that_does_not_print() -> None:
    line = headline((("X-GitHub-Event", "a\x07\u202e\x85 <b> \t b" + "x" * 200),), b"")
    assert line is not None
    assert line.startswith("GitHub a <b> bxxx")
    assert line.isprintable()
    assert len(line) <= len("GitHub ") + MAX_WORD + 1


def test_a_packed_body_is_looked_into_and_a_large_one_is_not() -> None:
    packed = gzip.compress(json.dumps(REPOSITORY).encode())
    fields = (*GITHUB.items(), ("content-encoding", "gzip"))
    assert headline(fields, packed) == "GitHub push · octavia/lighthouse"
    assert headline(fields, gzip.compress(b" " * limits.HEADLINE + json.dumps(REPOSITORY).encode())) == "GitHub push"
    assert headline((*GITHUB.items(),), json.dumps(REPOSITORY).encode().ljust(limits.HEADLINE + 1)) == "GitHub push"


def test_a_line_is_the_same_of_one_request_live_missed_after_a_change_and_on_the_pages(server: Server) -> None:
    line = "GitHub <b>push · octavia/lighthouse"
    with following(server, "?kinds=request&headlines=true") as messages:
        server.post("/b/named", REPOSITORY, headers={"x-github-event": "<b>push"})
        told = [next(messages)]
        server.patch(f"/requests/{told[0][2]['id']}", {"pinned": True})
        told.append(next(messages))
    with following(server, "?bin=named&kinds=request&headlines=true", after=told[0][2]["seq"] - 1) as messages:
        told.append(next(messages))
    assert [message["headline"] for _, _, message in told] == [line, line, line]
    assert server.get(f"/requests/{told[0][2]['id']}")["headline"] == line
    for path in ("/ui/bins/named", "/ui/"):
        assert str(escape(line)) in server.call("GET", path).text
