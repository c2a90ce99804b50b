"""Sample events: what well-known senders post, written by us in the shapes that they document.

Sources, each read for its current shape: docs.github.com "Webhook events and payloads", docs.stripe.com
"The Event object" and "The Invoice object", shopify.dev "Webhooks", docs.slack.dev "Events API". All
names, ids and amounts are made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from hookbin import errors
from hookbin.models.common import Headers

DEFAULT = "user.created"


class Sample(Struct, frozen=True, kw_only=True):
    """One event to try a receiver with."""

    type: str
    """Its name here, with the sender's in front."""
    provider: str
    description: str
    headers: Headers
    """What the sender says in headers beside the signature; none for an event of our own form."""
    data: Mapping[str, Any]
    """The body, or what stands in `data` of an event of our own form."""

    @property
    def is_ours(self) -> bool:
        return not self.headers

    @property
    def body(self) -> bytes:
        return msgspec.json.encode(self.data)


_GITHUB_USER = {"login": "octavia", "id": 5550123, "type": "User", "site_admin": False}
_GITHUB_REPOSITORY = {
    "id": 700100200,
    "node_id": "R_kgDOKbqmiA",
    "name": "lighthouse",
    "full_name": "octavia/lighthouse",
    "private": False,
    "owner": _GITHUB_USER,
    "html_url": "https://github.com/octavia/lighthouse",
    "default_branch": "main",
}
_COMMIT = {
    "id": "8d3f2c41b0e94e7c9c3a6f1de0b75a2284c1f903",
    "tree_id": "4b1c0a77de5f3a6b8290c4e1f3d7a6950b8e2d14",
    "distinct": True,
    "message": "Turn the lamp once a second",
    "timestamp": "2026-03-02T10:15:00+01:00",
    "url": "https://github.com/octavia/lighthouse/commit/8d3f2c41b0e94e7c9c3a6f1de0b75a2284c1f903",
    "author": {"name": "Octavia", "email": "octavia@example.com", "username": "octavia"},
    "committer": {"name": "Octavia", "email": "octavia@example.com", "username": "octavia"},
    "added": [],
    "removed": [],
    "modified": ["lamp.py"],
}


def _github(event: str) -> Headers:
    return (
        ("User-Agent", "GitHub-Hookshot/sample"),
        ("Content-Type", "application/json"),
        ("X-GitHub-Delivery", "6f1d0c80-16a1-11f1-8f6c-0242ac120002"),
        ("X-GitHub-Event", event),
        ("X-GitHub-Hook-ID", "480010020"),
        ("X-GitHub-Hook-Installation-Target-ID", "700100200"),
        ("X-GitHub-Hook-Installation-Target-Type", "repository"),
    )


SAMPLES = (
    Sample(
        type=DEFAULT,
        provider="hookbin",
        description="A generic event in the form of POST /events.",
        headers=(),
        data={"id": "usr_1042", "name": "Ada Example", "email": "ada@example.com", "plan": "trial"},
    ),
    Sample(
        type="github.ping",
        provider="github",
        description="What GitHub sends when a webhook is made.",
        headers=_github("ping"),
        data={
            "zen": "Keep the lamp lit.",
            "hook_id": 480010020,
            "hook": {
                "type": "Repository",
                "id": 480010020,
                "name": "web",
                "active": True,
                "events": ["push"],
                "config": {"content_type": "json", "insecure_ssl": "0", "url": "https://example.com/hook"},
                "created_at": "2026-03-02T09:00:00Z",
                "updated_at": "2026-03-02T09:00:00Z",
            },
            "repository": _GITHUB_REPOSITORY,
            "sender": _GITHUB_USER,
        },
    ),
    Sample(
        type="github.push",
        provider="github",
        description="One commit pushed to main.",
        headers=_github("push"),
        data={
            "ref": "refs/heads/main",
            "before": "1f0a6e5d7c8b94a3f2e1d0c9b8a7f6e5d4c3b2a1",
            "after": _COMMIT["id"],
            "repository": _GITHUB_REPOSITORY,
            "pusher": {"name": "octavia", "email": "octavia@example.com"},
            "sender": _GITHUB_USER,
            "created": False,
            "deleted": False,
            "forced": False,
            "base_ref": None,
            "compare": "https://github.com/octavia/lighthouse/compare/1f0a6e5d7c8b...8d3f2c41b0e9",
            "commits": [_COMMIT],
            "head_commit": _COMMIT,
        },
    ),
    Sample(
        type="stripe.invoice.paid",
        provider="stripe",
        description="An invoice of a subscription was paid.",
        headers=(
            ("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
            ("Content-Type", "application/json"),
        ),
        data={
            "id": "evt_1SampleLighthouse0001",
            "object": "event",
            "api_version": "2025-03-31.basil",
            "created": 1772442900,
            "type": "invoice.paid",
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": {
                "object": {
                    "id": "in_1SampleLighthouse0001",
                    "object": "invoice",
                    "number": "LAMP-0042",
                    "status": "paid",
                    "billing_reason": "subscription_cycle",
                    "collection_method": "charge_automatically",
                    "currency": "eur",
                    "customer": "cus_SampleLamp01",
                    "customer_email": "ada@example.com",
                    "amount_due": 1900,
                    "amount_paid": 1900,
                    "amount_remaining": 0,
                    "subtotal": 1900,
                    "total": 1900,
                    "attempt_count": 1,
                    "attempted": True,
                    "auto_advance": False,
                    "created": 1772439300,
                    "period_start": 1769760900,
                    "period_end": 1772439300,
                    "livemode": False,
                    "metadata": {},
                    "lines": {
                        "object": "list",
                        "has_more": False,
                        "total_count": 1,
                        "url": "/v1/invoices/in_1SampleLighthouse0001/lines",
                        "data": [
                            {
                                "id": "il_1SampleLighthouse0001",
                                "object": "line_item",
                                "amount": 1900,
                                "currency": "eur",
                                "description": "1 x Lamp (at 19.00 EUR / month)",
                                "quantity": 1,
                                "period": {"start": 1772439300, "end": 1775117700},
                            }
                        ],
                    },
                    "status_transitions": {
                        "finalized_at": 1772442890,
                        "marked_uncollectible_at": None,
                        "paid_at": 1772442899,
                        "voided_at": None,
                    },
                }
            },
        },
    ),
    Sample(
        type="shopify.orders/create",
        provider="shopify",
        description="Somebody placed an order.",
        headers=(
            ("User-Agent", "Shopify-Captain-Hook"),
            ("Content-Type", "application/json"),
            ("X-Shopify-Topic", "orders/create"),
            ("X-Shopify-Shop-Domain", "lighthouse-supplies.myshopify.com"),
            ("X-Shopify-API-Version", "2026-01"),
            ("X-Shopify-Webhook-Id", "b6a1f3c0-5d0e-4c1c-9a35-2f9d1c7e8a10"),
            ("X-Shopify-Event-Id", "98880550-7158-44d4-b7cd-2c97c8a091b5"),
            ("X-Shopify-Triggered-At", "2026-03-02T09:15:01.000000000Z"),
            ("X-Shopify-Test", "true"),
        ),
        data={
            "id": 6200100200300,
            "admin_graphql_api_id": "gid://shopify/Order/6200100200300",
            "name": "#1042",
            "order_number": 1042,
            "email": "ada@example.com",
            "created_at": "2026-03-02T10:15:00+01:00",
            "updated_at": "2026-03-02T10:15:00+01:00",
            "currency": "EUR",
            "financial_status": "paid",
            "fulfillment_status": None,
            "subtotal_price": "38.00",
            "total_tax": "6.07",
            "total_price": "42.90",
            "test": True,
            "customer": {
                "id": 7100100200300,
                "email": "ada@example.com",
                "first_name": "Ada",
                "last_name": "Example",
            },
            "line_items": [
                {
                    "id": 15100100200300,
                    "product_id": 9100100200300,
                    "variant_id": 47100100200300,
                    "title": "Spare lamp",
                    "sku": "LAMP-60W",
                    "quantity": 2,
                    "price": "19.00",
                }
            ],
            "shipping_lines": [{"id": 4900100200300, "title": "Standard", "price": "4.90"}],
            "shipping_address": {
                "first_name": "Ada",
                "last_name": "Example",
                "address1": "1 Harbour Road",
                "city": "Hamburg",
                "zip": "20095",
                "country": "Germany",
                "country_code": "DE",
            },
        },
    ),
    Sample(
        type="slack.event_callback",
        provider="slack",
        description="Somebody mentioned an app in a channel (app_mention).",
        headers=(
            ("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)"),
            ("Content-Type", "application/json"),
        ),
        data={
            "token": "a-deprecated-token",
            "team_id": "T0LAMP001",
            "api_app_id": "A0LAMP001",
            "event": {
                "type": "app_mention",
                "user": "U0ADA0001",
                "text": "<@U0LAMP001> is the lamp lit?",
                "ts": "1772442900.000100",
                "channel": "C0HARBOUR",
                "event_ts": "1772442900.000100",
            },
            "type": "event_callback",
            "event_id": "Ev0LAMP0001",
            "event_time": 1772442900,
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": "T0LAMP001",
                    "user_id": "U0LAMP001",
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": "4-sample-event-context",
        },
    ),
)

_BY_NAME = MappingProxyType(
    {
        **{sample.type.partition(".")[2]: sample for sample in SAMPLES if not sample.is_ours},
        **{sample.type: sample for sample in SAMPLES},
    }
)


def find(type: str) -> Sample:
    """The sample of that name, with or without the provider in front. Raises `FieldsInvalid`."""
    if type not in _BY_NAME:
        known = ", ".join(sample.type for sample in SAMPLES)
        raise errors.FieldsInvalid(("type", f"{type[:64]!r} is no sample; known are {known}"))
    return _BY_NAME[type]
