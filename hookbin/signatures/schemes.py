"""Every provider's signature: one row in `SCHEMES`, and a function where more than a header is to be read.

Checking, signing, the search for mistakes, the API's enumerations, the lists of forms and of the command line
are all made from the rows.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, TypeAlias
from urllib.parse import parse_qsl

from msgspec import Meta

from hookbin.errors import FieldsInvalid
from hookbin.models.bins import DigestEncoding, Verify
from hookbin.models.request_target import path_and_query
from hookbin.signatures import signing
from hookbin.signatures.scheme import Claim, Digest, Scheme, SignedRequest
from hookbin.signatures.secrets import BASE64_SECRET, PRIVATE_PREFIX
from hookbin.signatures.urls import claim_of_url

_MAX_FORM = 1024 * 1024
"""Bytes of a form whose fields are sorted for Twilio's signature; its own are a few KiB."""
_MAX_FIELDS = 2000
_ED25519 = (
    "It is signed with an ed25519 key alone (v1a), and this bin's secret is another kind of key: save the sender's "
    "whsk_ secret, or let it sign with a whsec_ secret."
)


def _standard(request: SignedRequest, rule: Verify) -> Claim | None:
    """Standard Webhooks, "Webhook headers"; Svix sends the same under names of its own."""
    for kind in ("webhook", "svix"):
        value = request.header(f"{kind}-signature")
        if value is None:
            continue
        id, timestamp = request.header(f"{kind}-id"), request.header(f"{kind}-timestamp")
        if id is None or timestamp is None:
            return Claim(problem=_lacks(f"{kind}-id" if id is None else f"{kind}-timestamp"))
        given, signed = tuple(value.split(" ")), _behind(f"{id}.{timestamp}.")
        by_key = all(text.startswith("v1a,") for text in given) and not rule.secret.startswith(PRIVATE_PREFIX)
        return Claim(
            given=given,
            signed=signed,
            timestamp=timestamp,
            before="the id and the timestamp",
            otherwise=_ED25519 if by_key else None,
        )
    return None


def _behind(head: str) -> Callable[[bytes], bytes]:
    start = head.encode("latin-1")
    return lambda body: start + body


def _stripe(request: SignedRequest, _: Verify) -> Claim | None:
    """`t=…,v1=…,v1=…`, of `{t}.{body}`."""
    value = request.header("stripe-signature")
    if value is None:
        return None
    parts = [part.strip().partition("=") for part in value.split(",")]
    timestamp = next((text for name, _, text in parts if name == "t"), None)
    given = tuple(text for name, _, text in parts if name == "v1")
    if timestamp is None or not given:
        missing = "t=" if timestamp is None else "v1="
        return Claim(problem=f"The Stripe-Signature header has no {missing} part: see that it is passed on whole.")
    return Claim(given=given, signed=_behind(f"{timestamp}."), timestamp=timestamp, before="the timestamp")


def _versioned(signature: str, timestamp: str) -> Callable[[SignedRequest, Verify], Claim | None]:
    """`v0=` and the digest of `v0:{timestamp}:{body}`."""

    def read(request: SignedRequest, _: Verify) -> Claim | None:
        value, stamp = request.header(signature), request.header(timestamp)
        if value is None:
            return None
        if stamp is None:
            return Claim(problem=_lacks(timestamp))
        return Claim(given=(value,), signed=_behind(f"v0:{stamp}:"), timestamp=stamp, before="v0 and the timestamp")

    return read


def _linear(request: SignedRequest, _: Verify) -> Claim | None:
    """Of the body; the time beside it is in milliseconds."""
    value = request.header("linear-signature")
    return None if value is None else Claim(given=(value,), timestamp=request.header("linear-timestamp"))


def _twilio(request: SignedRequest, _: Verify) -> Claim | None:
    """Of the URL, then the fields of a form sorted; of another body the URL has the hash, in `bodySHA256`."""
    value = request.header("x-twilio-signature")
    if value is None:
        return None
    wanted = _body_hash(request.target)
    if wanted is not None and not hmac.compare_digest(
        hashlib.sha256(request.body).hexdigest().encode(), wanted.lower().encode("utf-8", "replace")
    ):
        return Claim(problem="The body is not the one whose hash is in bodySHA256: it was changed on its way.")
    try:
        fields = b"" if wanted is not None else _sorted_fields(request)
    except ValueError:
        return Claim(problem="The body is no form that Twilio would send: too large, or of too many fields.")
    return claim_of_url(request, value, signed=lambda url, _: url + fields)


def _square(request: SignedRequest, _: Verify) -> Claim | None:
    """Of the URL, then the body."""
    value = request.header("x-square-hmacsha256-signature")
    return None if value is None else claim_of_url(request, value, signed=bytes.__add__, before="the URL")


def _body_hash(target: str) -> str | None:
    query = path_and_query(target)[1] or ""
    return dict(parse_qsl(query, keep_blank_values=True)).get("bodySHA256")


def _sorted_fields(request: SignedRequest) -> bytes:
    if not (request.header("content-type") or "").lower().startswith("application/x-www-form-urlencoded"):
        return b""
    if len(request.body) > _MAX_FORM:
        raise ValueError("too large")
    pairs = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    return "".join(name + value for name, value in sorted(set(pairs))).encode("utf-8", "replace")


def _lacks(name: str) -> str:
    return f"There is a signature but no {name} header: see that the sender, or a proxy on the way, does not drop it."


_BASE64 = DigestEncoding.BASE64
_ROWS = (
    Scheme(
        name="standard",
        aliases=("svix", "standard-webhooks", "standardwebhooks"),
        title="Standard Webhooks, Svix",
        source="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
        headers=("webhook-signature", "svix-signature"),
        read=_standard,
        secret=BASE64_SECRET,
        digest=Digest(encoding=_BASE64, mark="v1,"),
        private=signing.private_signer,
        style=signing.STANDARD,
    ),
    Scheme(
        name="github",
        aliases=("gh", "x-hub-signature-256"),
        title="GitHub",
        source="https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
        headers=("X-Hub-Signature-256",),
        digest=Digest(mark="sha256="),
        style=signing.GITHUB,
    ),
    Scheme(
        name="github-sha1",
        aliases=("gh-sha1", "x-hub-signature"),
        title="GitHub, the old header",
        source="https://docs.github.com/en/webhooks/webhook-events-and-payloads, Delivery headers",
        headers=("X-Hub-Signature",),
        digest=Digest(algorithm="sha1", mark="sha1="),
    ),
    Scheme(
        name="stripe",
        title="Stripe",
        source="https://docs.stripe.com/webhooks/signature, Verify manually",
        headers=("Stripe-Signature",),
        read=_stripe,
        style=signing.STRIPE,
    ),
    Scheme(
        name="slack",
        title="Slack",
        source="https://docs.slack.dev/authentication/verifying-requests-from-slack",
        headers=("X-Slack-Signature",),
        read=_versioned("X-Slack-Signature", "X-Slack-Request-Timestamp"),
        digest=Digest(mark="v0="),
    ),
    Scheme(
        name="shopify",
        title="Shopify",
        source="https://shopify.dev/docs/apps/build/webhooks/subscribe/https, Validate the origin of your webhook",
        headers=("X-Shopify-Hmac-SHA256",),
        digest=Digest(encoding=_BASE64),
    ),
    Scheme(
        name="twilio",
        title="Twilio",
        source="https://www.twilio.com/docs/usage/webhooks/webhooks-security",
        headers=("X-Twilio-Signature",),
        read=_twilio,
        digest=Digest(algorithm="sha1", encoding=_BASE64),
    ),
    Scheme(
        name="square",
        aliases=("squareup",),
        title="Square",
        source="https://developer.squareup.com/docs/webhooks/step3validate",
        headers=("x-square-hmacsha256-signature",),
        read=_square,
        digest=Digest(encoding=_BASE64),
    ),
    Scheme(
        name="zoom",
        title="Zoom",
        source="https://developers.zoom.us/docs/api/webhooks/, Verify webhook events",
        headers=("x-zm-signature",),
        read=_versioned("x-zm-signature", "x-zm-request-timestamp"),
        digest=Digest(mark="v0="),
    ),
    Scheme(
        name="meta",
        aliases=("facebook", "instagram", "whatsapp"),
        title="Meta (Facebook, Instagram, WhatsApp)",
        source="https://developers.facebook.com/docs/graph-api/webhooks/getting-started, Validating Payloads",
        headers=("X-Hub-Signature-256",),
        digest=Digest(mark="sha256="),
    ),
    Scheme(
        name="linear",
        title="Linear",
        source="https://linear.app/developers/webhooks, Securing webhooks",
        headers=("Linear-Signature",),
        read=_linear,
        tolerance=60,
        milliseconds=True,
    ),
    Scheme(
        name="gitlab",
        title="GitLab",
        source="https://docs.gitlab.com/user/project/integrations/webhooks/, Validate payloads",
        headers=("X-Gitlab-Token",),
        digest=None,
    ),
    Scheme(
        name="asana",
        title="Asana",
        source="https://developers.asana.com/docs/webhooks-guide, The webhook handshake",
        headers=("X-Hook-Signature",),
    ),
    Scheme(
        name="hmac",
        aliases=("generic",),
        title="Any HMAC of the body",
        source="RFC 2104",
        by_rule=True,
    ),
)
SCHEMES: Mapping[str, Scheme] = MappingProxyType({row.name: row for row in _ROWS})
"""Every scheme that a bin can check by."""

_NAMES: Mapping[str, str] = {name: row.name for row in _ROWS for name in (row.name, *row.aliases)}


def scheme_named(text: str) -> str:
    """The name of the scheme that is meant, by its name or an alias, in capitals or not. Raises `FieldsInvalid`."""
    name = _NAMES.get(re.sub(r"[\s_]+", "-", text.strip().lower()))
    if name is None:
        raise FieldsInvalid(("verify.scheme", f"{text[:40]!r} is not one of {', '.join(_NAMES)}"))
    return name


SchemeName: TypeAlias = Annotated[
    str, Meta(description="Whose signatures: a name or another name of it.", extra_json_schema={"enum": [*_NAMES]})
]
