"""What a signature scheme is made of: one row says how a provider signs, and how we do as it does."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from hookbin.models.bins import DigestEncoding, Verify
from hookbin.models.common import Headers
from hookbin.signatures.secrets import TEXT_SECRET, SecretForm

_HEX = re.compile(r"([0-9a-fA-F]{2})+")
_BASE64 = re.compile(r"[0-9A-Za-z+/]+={0,2}")
_BASE64URL = re.compile(r"[0-9A-Za-z_-]+={0,2}")
_TO_BASE64 = str.maketrans("-_", "+/")


class SignedRequest(Struct, frozen=True):
    """What a check looks at. Header names are in lower case; of a header that is there twice the last counts."""

    headers: Mapping[bytes, bytes]
    body: bytes
    scheme: str
    """A trusted proxy's word counts."""
    target: str
    """As on the request line, latin-1."""
    public_url: str | None = None
    """Where its owner says that this server is reached."""
    forwarded_host: str | None = None
    """The host that a trusted proxy was asked for."""
    unproved: str | None = None
    """Scheme and host, as a URL, by the word of a proxy that nobody named."""

    def header(self, name: str) -> str | None:
        value = self.headers.get(name.lower().encode())
        return None if value is None else value.decode("latin-1")

    @property
    def fields(self) -> Headers:
        return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers.items())


class Claim(Struct, frozen=True, kw_only=True):
    """What a request says of its signature."""

    given: tuple[str, ...] = ()
    """As they are written, each in the form in which `Scheme.signer` makes one."""
    signed: Callable[[bytes], bytes] = bytes
    """Makes of a body the bytes that are signed."""
    also: tuple[Callable[[bytes], bytes], ...] = ()
    """Others that are as right, since senders differ."""
    before: str | None = None
    """What is signed before the body, in words."""
    timestamp: str | None = None
    problem: str | None = None
    """Why it can't be right, whatever the secret."""
    near: tuple[tuple[str, bytes], ...] = ()
    """Other bytes that may have been signed by mistake, each with a sentence that tells of it."""
    otherwise: str | None = None
    """What to look at first when no mistake is found."""


class Digest(Struct, frozen=True, kw_only=True):
    """An HMAC's algorithm, and how its digest is written."""

    algorithm: str = "sha256"
    encoding: DigestEncoding = DigestEncoding.HEX
    mark: str = ""
    """What stands before the digest."""

    def of(self, key: bytes, signed: bytes) -> str:
        return self._written(hmac.digest(key, signed, self.algorithm))

    def tidied(self, text: str) -> str:
        """The digest in a text as `of` writes it; the text as it is where there is none.

        Hex may be in capitals, base64 without padding (RFC 4648, 3.2 and 8), and blanks may stand around a digest.
        """
        bare = text.strip()
        digest = decoded_digest(bare.removeprefix(self.mark.rstrip()).strip(), self.encoding)
        return self._written(digest) if digest and bare.startswith(self.mark.rstrip()) else text

    def _written(self, digest: bytes) -> str:
        if self.encoding is DigestEncoding.HEX:
            return self.mark + digest.hex()
        if self.encoding is DigestEncoding.BASE64URL:
            return self.mark + base64.urlsafe_b64encode(digest).decode()
        return self.mark + base64.b64encode(digest).decode()


def decoded_digest(text: str, encoding: DigestEncoding) -> bytes:
    """The bytes that a text stands for, in capitals or without padding too; none where it is not in that encoding."""
    if encoding is DigestEncoding.HEX:
        return bytes.fromhex(text) if _HEX.fullmatch(text) else b""
    form = _BASE64URL if encoding is DigestEncoding.BASE64URL else _BASE64
    bare = text.rstrip("=")
    if form.fullmatch(text) is None or len(bare) % 4 == 1:
        return b""
    return base64.b64decode(bare.translate(_TO_BASE64) + "=" * (-len(bare) % 4))


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
    aliases: tuple[str, ...] = ()
    """Other names that people know it by."""
    title: str
    source: str
    """Where the provider says so: a URL, and the section if the page has several."""
    headers: tuple[str, ...] = ()
    """Those that hold a signature of this kind; empty when the rule names one."""
    read: Callable[[SignedRequest, Verify], Claim | None] | None = None
    """None when the first of the headers holds one signature, and the body alone is signed."""
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

    def claim(self, request: SignedRequest, rule: Verify) -> Claim | None:
        """None when the request bears no signature of the scheme."""
        if self.read is not None:
            return self.read(request, rule)
        value = request.header(self.header or rule.header or "")
        return None if value is None else Claim(given=(value,))

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
