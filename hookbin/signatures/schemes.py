"""How each provider signs: one function that reads what a request claims, and one row in `SCHEMES`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from hookbin import errors
from hookbin.models.bins import DigestEncoding, SignatureScheme, Verify
from hookbin.models.request_target import origin_form
from hookbin.signatures.signing import PRIVATE_PREFIX, SECRET_PREFIX, parse_secret, signer

_MAX_FORM = 1024 * 1024
"""Bytes of a form whose fields are sorted for Twilio's signature; its own are a few KiB."""
_MAX_FIELDS = 2000
_LONGEST_SECRET = 1024


class SignedRequest(Struct, frozen=True):
    """What a check looks at. Header names are in lower case; of a header that is there twice the last counts."""

    headers: Mapping[bytes, bytes]
    body: bytes
    scheme: str
    target: str
    """As on the request line, latin-1."""

    def header(self, name: str) -> str | None:
        value = self.headers.get(name.lower().encode())
        return None if value is None else value.decode("latin-1")

    @property
    def url(self) -> str:
        """The URL as the sender wrote it: the scheme (a trusted proxy's word counts), the Host header, the target."""
        return f"{self.scheme}://{self.header('host') or ''}{origin_form(self.target)}"


class Claim(Struct, frozen=True, kw_only=True):
    """What a request says of its signature."""

    given: tuple[str, ...] = ()
    """As they are written, each in the form in which `Scheme.sign` makes one."""
    signed: Callable[[bytes], bytes] = bytes
    """Makes of a body the bytes that are signed."""
    timestamp: str | None = None
    problem: str | None = None
    """Why it can't be right, whatever the secret."""
    near: tuple[tuple[str, bytes], ...] = ()
    """Other bytes that may have been signed by mistake, each with a sentence that tells of it."""


class Scheme(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    name: SignatureScheme
    headers: tuple[str, ...]
    """Those that hold a signature of this kind; empty when the rule names one."""
    read: Callable[[SignedRequest, Verify], Claim | None]
    """None when the request bears no signature of the scheme."""
    key: Callable[[str], bytes]
    """Makes of a secret the key of the HMAC."""
    complaint: Callable[[str], str | None]
    """What is wrong with a secret; None if it will do."""
    algorithm: str = "sha256"
    encoding: DigestEncoding = DigestEncoding.HEX
    mark: str = ""
    """What stands before the digest."""
    tolerance: int = 300
    """Seconds that a timestamp may be off, if there is one."""
    milliseconds: bool = False
    token: bool = False
    """The secret itself is sent, and nothing is computed."""

    @property
    def header(self) -> str | None:
        return self.headers[0] if self.headers else None

    def sign(self, secret: str, rule: Verify) -> Callable[[bytes], str]:
        """Makes of the signed bytes the text that the header must have."""
        if self.token:
            return lambda _: secret
        if self.name is SignatureScheme.STANDARD and secret.startswith(PRIVATE_PREFIX):
            return signer(secret)
        plain = self.name is SignatureScheme.HMAC
        algorithm, encoding = (rule.algorithm, rule.encoding) if plain else (self.algorithm, self.encoding)
        mark, key = rule.prefix if plain else self.mark, self.key(secret)
        return lambda signed: mark + written(hmac.digest(key, signed, algorithm), encoding)


def written(digest: bytes, encoding: DigestEncoding) -> str:
    if encoding is DigestEncoding.HEX:
        return digest.hex()
    if encoding is DigestEncoding.BASE64URL:
        return base64.urlsafe_b64encode(digest).decode()
    return base64.b64encode(digest).decode()


def _standard(arrived: SignedRequest, _: Verify) -> Claim | None:
    """Standard Webhooks, "Webhook headers"; Svix sends the same under names of its own."""
    for kind in ("webhook", "svix"):
        value = arrived.header(f"{kind}-signature")
        if value is None:
            continue
        id, timestamp = arrived.header(f"{kind}-id"), arrived.header(f"{kind}-timestamp")
        if id is None or timestamp is None:
            return Claim(problem=_lacks(f"{kind}-id" if id is None else f"{kind}-timestamp"))
        given = tuple(value.split(" "))
        return Claim(given=given, signed=_behind(f"{id}.{timestamp}."), timestamp=timestamp)
    return None


def _behind(head: str) -> Callable[[bytes], bytes]:
    start = head.encode("latin-1")
    return lambda body: start + body


def _whole(name: str) -> Callable[[SignedRequest, Verify], Claim | None]:
    """The header holds one signature, and the body alone is signed."""

    def read(arrived: SignedRequest, _: Verify) -> Claim | None:
        value = arrived.header(name)
        return None if value is None else Claim(given=(value,))

    return read


def _stripe(arrived: SignedRequest, _: Verify) -> Claim | None:
    """https://docs.stripe.com/webhooks/signature: `t=…,v1=…,v1=…`, of `{t}.{body}`."""
    value = arrived.header("stripe-signature")
    if value is None:
        return None
    parts = [part.strip().partition("=") for part in value.split(",")]
    timestamp = next((text for name, _, text in parts if name == "t"), None)
    given = tuple(text for name, _, text in parts if name == "v1")
    if timestamp is None or not given:
        missing = "t=" if timestamp is None else "v1="
        return Claim(problem=f"The Stripe-Signature header has no {missing} part: see that it is passed on whole.")
    return Claim(given=given, signed=_behind(f"{timestamp}."), timestamp=timestamp)


def _versioned(signature: str, timestamp: str) -> Callable[[SignedRequest, Verify], Claim | None]:
    """`v0=` and the digest of `v0:{timestamp}:{body}`.

    Slack: https://docs.slack.dev/authentication/verifying-requests-from-slack,
    Zoom: https://developers.zoom.us/docs/api/webhooks/, "Verify webhook events".
    """

    def read(arrived: SignedRequest, _: Verify) -> Claim | None:
        value, stamp = arrived.header(signature), arrived.header(timestamp)
        if value is None:
            return None
        if stamp is None:
            return Claim(problem=_lacks(timestamp))
        return Claim(given=(value,), signed=_behind(f"v0:{stamp}:"), timestamp=stamp)

    return read


def _linear(arrived: SignedRequest, _: Verify) -> Claim | None:
    """https://linear.app/developers/webhooks: of the body; the time beside it is in milliseconds."""
    value = arrived.header("linear-signature")
    return None if value is None else Claim(given=(value,), timestamp=arrived.header("linear-timestamp"))


def _twilio(arrived: SignedRequest, _: Verify) -> Claim | None:
    """https://www.twilio.com/docs/usage/webhooks/webhooks-security: of the URL, then the fields of a form sorted.

    Of another body the URL has the hash, in `bodySHA256`.
    """
    value = arrived.header("x-twilio-signature")
    if value is None:
        return None
    url = arrived.url
    wanted = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)).get("bodySHA256") if "?" in url else None
    if wanted is not None and not hmac.compare_digest(
        hashlib.sha256(arrived.body).hexdigest().encode(), wanted.lower().encode("utf-8", "replace")
    ):
        return Claim(problem="The body is not the one whose hash is in bodySHA256: it was changed on its way.")
    try:
        fields = b"" if wanted is not None else _sorted_fields(arrived)
    except ValueError:
        return Claim(problem="The body is no form that Twilio would send: too large, or of too many fields.")
    return Claim(
        given=(value,),
        signed=lambda _: url.encode("latin-1") + fields,
        near=tuple((words, other.encode("latin-1") + fields) for words, other in _other_urls(arrived)),
    )


def _sorted_fields(arrived: SignedRequest) -> bytes:
    if not (arrived.header("content-type") or "").lower().startswith("application/x-www-form-urlencoded"):
        return b""
    if len(arrived.body) > _MAX_FORM:
        raise ValueError("too large")
    pairs = parse_qsl(arrived.body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    return "".join(name + value for name, value in sorted(set(pairs))).encode("utf-8", "replace")


def _other_urls(arrived: SignedRequest) -> tuple[tuple[str, str], ...]:
    rest = f"://{arrived.header('host') or ''}{origin_form(arrived.target)}"
    other = "http" if arrived.scheme == "https" else "https"
    next_step = "let the proxy in front of hookbin send X-Forwarded-Proto, and trust it with --trust-proxy"
    return (
        (f"Twilio was given this bin's URL with {other}, and it came by {arrived.scheme}: {next_step}.", other + rest),
    )


def _hmac(arrived: SignedRequest, rule: Verify) -> Claim | None:
    value = arrived.header(rule.header or "")
    return None if value is None else Claim(given=(value,))


def _lacks(name: str) -> str:
    return f"There is a signature but no {name} header: see that the sender, or a proxy on the way, does not drop it."


def _standard_key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _standard_complaint(secret: str) -> str | None:
    try:
        if secret.startswith(PRIVATE_PREFIX):
            parse_secret(secret)
        elif secret.startswith(SECRET_PREFIX):
            text = secret.removeprefix(SECRET_PREFIX)
            if not text or not base64.b64decode(text, validate=True):
                return "is empty after whsec_"
        elif not base64.b64decode(secret, validate=True):
            return "must not be empty"
    except errors.FieldsInvalid as error:
        return error.errors[0][1]
    except (binascii.Error, ValueError):
        return "is not base64 after whsec_; copy the secret whole, without quotes, spaces or line ends"
    return None


def _text_complaint(secret: str) -> str | None:
    if not secret:
        return "must not be empty"
    return f"has more than {_LONGEST_SECRET} characters" if len(secret) > _LONGEST_SECRET else None


def _row(
    name: SignatureScheme,
    headers: tuple[str, ...],
    read: Callable[[SignedRequest, Verify], Claim | None],
    *,
    key: Callable[[str], bytes] = str.encode,
    complaint: Callable[[str], str | None] = _text_complaint,
    algorithm: str = "sha256",
    encoding: DigestEncoding = DigestEncoding.HEX,
    mark: str = "",
    tolerance: int = 300,
    milliseconds: bool = False,
    token: bool = False,
) -> Scheme:
    return Scheme(
        name=name, headers=headers, read=read, key=key, complaint=complaint, algorithm=algorithm, encoding=encoding,
        mark=mark, tolerance=tolerance, milliseconds=milliseconds, token=token,
    )  # fmt: skip


_S = SignatureScheme
_HUB = "X-Hub-Signature-256"
_B64 = DigestEncoding.BASE64
SCHEMES: dict[SignatureScheme, Scheme] = {
    row.name: row
    for row in (
        _row(
            _S.STANDARD, ("webhook-signature", "svix-signature"), _standard,
            key=_standard_key, complaint=_standard_complaint, encoding=_B64, mark="v1,",
        ),
        _row(_S.GITHUB, (_HUB,), _whole(_HUB), mark="sha256="),
        _row(_S.GITHUB_SHA1, ("X-Hub-Signature",), _whole("X-Hub-Signature"), algorithm="sha1", mark="sha1="),
        _row(_S.STRIPE, ("Stripe-Signature",), _stripe),
        _row(
            _S.SLACK, ("X-Slack-Signature",), _versioned("X-Slack-Signature", "X-Slack-Request-Timestamp"), mark="v0="
        ),
        _row(_S.SHOPIFY, ("X-Shopify-Hmac-SHA256",), _whole("X-Shopify-Hmac-SHA256"), encoding=_B64),
        _row(_S.TWILIO, ("X-Twilio-Signature",), _twilio, algorithm="sha1", encoding=_B64),
        _row(_S.ZOOM, ("x-zm-signature",), _versioned("x-zm-signature", "x-zm-request-timestamp"), mark="v0="),
        _row(_S.META, (_HUB,), _whole(_HUB), mark="sha256="),
        _row(_S.LINEAR, ("Linear-Signature",), _linear, milliseconds=True, tolerance=60),
        _row(_S.GITLAB, ("X-Gitlab-Token",), _whole("X-Gitlab-Token"), token=True),
        _row(_S.HMAC, (), _hmac),
    )
}  # fmt: skip
"""Every scheme that a bin can check by."""
