"""URL-encoded forms, with JSON inside a field laid out: Slack and GitHub send `payload=` so."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from hookbin.bodies import limits
from hookbin.bodies.charsets import known_charset
from hookbin.bodies.json_text import lay_out
from hookbin.bodies.media import parameters
from hookbin.bodies.shapes import View, ViewField
from hookbin.bodies.source import Match, Source

_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
"""Bytes that a form would have written as %xx."""
_FORM = re.compile(rb"[A-Za-z0-9_.*%\[\]+~:$-]{1,200}=[^\s<>{}\"]{0,2000}")

_LONGEST = 4 * limits.SHOWN
"""Bytes of a name or value that are decoded."""


def form_fit(source: Source) -> Match:
    if not source.body or _BINARY.search(source.body, 0, limits.SHOWN):
        return Match.NO  # what curl sends of a file without a type says that it is a form
    if source.media_type == "application/x-www-form-urlencoded":
        json_sent_by_curl = source.body[:1000].lstrip()[:1] in (b"{", b"[")
        return Match.MAYBE if json_sent_by_curl else Match.DECLARED
    if (
        source.media_type in ("", "text/plain")
        and _FORM.match(source.body)
        and not re.search(rb"\s", source.body[:2000].strip())
    ):
        return Match.MAYBE
    return Match.NO


def form_view(source: Source) -> View | None:
    """Order and repeated names are kept; `+` is a blank, `%xx` a byte of UTF-8 or of the declared charset."""
    body = source.body[: limits.LOOKED_AT]
    charset = known_charset(parameters(source.content_type).get("charset", "")) or "utf-8"
    fields: list[ViewField] = []
    left, start = limits.SHOWN, 0
    while start < len(body) and len(fields) < limits.FIELDS and left > 0 and not source.budget.spent():
        end = body.find(b"&", start)
        end = len(body) if end < 0 else end
        if end > start:
            field = _field(body[start:end], charset, left, source)
            left -= len(field.name) + len(field.value) + len(field.json or "")
            fields.append(field)
        start = end + 1
    cut = start < len(source.body)
    return View(
        name="form",
        title="Form",
        fields=fields,
        truncated=cut or any(field.truncated for field in fields),
        notice=f"Cut: {len(fields):,} fields are shown; there is more." if cut else None,
    )


def _field(pair: bytes, charset: str, left: int, source: Source) -> ViewField:
    raw_name, _, raw_value = pair.partition(b"=")
    name, value = _plain(raw_name[:_LONGEST], charset), _plain(raw_value[:_LONGEST], charset)
    cut = len(raw_name) > _LONGEST or len(raw_value) > _LONGEST
    name_cut = name[: min(left, 1_000)]
    laid_out = None
    if value[:1] in ("{", "[") and not cut:
        layout = lay_out(value, budget=source.budget, most=left)
        laid_out = None if layout.broken or layout.stopped else layout.text
    room = max(0, left - len(name_cut) - len(laid_out or ""))
    return ViewField(
        name=name_cut,
        value=value[:room],
        truncated=cut or len(value) > room or len(name) > len(name_cut),
        json=laid_out,
    )


def _plain(encoded: bytes, charset: str) -> str:
    return unquote_to_bytes(encoded.replace(b"+", b" ")).decode(charset, "replace")
