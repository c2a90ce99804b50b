"""Signatures of every scheme, judged against the providers' published examples, and why one fails.

Where a provider publishes no vector, it is computed here with the standard library from what the page says.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
import stripe
import svix
from hypothesis import given
from hypothesis import strategies as st

from hookbin import errors
from hookbin.models.bins import DigestEncoding, Verify
from hookbin.signatures.diagnosis import MAX_PARSED, Other
from hookbin.signatures.scheme import SignedRequest
from hookbin.signatures.schemes import SCHEMES, scheme_named
from hookbin.signatures.secrets import make_secret
from hookbin.signatures.verification import SignatureCheck, Verdict, check_rule, check_signature
from tests.support import ROOT

NOW = 1_700_000_000
SECRET = "correct horse battery staple"
BODY = b'{"b": 1, "a": "x"}'


def hexed(secret: str | bytes, signed: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode() if isinstance(secret, str) else secret, signed, algorithm).hexdigest()


def based(secret: str | bytes, signed: bytes, algorithm: str = "sha256") -> str:
    return base64.b64encode(bytes.fromhex(hexed(secret, signed, algorithm))).decode()


def judged(
    scheme: str, headers: dict[str, str], *, secret: str = SECRET, body: bytes = BODY, now: int = NOW,
    url: tuple[str, str] = ("https", "/b/x"), by: dict[str, str] | None = None, others: tuple[Other, ...] = (),
    **options: Any,
) -> SignatureCheck:  # fmt: skip
    rule = Verify(scheme=scheme, secret=secret, **options)
    named = {name.lower().encode(): value.encode() for name, value in headers.items()}
    result = check_signature(
        rule, SignedRequest(named, body, *url, **(by or {})), secrets=[secret], now=now, others=others
    )
    assert secret not in (result.reason or "")
    assert (result.reason is None) == (result.state is Verdict.OK)
    return result


STANDARD = "whsec_jNQ/7xW+xN8SVHMzBUl+EF6YlW+Le+TERxrTUF6qfsg="
STANDARD_KEY = base64.b64decode(STANDARD.removeprefix("whsec_"))


def standard(
    body: bytes = BODY, *, key: bytes = STANDARD_KEY, stamp: int | str = NOW, kind: str = "webhook"
) -> dict[str, str]:
    value = f"v1,{based(key, f'm1.{stamp}.'.encode() + body)}"
    return {f"{kind}-id": "m1", f"{kind}-timestamp": str(stamp), f"{kind}-signature": value}


def github(body: bytes = BODY, *, key: str | bytes = SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={hexed(key, body)}"}


FORM = b"Caller=%2B12349013030&CallSid=CA1234567890ABCDE&Digits=1234&From=%2B12349013030&To=%2B18005551212"

VECTORS: list[Any] = [
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    ("standard", standard(), {"secret": STANDARD}),
    ("standard", standard(kind="svix"), {"secret": STANDARD}),
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the webhook payload"
    (
        "github",
        {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        {"secret": "It's a Secret to Everybody", "body": b"Hello, World!"},
    ),
    ("github-sha1", {"X-Hub-Signature": f"sha1={hexed(SECRET, BODY, 'sha1')}"}, {}),
    # https://docs.stripe.com/webhooks/signature, "Verify manually"
    ("stripe", {"Stripe-Signature": f"t={NOW},v1={hexed(SECRET, b'%d.' % NOW + BODY)},v0=00"}, {}),
    # https://docs.slack.dev/authentication/verifying-requests-from-slack, the worked example
    (
        "slack",
        {
            "X-Slack-Request-Timestamp": "1531420618",
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
        {
            "secret": "8f742231b10e8888abcd99yyyzzz85a5",
            "now": 1531420618,
            "body": b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
            b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
            b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
            b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
        },
    ),
    # https://shopify.dev/docs/apps/build/webhooks/subscribe/https, "Validate the origin of your webhook"
    ("shopify", {"X-Shopify-Hmac-SHA256": based(SECRET, BODY)}, {}),
    # https://www.twilio.com/docs/usage/webhooks/webhooks-security: URL, then each field's name and value, sorted
    (
        "twilio",
        {
            "Host": "mycompany.com", "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": based(
                "12345",
                b"https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+12349013030"
                b"Digits1234From+12349013030To+18005551212",
                "sha1",
            ),
        },
        {"secret": "12345", "url": ("https", "/myapp.php?foo=1&bar=2"), "body": FORM},
    ),
    (
        "twilio",
        {
            "Host": "a.b", "Content-Type": "application/json",
            "X-Twilio-Signature": based(
                SECRET, f"https://a.b/b/x?bodySHA256={hashlib.sha256(BODY).hexdigest()}".encode(), "sha1"
            ),
        },
        {"url": ("https", f"/b/x?bodySHA256={hashlib.sha256(BODY).hexdigest()}")},
    ),
    # https://developer.squareup.com/docs/webhooks/step3validate: the URL, then the body
    (
        "square",
        {"Host": "a.b", "X-Square-HmacSha256-Signature": based(SECRET, b"https://a.b/b/x" + BODY)},
        {"secret": SECRET},
    ),
    # https://developers.zoom.us/docs/api/webhooks/, "Verify webhook events"
    (
        "zoom",
        {"x-zm-request-timestamp": str(NOW), "x-zm-signature": f"v0={hexed(SECRET, b'v0:%d:' % NOW + BODY)}"},
        {},
    ),
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started, "Validating Payloads"
    ("meta", github(), {}),
    # https://linear.app/developers/webhooks, "Securing webhooks"
    ("linear", {"Linear-Signature": hexed(SECRET, BODY), "Linear-Timestamp": str(NOW * 1000)}, {}),
    # https://docs.gitlab.com/user/project/integrations/webhooks/, "Validate payloads"
    ("gitlab", {"X-Gitlab-Token": SECRET}, {}),
    # https://developers.asana.com/docs/webhooks-guide, "The webhook handshake"
    ("asana", {"X-Hook-Signature": hexed(SECRET, BODY)}, {}),
    ("hmac", {"X-Sig": hexed(SECRET, BODY)}, {"header": "X-Sig"}),
    (
        "hmac",
        {"X-Sig": f"hmac {based(SECRET, BODY, 'sha512')}"},
        {"header": "x-sig", "algorithm": "sha512", "encoding": DigestEncoding.BASE64, "prefix": "hmac "},
    ),
    (
        "hmac",
        {"X-Sig": based(SECRET, BODY, "sha1").translate(str.maketrans("+/", "-_"))},
        {"header": "X-Sig", "algorithm": "sha1", "encoding": DigestEncoding.BASE64URL},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "headers", "options"), VECTORS)
def test_a_right_signature_is_ok_and_each_change_makes_it_fail(
    scheme: str, headers: dict[str, str], options: dict[str, Any]
) -> None:
    right = judged(scheme, headers, **options)
    assert (right.state, right.reason) == (Verdict.OK, None)

    secret = make_secret() if scheme == "standard" else "something else"
    assert judged(scheme, headers, **{**options, "secret": secret}).state is Verdict.FAILED
    assert judged(scheme, {}, **options).state is Verdict.UNSIGNED
    if scheme != "gitlab":
        changed = options.get("body", BODY).replace(b"1", b"2") or b"?"
        changed = changed if changed != options.get("body", BODY) else changed + b"!"
        assert judged(scheme, headers, **{**options, "body": changed}).state is Verdict.FAILED


def test_every_scheme_has_a_vector() -> None:
    assert set(SCHEMES) == {scheme for scheme, _, _ in VECTORS}


def test_the_docs_have_every_scheme_with_its_source() -> None:
    lines = [
        f"| {', '.join(f'`{name}`' for name in (row.name, *row.aliases))} | {row.title} "
        f"| {', '.join(f'`{name}`' for name in row.headers) or 'as `header` says'} | {row.source} |"
        for row in SCHEMES.values()
    ]

    assert "\n".join(lines) in (ROOT / "docs" / "bins.md").read_text()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *((name, row.name) for row in SCHEMES.values() for name in (row.name, *row.aliases)),
        (" Svix ", "standard"),
        ("Standard_Webhooks", "standard"),
        ("standard webhooks", "standard"),
        ("GitHub", "github"),
        ("X-Hub-Signature", "github-sha1"),
    ],
)
def test_a_scheme_answers_to_the_names_that_people_type(typed: str, name: str) -> None:
    assert scheme_named(typed) == name


def test_no_name_means_two_schemes_and_another_one_is_refused_with_those_that_there_are() -> None:
    names = [name for row in SCHEMES.values() for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))

    with pytest.raises(errors.FieldsInvalid, match="'x' is not one of standard, svix, "):
        scheme_named("x")


def test_the_libraries_of_the_providers_sign_what_is_found_right() -> None:
    now = datetime.fromtimestamp(NOW, UTC)
    for body in (BODY, b"", "naïve ☃ 💥".encode(), b"\x00\r\n"):
        for library, kind in ((standardwebhooks.Webhook, "webhook"), (svix.Webhook, "svix")):
            signature = library(STANDARD).sign("mé", now, body.decode())
            headers = {f"{kind}-id": "mé", f"{kind}-timestamp": str(NOW), f"{kind}-signature": signature}
            assert judged("standard", headers, secret=STANDARD, body=body).state is Verdict.OK
        signature = stripe.WebhookSignature._compute_signature(f"{NOW}.{body.decode()}", SECRET)
        assert judged("stripe", {"stripe-signature": f"t={NOW},v1={signature}"}, body=body).state is Verdict.OK


@pytest.mark.parametrize(
    ("written", "state"),
    [
        ("v1,AAAA v1,{}", "ok"),
        ("v1,{} v1a,AAAA", "ok"),
        ("v1,☃ v1,{}", "ok"),
        ("", "failed"),
        ("{}", "failed"),
        ("v1={}", "failed"),
        ("V1,{}", "failed"),
        ("v2,{}", "failed"),
        ("v1,{},", "failed"),
        ("v1, {}", "failed"),
    ],
)
def test_the_right_signature_is_found_among_others_and_only_as_it_is_written(written: str, state: str) -> None:
    headers = standard()
    digest = headers["webhook-signature"].removeprefix("v1,")

    result = judged("standard", {**headers, "webhook-signature": written.format(digest)}, secret=STANDARD)
    assert result.state == state


@pytest.mark.parametrize(("age", "state"), [(300, "ok"), (-300, "ok"), (301, "failed"), (-301, "failed")])
def test_a_timestamp_may_be_five_minutes_off(age: int, state: str) -> None:
    assert judged("standard", standard(), secret=STANDARD, now=NOW + age).state == state


def failing(scheme: str, headers: dict[str, str], **options: Any) -> str:
    result = judged(scheme, headers, **options)
    assert result.state is Verdict.FAILED
    assert result.reason is not None
    return result.reason


@pytest.mark.parametrize(
    ("stamp", "words"),
    [
        (NOW - 412, "right, but its timestamp is 412 s old"),
        (NOW + 412, "right, but its timestamp is 412 s in the future"),
        (NOW * 1000, "right, but its timestamp is in milliseconds"),
        *(
            (stamp, "right, but its timestamp is not a whole number")
            for stamp in ("soon", "", f"{NOW}.0", f"+{NOW}", "٣")
        ),
    ],
)
def test_a_right_signature_at_a_wrong_time_says_by_how_much(stamp: int | str, words: str) -> None:
    assert words in failing("standard", standard(stamp=stamp), secret=STANDARD)


@pytest.mark.parametrize(
    ("secret", "key", "words"),
    [
        (f'"{SECRET}"', SECRET, "with quotes"),
        (f" {SECRET}\n", SECRET, "with white space"),
        (f"v1,{SECRET}", SECRET, "prefix of signatures such as v1,"),
        (SECRET, SECRET + "\n", "line end or a space behind it"),
        (STANDARD, STANDARD_KEY, "base64-decodes the secret"),
        (STANDARD, STANDARD.removeprefix("whsec_"), "leaves whsec_ away"),
        ("00ff" * 8, bytes.fromhex("00ff" * 8), "hex-decodes"),
    ],
)
def test_a_key_in_the_wrong_form_is_told(secret: str, key: str | bytes, words: str) -> None:
    assert words in failing("github", github(key=key), secret=secret)


@pytest.mark.parametrize("key", [STANDARD.encode(), STANDARD.removeprefix("whsec_").encode()])
def test_a_standard_key_used_as_text_is_told(key: bytes) -> None:
    assert "must base64-decode" in failing("standard", standard(key=key), secret=STANDARD)


@pytest.mark.parametrize(
    ("signed", "body", "words"),
    [
        (b'{"b":1,"a":"x"}', BODY, "is compact JSON."),
        (b'{"b": 1, "a": "x"}', b'{"b":1,"a":"x"}', "is JSON with spaces."),
        (b'{"a":"x","b":1}', BODY, "is compact JSON with sorted keys"),
        (b'{"a": "x", "b": 1}', BODY, "is JSON with spaces and sorted keys"),
        (b'{"a":"\\u00e4"}', '{"a":"ä"}'.encode(), "\\u escapes"),
        (b"text", b"text\n", "lacks the line end"),
        (b"text\n", b"text", "has a line end at its end"),
        (b"a\nb", b"a\r\nb", "line ends were changed"),
        (b"a\r\nb", b"a\nb", "line ends were changed"),
        (b"", BODY, "An empty body"),
    ],
)
def test_a_body_that_was_changed_after_signing_is_told(signed: bytes, body: bytes, words: str) -> None:
    assert words in failing("github", github(signed), body=body)


def test_a_signature_in_another_encoding_algorithm_or_without_its_prefix_is_told() -> None:
    assert "signed with sha1" in failing("github", {"X-Hub-Signature-256": f"sha256={hexed(SECRET, BODY, 'sha1')}"})
    assert "signs the body alone" in failing(
        "slack", {"X-Slack-Signature": f"v0={hexed(SECRET, BODY)}", "X-Slack-Request-Timestamp": str(NOW)}
    )


def test_a_missing_header_names_the_similar_one_that_is_there() -> None:
    result = judged("github", {"X-Hub-Signature": "sha1=00"})
    assert result.state is Verdict.UNSIGNED
    assert "X-Hub-Signature: set the bin's scheme to github-sha1" in str(result.reason)
    assert "svix-signature" in str(judged("github", standard(kind="svix")).reason)
    assert "no proxy on the way drops it" in str(judged("stripe", {}).reason)
    without = {name: value for name, value in standard().items() if name != "webhook-timestamp"}
    assert "no webhook-timestamp header" in failing("standard", without, secret=STANDARD)
    assert "but x-signature: set the bin's header" in str(judged("hmac", {"X-Signature": "a"}, header="x-sig").reason)
    assert "ed25519 key alone" in failing(
        "standard", {**standard(), "webhook-signature": "v1a,AAAA v1a,BBBB"}, secret=STANDARD
    )
    assert "no v1= part" in failing("stripe", {"stripe-signature": f"t={NOW}"})


def test_the_secret_of_another_webhook_is_told_by_its_name() -> None:
    others = (Other("the webhook 'a'", "nope"), Other("the webhook 'b'", "other secret"))

    assert "the secret of the webhook 'b'" in failing("github", github(key="other secret"), others=others)
    assert "the secret of the webhook 'b'" in failing("gitlab", {"X-Gitlab-Token": "other secret"}, others=others)


def test_many_other_secrets_do_not_use_up_the_search_for_how_a_large_body_was_changed() -> None:
    others = tuple(Other(f"the webhook '{number}'", f"secret {number}") for number in range(100))
    value = {"b": ["word"] * 6000, "a": 1}
    signed, body = json.dumps(value, sort_keys=True).encode(), json.dumps(value).encode()
    assert 40_000 < len(body) < MAX_PARSED

    assert "with spaces and sorted keys" in failing("github", github(signed), body=body, others=others)


HEXED, BASED = hexed(SECRET, BODY), based(SECRET, BODY)
URL_SAFE = BASED.translate(str.maketrans("+/", "-_"))
assert {"+", "/"} & set(BASED)


@pytest.mark.parametrize(
    ("encoding", "prefix", "written"),
    [
        ("hex", "", HEXED.upper()),
        ("hex", "", f" {HEXED} "),
        ("hex", "sha256=", f"sha256= {HEXED}"),
        ("hex", "sha256= ", f"sha256={HEXED.upper()}"),
        ("base64", "", BASED.rstrip("=")),
        ("base64", "v1,", f"v1,{BASED.rstrip('=')}"),
        ("base64url", "", URL_SAFE.rstrip("=")),
        ("base64url", "hmac ", f"hmac  {URL_SAFE}"),
    ],
)
def test_a_rule_of_ones_own_takes_a_digest_in_any_spelling_of_its_encoding(
    encoding: str, prefix: str, written: str
) -> None:
    rule: dict[str, Any] = {"header": "X-Sig", "encoding": DigestEncoding(encoding), "prefix": prefix}

    assert judged("hmac", {"X-Sig": written}, **rule).state is Verdict.OK
    assert judged("hmac", {"X-Sig": written}, **rule, body=b"other").state is Verdict.FAILED


@pytest.mark.parametrize(
    ("rule", "written", "words", "better"),
    [
        ({}, f"sha256={HEXED}", "prefix to 'sha256='", {"prefix": "sha256="}),
        ({}, f"t=1, v1={HEXED}", "prefix to 't=1, v1='", {"prefix": "t=1, v1="}),
        ({"prefix": "v1="}, HEXED, "prefix to nothing", {"prefix": ""}),
        ({}, BASED, "encoding to base64:", {"encoding": DigestEncoding.BASE64}),
        ({}, URL_SAFE.rstrip("="), "encoding to base64url:", {"encoding": DigestEncoding.BASE64URL}),
        (
            {"encoding": DigestEncoding.BASE64},
            f"sha256={HEXED.upper()}",
            "set the bin's encoding to hex and its prefix to 'sha256='",
            {"encoding": DigestEncoding.HEX, "prefix": "sha256="},
        ),
        ({}, hexed(SECRET, BODY, "sha512"), "set the bin's algorithm to sha512", {"algorithm": "sha512"}),
    ],
)
def test_advice_names_a_setting_and_following_it_mends_the_check(
    rule: dict[str, Any], written: str, words: str, better: dict[str, Any]
) -> None:
    assert words.rstrip(":") in failing("hmac", {"X-Sig": written}, header="X-Sig", **rule)
    assert judged("hmac", {"X-Sig": written}, header="X-Sig", **{**rule, **better}).state is Verdict.OK


@pytest.mark.parametrize(
    ("scheme", "header", "written", "words"),
    [
        (
            "github",
            "X-Hub-Signature-256",
            f"sha256={BASED}",
            "written as base64 after 'sha256=', and hex after 'sha256='",
        ),
        ("github", "X-Hub-Signature-256", f"sha256={HEXED.upper()}", "written as hex in capitals"),
        ("github", "X-Hub-Signature-256", f"sha256= {HEXED}", "written as hex after 'sha256= '"),
        ("github", "X-Hub-Signature-256", HEXED, "written as hex with nothing before it"),
        ("shopify", "X-Shopify-Hmac-SHA256", HEXED, "written as hex with nothing before it"),
        (
            "shopify",
            "X-Shopify-Hmac-SHA256",
            base64.b64encode(HEXED.encode()).decode(),
            "written as base64 of the digits in hex",
        ),
        ("github", "X-Hub-Signature-256", " ", "is empty"),
    ],
)
def test_a_provider_writes_its_digest_in_one_way_and_another_is_told(
    scheme: str, header: str, written: str, words: str
) -> None:
    assert words in failing(scheme, {header: written})


@pytest.mark.parametrize(
    ("given", "host", "by", "words"),
    [
        ("https://a.b", "a.b", {}, None),
        ("https://a.b:443", "a.b", {}, None),
        ("https://a.b", "a.b:8443", {}, None),
        ("https://a.b:443", "a.b:8443", {}, None),
        ("https://a.b", "127.0.0.1:8090", {"public_url": "https://a.b/"}, None),
        ("https://a.b:443", "127.0.0.1:8090", {"public_url": "HTTPS://a.b"}, None),
        ("https://a.b:443", "127.0.0.1:8090", {"public_url": "https://a.b:8443"}, None),
        ("https://a.b", "127.0.0.1:8090", {"forwarded_host": "a.b"}, None),
        ("https://a.b:443", "127.0.0.1:8090", {"forwarded_host": "a.b"}, None),
        ("https://a.b", "a.b", {"public_url": "https://other"}, None),
        ("https://[::1]:443", "[::1]:8090", {}, None),
        ("http://a.b:80", "a.b", {}, "with http, and it came by https: let the proxy"),
        (
            "https://a.b",
            "127.0.0.1:8090",
            {"unproved": "https://a.b"},
            "that is not trusted: name it with --trust-proxy",
        ),
        ("https://a.b", "127.0.0.1:8090", {}, "took it for https://127.0.0.1:8090/b/x and forms of that"),
    ],
)
@pytest.mark.parametrize("scheme", ["twilio", "square"])
def test_the_url_that_was_signed_is_found_by_host_and_port(
    scheme: str, given: str, host: str, by: dict[str, str], words: str | None
) -> None:
    url = f"{given}/b/x".encode()
    signed = (
        {"X-Twilio-Signature": based(SECRET, url, "sha1")}
        if scheme == "twilio"
        else {"X-Square-HmacSha256-Signature": based(SECRET, url + BODY)}
    )
    headers = {"Host": host, **signed}

    if words is None:
        assert judged(scheme, headers, by=by).state is Verdict.OK
    else:
        assert words in failing(scheme, headers, by=by)


def test_a_proxy_that_says_the_scheme_and_is_not_trusted_is_told() -> None:
    headers = {"Host": "a.b", "X-Twilio-Signature": based(SECRET, b"https://a.b/b/x", "sha1")}

    assert "let the proxy in front" in failing("twilio", headers, url=("http", "/b/x"))
    said = failing("twilio", {**headers, "X-Forwarded-Proto": "https"}, url=("http", "/b/x"))
    assert "name the proxy whose word for that came along" in said


def test_a_body_that_was_signed_before_it_was_packed_is_told() -> None:
    packed = gzip.compress(BODY)
    headers = {**github(BODY), "Content-Encoding": "gzip"}

    assert "signed before it was packed by gzip" in failing("github", headers, body=packed)
    inner = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    assert "is compact JSON" in failing("github", {**headers, **github(inner)}, body=packed)


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a": ' + b"9" * 60_000 + b"}", b"\xff" * 60_000, b"x" * 2_000_000])
def test_a_hostile_body_only_finds_no_reason(body: bytes) -> None:
    assert "No usual mistake" in failing("github", github(key="unknown"), body=body)


@given(
    scheme=st.sampled_from(list(SCHEMES)),
    value=st.text(st.characters(codec="latin-1"), max_size=80),
    body=st.binary(),
)
def test_no_header_whatever_makes_a_check_raise(scheme: str, value: str, body: bytes) -> None:
    names = [name for row in SCHEMES.values() for name in row.headers]
    names += ["webhook-id", "webhook-timestamp", "x-slack-request-timestamp", "x-zm-request-timestamp", "x-sig"]
    named = {name.lower().encode(): value.encode("latin-1") for name in names}
    rule = Verify(scheme=scheme, secret="c2VjcmV0IQ==", header="x-sig")

    arrived = SignedRequest(named, body, "http", f"/b/x?bodySHA256={value}")
    assert (
        check_signature(rule, arrived, secrets=["c2VjcmV0IQ=="], now=NOW).state is not Verdict.OK
        or value == "c2VjcmV0IQ=="
    )


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"scheme": "github", "secret": ""}, "verify.secret"),
        ({"scheme": "standard", "secret": "whsec_"}, "verify.secret"),
        ({"scheme": "standard", "secret": "whsec_not base64"}, "verify.secret"),
        ({"scheme": "github", "secret": "…cdef"}, "verify.secret"),
        ({"scheme": "hmac", "secret": "s"}, "verify.header"),
        ({"scheme": "hmac", "secret": "s", "header": "a b"}, "verify.header"),
        ({"scheme": "github", "secret": "s", "header": "x"}, "verify.header"),
        ({"scheme": "github", "secret": "s", "algorithm": "sha1"}, "verify.algorithm"),
    ],
)
def test_a_rule_by_which_nothing_could_be_checked_is_refused(fields: dict[str, Any], loc: str) -> None:
    with pytest.raises(errors.FieldsInvalid) as refused:
        check_rule(Verify(**fields))

    assert [name for name, _ in refused.value.errors] == [loc]
