"""What a signature scheme is made of: one row says how a provider signs, and how we do as it does."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from hookbin.models.bins import DigestEncoding, Verify
from hookbin.models.common import Headers
from hookbin.models.request_target import origin_form
from hookbin.signatures.secrets import TEXT_SECRET, SecretForm


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
    """As they are written, each in the form in which `Scheme.signer` makes one."""
    signed: Callable[[bytes], bytes] = bytes
    """Makes of a body the bytes that are signed."""
    timestamp: str | None = None
    problem: str | None = None
    """Why it can't be right, whatever the secret."""
    near: tuple[tuple[str, bytes], ...] = ()
    """Other bytes that may have been signed by mistake, each with a sentence that tells of it."""


class Digest(Struct, frozen=True, kw_only=True):
    """An HMAC's algorithm, and how its digest is written."""

    algorithm: str = "sha256"
    encoding: DigestEncoding = DigestEncoding.HEX
    mark: str = ""
    """What stands before the digest."""

    def of(self, key: bytes, signed: bytes) -> str:
        digest = hmac.digest(key, signed, self.algorithm)
        if self.encoding is DigestEncoding.HEX:
            return self.mark + digest.hex()
        if self.encoding is DigestEncoding.BASE64URL:
            return self.mark + base64.urlsafe_b64encode(digest).decode()
        return self.mark + base64.b64encode(digest).decode()


class Message(Struct, frozen=True, kw_only=True):
    """What we sign, and what stands beside the signature."""

    id: str
    """The event's id."""
    type: str
    timestamp: int
    """Seconds since 1970: when this attempt began."""
    body: bytes


class Style(Struct, frozen=True, kw_only=True):
    """How we sign as the provider does: the `signature_style` of a webhook."""

    title: str
    """As the pages name it."""
    sign: Callable[[Sequence[str], Message], Headers]
    """The headers of a message; the secrets are those that sign, the current one first."""
    secret: SecretForm
    """Its key raises `FieldsInvalid` for a secret that can't sign at all."""
    several: bool = True
    """Whether secrets that were rotated out sign beside the current one."""
    beside: tuple[str, ...] = ()
    """Headers that say what the event is; sent on, a request keeps its own."""
    older: tuple[str, ...] = ()
    """Headers with other signatures of the scheme, which no longer match when it is signed anew."""


class Scheme(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    name: str
    title: str
    source: str
    """Where the provider says so: a URL, and the section if the page has several."""
    headers: tuple[str, ...] = ()
    """Those that hold a signature of this kind; empty when the rule names one."""
    read: Callable[[SignedRequest, Verify], Claim | None]
    """None when the request bears no signature of the scheme."""
    secret: SecretForm = TEXT_SECRET
    digest: Digest | None = Digest()
    """None when the secret itself is sent, and nothing is computed."""
    by_rule: bool = False
    """The rule of the bin says header, algorithm, encoding and prefix."""
    private: Callable[[str], Callable[[bytes], str] | None] = lambda _: None
    """What signs with a private key instead of an HMAC; None for a secret that is none."""
    tolerance: int = 300
    """Seconds that a timestamp may be off, if there is one."""
    milliseconds: bool = False
    style: Style | None = None
    """None when we can only check by it."""

    @property
    def header(self) -> str | None:
        return self.headers[0] if self.headers else None

    def digest_by(self, rule: Verify) -> Digest:
        if self.by_rule:
            return Digest(algorithm=rule.algorithm, encoding=rule.encoding, mark=rule.prefix)
        return self.digest or Digest()

    def signer(self, secret: str, rule: Verify) -> Callable[[bytes], str]:
        """Makes of the signed bytes the text that the header must have."""
        if self.digest is None:
            return lambda _: secret
        digest, key = self.digest_by(rule), self.secret.key(secret)
        return self.private(secret) or (lambda signed: digest.of(key, signed))
