"""Whether a captured request bears the signature that its sender's scheme asks for, and if not, why.

`schemes` has the table of schemes, `diagnosis` the search for the reason of a mismatch.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from hookbin import http_fields
from hookbin.errors import FieldsInvalid
from hookbin.models.bins import Verify
from hookbin.signatures.diagnosis import Other, explain
from hookbin.signatures.scheme import Claim, Scheme, SignedRequest
from hookbin.signatures.schemes import SCHEMES

_MAX_GIVEN = 10
"""So many signatures of one request are compared; senders that rotate a secret write two."""
_MILLISECONDS_FROM = 100_000_000_000
"""A timestamp from here on would be after the year 5138 in seconds, and is after 1973 in milliseconds."""

_SIGNATURE = re.compile(rb"sign|hmac|digest")
"""In the names of headers that may hold a signature."""
_UNKNOWN = "another version of hookbin wrote it; set verify on the bin anew"


class Verdict(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNSIGNED = "unsigned"
    UNCHECKED = "unchecked"


class SignatureCheck(Struct, frozen=True):
    """What a check came to; `reason` says why unless it is ok, and what to do next. It never holds a secret."""

    state: Verdict = Verdict.UNCHECKED
    scheme: str | None = None
    reason: str | None = None


def check_signature(
    rule: Verify, request: SignedRequest, *, secrets: Sequence[str], now: int, others: Iterable[Other] = ()
) -> SignatureCheck:
    """Judge a request. `secrets` are those that may have signed it; `now` is in seconds.

    `others` are tried when it fails, to say whose secret it was; a generator is only run then. Never raises.
    """
    scheme = SCHEMES.get(rule.scheme)
    if scheme is None:
        return SignatureCheck(scheme=rule.scheme, reason=f"The scheme {rule.scheme!r} is not known here: {_UNKNOWN}.")
    claim = scheme.claim(request, rule)
    if claim is None:
        return SignatureCheck(Verdict.UNSIGNED, scheme.name, _absence(scheme, rule, request))
    reason = claim.problem or _mismatch(scheme, rule, claim, request=request, secrets=secrets, others=others)
    late = None if claim.problem else _lateness(scheme, claim, now=now)
    if reason is None and late is None:
        return SignatureCheck(Verdict.OK, scheme.name)
    if reason is None:
        reason = f"The signature is right, but {late}."
    elif late is not None:
        reason = f"{reason} Besides, {late}."
    return SignatureCheck(Verdict.FAILED, scheme.name, reason)


def check_rule(rule: Verify) -> Verify:
    """The rule as given. Raises `FieldsInvalid` for one by which nothing could be checked."""
    scheme = SCHEMES[rule.scheme]
    errors = []
    if "…" in rule.secret:
        errors.append(("verify.secret", "is the masked one that is shown; leave it out to keep the secret"))
    elif complaint := scheme.secret.complaint(rule.secret):
        errors.append(("verify.secret", complaint))
    if scheme.by_rule and rule.header is None:
        errors.append(
            ("verify.header", f"is needed by the scheme {scheme.name}: the name of the header with the signature")
        )
    if rule.header is not None and not http_fields.is_name(rule.header):
        errors.append(("verify.header", http_fields.NAME_RULE))
    blank = Verify(scheme=rule.scheme, secret=rule.secret)
    for name in ("header", "algorithm", "encoding", "prefix"):
        if not scheme.by_rule and getattr(rule, name) != getattr(blank, name):
            errors.append((f"verify.{name}", f"is for the scheme hmac alone; {rule.scheme} has its own, leave it out"))
    if errors:
        raise FieldsInvalid(*errors)
    return rule


def _mismatch(
    scheme: Scheme,
    rule: Verify,
    claim: Claim,
    *,
    request: SignedRequest,
    secrets: Sequence[str],
    others: Iterable[Other],
) -> str | None:
    texts = claim.given[:_MAX_GIVEN]
    if scheme.by_rule:  # nobody has said how exactly its sender writes a digest
        texts = tuple(map(scheme.digest_by(rule).tidied, texts))
    given = [text.encode("latin-1", "replace") for text in texts]
    for secret in secrets:
        sign = scheme.signer(secret, rule)
        for signed in (claim.signed, *claim.also):
            expected = sign(signed(request.body)).encode()
            if any(hmac.compare_digest(expected, one) for one in given):
                return None
    return explain(scheme, rule, claim, request=request, secrets=secrets, others=others)


def _lateness(scheme: Scheme, claim: Claim, *, now: int) -> str | None:
    if claim.timestamp is None:
        return None
    text = claim.timestamp
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        return "its timestamp is not a whole number of seconds since 1970; its sender must write it so"
    stamp = int(text)
    if scheme.milliseconds:
        stamp //= 1000
    elif stamp >= _MILLISECONDS_FROM:
        return "its timestamp is in milliseconds; its sender must write it in seconds"
    age = now - stamp
    if abs(age) <= scheme.tolerance:
        return None
    if age > 0:
        how = f"its timestamp is {age:,} s old, and {scheme.tolerance} s are allowed"
        return f"{how}; it was sent again or held up, or a clock is wrong"
    return f"its timestamp is {-age:,} s in the future, and {scheme.tolerance} s are allowed; compare the clocks"


def _absence(scheme: Scheme, rule: Verify, request: SignedRequest) -> str:
    header = scheme.header or rule.header or ""
    there = [
        (name, other.name)
        for other in SCHEMES.values()
        for name in other.headers
        if name not in scheme.headers and request.header(name) is not None
    ]
    if there:
        names = ", ".join(dict.fromkeys(name for name, _ in there))
        return f"There is no {header} header, but {names}: set the bin's scheme to {there[0][1]}, or mend the sender."
    similar = [name.decode("latin-1") for name in request.headers if _SIGNATURE.search(name)] if scheme.by_rule else []
    if similar:
        return f"There is no {header} header, but {', '.join(similar)[:200]}: set the bin's header to the right one."
    return f"There is no {header} header: set a secret at the sender, and see that no proxy on the way drops it."
