"""Why a signature does not match: the mistakes that people make, tried one by one within a bound of work.

In every guess one thing is changed: how the digest is written, the key, the algorithm, the bytes that are signed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from hookbin.models.bins import Verify
from hookbin.signatures.scheme import Claim, Scheme
from hookbin.signatures.secrets import SECRET_PREFIX, from_base64

MAX_HASHED = 2 * 1024 * 1024
"""Bytes that are hashed in search of a reason, in all: a few milliseconds."""
MAX_PARSED = 64 * 1024
"""Bytes of a body that is written anew as JSON."""
MAX_OTHERS = 50
"""Secrets of others that are tried."""
_MARK = re.compile(r"^(v[0-9]+a?[,=]|sha(1|256|512)=)")
_HEX = re.compile(r"([0-9a-fA-F]{2})+")
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
    key: bytes
    algorithm: str
    signed: bytes


def explain(
    scheme: Scheme, rule: Verify, claim: Claim, *, body: bytes, secrets: Sequence[str], others: Iterable[Other]
) -> str:
    """Why no signature in the claim is right, in a sentence that says what to do next; no secret is in it."""
    known = [Other(other.name, other.secret) for other in islice(others, MAX_OTHERS)]
    if scheme.digest is None:
        return _about_token(claim.given[0], secrets, known)
    wanted = {digest for text in claim.given[:10] for digest in _digests(text)}
    if not wanted:
        return "The header holds no digest in hex or base64: see that it is passed on whole and unchanged."
    spent = 0
    for guess in _guesses(scheme, rule, claim, body=body, secrets=secrets, others=known):
        spent += len(guess.signed) + 128
        if spent > MAX_HASHED:
            return f"The body is too large to look for the mistake. {_NOTHING}"
        if hmac.digest(guess.key, guess.signed, guess.algorithm) in wanted:
            return guess.reason
    return _NOTHING


def _digests(text: str) -> Iterator[bytes]:
    """What the text may stand for, however it is written."""
    text = text.strip().strip("\"'")
    for form in {text, _MARK.sub("", text)}:
        if _HEX.fullmatch(form):
            yield bytes.fromhex(form)
        standard = form.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            yield base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue


def _guesses(
    scheme: Scheme, rule: Verify, claim: Claim, *, body: bytes, secrets: Sequence[str], others: Sequence[Other]
) -> Iterator[_Guess]:
    algorithm = scheme.digest_by(rule).algorithm
    signed = claim.signed(body)
    keys = [scheme.secret.key(secret) for secret in secrets]
    for key in keys:
        yield _Guess(_written_otherwise(scheme, rule), key, algorithm, signed)
    for secret in secrets:
        for reason, key in _other_keys(scheme, secret):
            yield _Guess(reason, key, algorithm, signed)
    for key in keys:
        for reason, content in (*claim.near, *_other_contents(claim, body)):
            yield _Guess(reason, key, algorithm, content)
        for other in _ALGORITHMS:
            if other != algorithm:
                reason = f"It is signed with {other}, and {algorithm} is expected: set the sender to {algorithm}."
                yield _Guess(reason, key, other, signed)
    for key in keys:
        for reason, other_body in _other_bodies(body):
            yield _Guess(reason, key, algorithm, claim.signed(other_body))
    for one in others:  # last, since they can be many
        reason = f"It is signed with the secret of {one.name}: give the sender this bin's, or the bin the other."
        yield _Guess(reason, scheme.secret.key(one.secret), algorithm, signed)
        yield _Guess(reason, one.secret.encode(), algorithm, signed)


def _written_otherwise(scheme: Scheme, rule: Verify) -> str:
    digest = scheme.digest_by(rule)
    form = f"{digest.encoding} after {digest.mark!r}" if digest.mark else f"{digest.encoding} with nothing before it"
    advice = "change the bin's encoding or prefix" if scheme.by_rule else "mend how the sender writes it"
    return f"The signature is right, but it is written in another way than {form}: {advice}."


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
        for decode, name in ((from_base64, "base64"), (_hex, "hex")):
            if key := decode(bare):
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
    if claim.signed(b""):
        yield "The sender signs the body alone; the timestamp (and id) belong before it. Correct the sender.", body


def _other_bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    """What may have been signed before it became this body."""
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
    if len(body) <= MAX_PARSED:
        yield from _other_json(body)
    yield "An empty body was signed: the sender signs before it sets the body.", b""


def _other_json(body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        value = json.loads(body)
        for words, write in _JSON_FORMS:
            reason = (
                f"The body was serialised anew after it was signed; what was signed is {words}. Sign the bytes sent."
            )
            yield reason, write(value).encode()
    except (ValueError, RecursionError):  # no JSON, or text that is not UTF-8, or too deep
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


def _hex(text: str) -> bytes:
    return bytes.fromhex(text) if _HEX.fullmatch(text) else b""
