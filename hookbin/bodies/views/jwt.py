"""JSON Web Tokens found in a body or in `Authorization: Bearer`, decoded and never trusted (RFC 7519)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from hookbin.bodies import limits
from hookbin.bodies.json_text import lay_out
from hookbin.bodies.match import Match
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View, ViewToken
from hookbin.clock import rfc3339
from hookbin.models.common import SECOND

_SIGN = r"A-Za-z0-9_\-"
_JWT = re.compile(
    rf"(?<![{_SIGN}.])(eyJ[{_SIGN}]{{1,8192}}+)\.([{_SIGN}]{{2,32768}}+)\.([{_SIGN}]{{0,8192}}+)(?![{_SIGN}.])"
)
"""`eyJ` is how `{"` begins in base64url."""
_TIMES = {"exp": "expires", "iat": "issued", "nbf": "not valid before", "auth_time": "signed in"}
_LAST_TIME = 253_402_300_800
"""Seconds: the end of the year 9999."""


def jwt_fit(reading: Reading) -> Match:
    found = next(_tokens(reading), None)
    if found is None:
        return Match.NO
    where, match = found
    alone = where == _BODY and reading.text is not None and reading.text.text.strip() == match[0]
    return Match.LOOKS if alone else Match.MAYBE


_BODY = "body"


def _tokens(reading: Reading) -> Iterator[tuple[str, re.Match[str]]]:
    for name, value in reading.headers:
        bearer = name.lower() in ("authorization", "proxy-authorization") and value[:7].lower() == "bearer "
        if bearer and (match := _JWT.search(value[:65_536])):
            yield f"header {name}", match
    if reading.text is not None:
        text = reading.text.text[: limits.SHOWN * 4]
        for match in _JWT.finditer(text):
            yield _BODY, match


def jwt_view(reading: Reading) -> View | None:
    tokens: list[ViewToken] = []
    cut = False
    for where, match in _tokens(reading):
        if len(tokens) == limits.TOKENS or reading.budget.spent():
            cut = True
            break
        if token := _decoded(where, match, reading):
            tokens.append(token)
    if not tokens:
        return None
    notice = "Decoded, not verified: anybody can write such a token."
    more = f" The first {len(tokens)} are shown; there are more." if cut else ""
    return View(name="jwt", title="JWT", tokens=tokens, truncated=cut, notice=notice + more)


def _decoded(where: str, match: re.Match[str], reading: Reading) -> ViewToken | None:
    header, payload = _json(match[1], reading), _json(match[2], reading)
    if header is None:
        return None
    notes = _times(payload) if payload is not None else []
    if not match[3]:
        notes.append("it carries no signature")
    return ViewToken(
        where=where,
        header=header,
        payload=payload if payload is not None else match[2],
        notes=notes if payload is not None else [*notes, "its payload is not JSON, and shown as it is written"],
    )


def _json(segment: str, reading: Reading) -> str | None:
    try:
        text = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    layout = lay_out(text, budget=reading.budget, most=limits.SHOWN // limits.TOKENS)
    return None if layout.broken else layout.text


def _times(payload: str) -> list[str]:
    """The claims that are times, as times."""
    found = re.findall(r'(?m)^  "(exp|iat|nbf|auth_time)": ([0-9]{1,12})(?:\.[0-9]+)?,?$', payload)
    return [f"{_TIMES[name]} {_second(int(number))}" for name, number in found if int(number) < _LAST_TIME]


def _second(number: int) -> str:
    return rfc3339(number * SECOND).replace(".000000", "")
