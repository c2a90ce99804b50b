"""Why a signature does not match: the mistakes that people make, tried one by one within a bound of work.

In every guess one thing is changed: how the digest is written, the key, the algorithm, the bytes that are signed.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from hookbin.bodies.json_values import NOTHING, read_json
from hookbin.bodies.reading import Reading
from hookbin.models.bins import MAX_PREFIX, DigestEncoding, Verify
from hookbin.signatures.scheme import Claim, Digest, Scheme, SignedRequest, decoded_digest
from hookbin.signatures.secrets import SECRET_PREFIX

MAX_HASHED = 2 * 1024 * 1024
"""Bytes that are hashed in search of a reason, in all: a few milliseconds."""
MAX_PARSED = 64 * 1024
"""Bytes of a body that is written anew as JSON."""
MAX_OTHERS = 50
"""Secrets of others that are tried."""
_MARK = re.compile(r"^(v[0-9]+a?[,=]|sha(1|256|512)=)")
_PARTS = re.compile(r"(.*[=,:\s])?([0-9A-Za-z+/_-]+={0,2})", re.DOTALL)
"""What stands before a digest, and that."""
_ALGORITHMS = ("sha256", "sha1", "sha512")
_NOTHING = (
    "No usual mistake explains it: most likely the sender signs with another secret, or the body was changed "
    "on its way. Copy the secret from the sender's settings once more."
)


class Other(Struct, frozen=True):
    """A secret of the same owner that is meant for something else."""

    name: str
    """What it is for, such as `the webhook "orders"`."""
    secret: str


class _Guess(Struct, frozen=True):
    reason: str
    """Nothing when it is right, and only written in another way."""
    key: bytes
    algorithm: str
    signed: bytes


class _Spelling(Struct, frozen=True):
    """How a digest is written."""

    mark: str
    """What stands before it."""
    encoding: DigestEncoding | None
    """None for what no setting undoes."""
    words: str


def explain(
    scheme: Scheme,
    rule: Verify,
    claim: Claim,
    *,
    request: SignedRequest,
    secrets: Sequence[str],
    others: Iterable[Other],
) -> str:
    """Why no signature in the claim is right, in a sentence that says what to do next; no secret is in it."""
    known = [Other(other.name, other.secret) for other in islice(others, MAX_OTHERS)]
    if scheme.digest is None:
        return _about_token(claim.given[0], secrets, known)
    if not any(text.strip() for text in claim.given):
        return "The header with the signature is empty: see that the sender has its secret."
    wanted = {digest: spelling for text in claim.given[:10] for spelling, digest in _digests(text, scheme, rule)}
    if not wanted:
        return "The header holds no digest in hex or base64: see that it is passed on whole and unchanged."
    spent = 0
    for guess in _guesses(scheme, rule, claim, request=request, secrets=secrets, others=known):
        spent += len(guess.signed) + 128
        if spent > MAX_HASHED:
            return f"The body is too large to look for the mistake. {_NOTHING}"
        if (spelling := wanted.get(hmac.digest(guess.key, guess.signed, guess.algorithm))) is not None:
            return guess.reason or _written_otherwise(scheme, rule, spelling)
    return claim.otherwise or _NOTHING


def _digests(text: str, scheme: Scheme, rule: Verify) -> Iterator[tuple[_Spelling, bytes]]:
    """What the text may stand for, however it is written; the encoding that is expected comes last, and counts."""
    text = text.strip().strip("\"'")
    expected = scheme.digest_by(rule).encoding
    parts = _PARTS.fullmatch(text)
    for mark, bare in {("", text), (parts[1] or "", parts[2]) if parts else ("", text)}:
        for encoding in sorted(DigestEncoding, key=lambda each: each is expected):
            digest = decoded_digest(bare, encoding)
            if digest:
                capitals = encoding is DigestEncoding.HEX and bare != bare.lower()
                yield _Spelling(mark, encoding, f"{encoding} in capitals" if capitals else encoding), digest
            if hidden := decoded_digest(digest.decode("latin-1"), DigestEncoding.HEX):
                yield _Spelling(mark, None, f"{encoding} of the digits in hex"), hidden


def _guesses(
    scheme: Scheme,
    rule: Verify,
    claim: Claim,
    *,
    request: SignedRequest,
    secrets: Sequence[str],
    others: Sequence[Other],
) -> Iterator[_Guess]:
    algorithm, body = scheme.digest_by(rule).algorithm, request.body
    signed = claim.signed(body)
    keys = [scheme.secret.key(secret) for secret in secrets]
    for key in keys:
        for form in (claim.signed, *claim.also):
            yield _Guess("", key, algorithm, form(body))
    for secret in secrets:
        for reason, key in _other_keys(scheme, secret):
            yield _Guess(reason, key, algorithm, signed)
    for key in keys:
        for reason, content in (*claim.near, *_other_contents(claim, body)):
            yield _Guess(reason, key, algorithm, content)
        for other in _ALGORITHMS:
            if other != algorithm:
                who = f"set the bin's algorithm to {other}" if scheme.by_rule else f"set the sender to {algorithm}"
                reason = f"It is signed with {other}, and {algorithm} is expected: {who}."
                yield _Guess(reason, key, other, signed)
    for key in keys:
        for reason, other_body in _other_bodies(request):
            yield _Guess(reason, key, algorithm, claim.signed(other_body))
    for one in others:  # last, since they can be many
        reason = f"It is signed with the secret of {one.name}: give the sender this bin's, or the bin the other."
        yield _Guess(reason, scheme.secret.key(one.secret), algorithm, signed)
        yield _Guess(reason, one.secret.encode(), algorithm, signed)


def _written_otherwise(scheme: Scheme, rule: Verify, found: _Spelling) -> str:
    digest = scheme.digest_by(rule)
    expected = f"{digest.encoding} {_behind(digest.mark)}"
    advice = _settings(digest, found) if scheme.by_rule else ""
    return (
        f"The signature is right, but it is written as {found.words} {_behind(found.mark)}, and {expected} is "
        f"expected: {advice or 'mend how the sender writes it'}."
    )


def _behind(mark: str) -> str:
    return f"after {mark!r}" if mark else "with nothing before it"


def _settings(digest: Digest, found: _Spelling) -> str:
    """What to set at a bin whose rule says how a digest is written; nothing where no setting takes it."""
    mark = found.mark.strip()
    if found.encoding is None or len(mark) > MAX_PREFIX:
        return ""
    changes = [f"encoding to {found.encoding}"] if found.encoding is not digest.encoding else []
    if mark != digest.mark.strip():
        changes.append(f"prefix to {mark!r}" if mark else "prefix to nothing")
    return f"set the bin's {' and its '.join(changes)}" if changes else ""


def _other_keys(scheme: Scheme, secret: str) -> Iterator[tuple[str, bytes]]:
    """Keys that come of a secret that was pasted or decoded wrongly, here or at the sender."""
    for words, text in _pasted(secret):
        for key in {scheme.secret.key(text), text.encode()} - {b""}:
            yield f"The secret was pasted {words}: save the bin's secret anew without that.", key
    bare = secret.removeprefix(SECRET_PREFIX)
    if not scheme.secret.is_text:
        undecoded = "The sender uses the secret's text as the key; it must base64-decode what follows whsec_"
        yield f"{undecoded}.", bare.encode()
        yield f"{undecoded}, and leave the prefix away.", secret.encode()
    else:
        if bare != secret:
            yield "The sender leaves whsec_ away; here it is a part of the key. Correct the sender.", bare.encode()
        for name in (DigestEncoding.BASE64, DigestEncoding.HEX):
            if key := decoded_digest(bare, name):
                yield (
                    f"The sender {name}-decodes the secret; the key is its text as it stands. Correct the sender.",
                    key,
                )
    for end in ("\n", "\r\n", " "):
        reason = "The sender's secret has a line end or a space behind it that is not part of it: remove it there."
        yield reason, (secret + end).encode()


def _pasted(secret: str) -> Iterator[tuple[str, str]]:
    text = secret.strip()
    if text != secret:
        yield "with white space or a line end around it", text
    if (unquoted := text.strip("\"'`")) != text:
        yield "with quotes around it", unquoted
    if (without := _MARK.sub("", unquoted)) != unquoted:
        yield "with a prefix of signatures such as v1, before it", without


def _other_contents(claim: Claim, body: bytes) -> Iterator[tuple[str, bytes]]:
    if claim.before:
        yield f"The sender signs the body alone; {claim.before} must be signed before it. Correct the sender.", body


def _other_bodies(request: SignedRequest) -> Iterator[tuple[str, bytes]]:
    """What may have been signed before it became this body."""
    reading = Reading(request.body, request.fields, most=MAX_HASHED)
    if reading.unpacked.encodings:
        names = " and ".join(reading.unpacked.encodings)
        yield f"The body was signed before it was packed by {names}: the sender must sign the bytes sent.", reading.body
    yield from _other_ends(request.body)
    if len(request.body) <= MAX_PARSED and reading.text is not None and len(reading.text.text) <= MAX_PARSED:
        yield from _other_json(reading.text.text)
    yield "An empty body was signed: the sender signs before it sets the body.", b""


def _other_ends(body: bytes) -> Iterator[tuple[str, bytes]]:
    if body.endswith(b"\n"):
        reason = "What was signed lacks the line end at the body's end: something added it after signing."
        yield reason, body.removesuffix(b"\n").removesuffix(b"\r")
    else:
        reason = "What was signed has a line end at its end that the body lacks: something removed it after signing."
        yield reason, body + b"\n"
        yield reason, body + b"\r\n"
    if b"\r\n" in body:
        yield (
            "What was signed has \\n where the body has \\r\\n: line ends were changed after signing.",
            body.replace(b"\r\n", b"\n"),
        )
    elif b"\n" in body:
        yield (
            "What was signed has \\r\\n where the body has \\n: line ends were changed after signing.",
            body.replace(b"\n", b"\r\n"),
        )


def _other_json(text: str) -> Iterator[tuple[str, bytes]]:
    value = read_json(text)
    if value is NOTHING:
        return
    try:
        for words, write in _JSON_FORMS:
            reason = (
                f"The body was serialised anew after it was signed; what was signed is {words}. Sign the bytes sent."
            )
            yield reason, write(value).encode()
    except (ValueError, RecursionError):  # half a pair of surrogates, or too deep
        return


def _form(**options: Any) -> Callable[[object], str]:
    return lambda value: json.dumps(value, **options)


_COMPACT, _SPACED = (",", ":"), (", ", ": ")
_JSON_FORMS: tuple[tuple[str, Callable[[object], str]], ...] = (
    ("compact JSON", _form(separators=_COMPACT, ensure_ascii=False)),
    ("compact JSON with \\u escapes", _form(separators=_COMPACT)),
    ("JSON with spaces", _form(separators=_SPACED, ensure_ascii=False)),
    ("JSON with spaces and \\u escapes", _form(separators=_SPACED)),
    ("compact JSON with sorted keys", _form(separators=_COMPACT, ensure_ascii=False, sort_keys=True)),
    ("JSON with spaces and sorted keys", _form(separators=_SPACED, ensure_ascii=False, sort_keys=True)),
    ("JSON indented by 2", _form(indent=2, ensure_ascii=False)),
    ("JSON indented by 4", _form(indent=4, ensure_ascii=False)),
)


def _about_token(given: str, secrets: Sequence[str], others: Sequence[Other]) -> str:
    if any(given.strip() == secret.strip().strip("\"'`") for secret in secrets):
        return "The token differs only by quotes or white space around it: save the bin's secret without them."
    for other in others:
        if hmac.compare_digest(given.encode(), other.secret.encode()):
            return f"The token is the secret of {other.name}: give the sender this bin's."
    return "The token is another one than the bin's secret: copy it to both sides once more."
