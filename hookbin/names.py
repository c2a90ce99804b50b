"""Which names, event types and texts are taken; each complaint says what would be."""

from __future__ import annotations

import re

from hookbin.errors import FieldsInvalid
from hookbin.http_fields import TCHAR

MAX_BIN_NAME = 63
_BIN_NAME = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_BIN_NAME - 1}}}")
MAX_EVENT_TYPE = 128
_EVENT_TYPE = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.:/-]{{0,{MAX_EVENT_TYPE - 1}}}")
_EVENT_PATTERN = re.compile(rf"[A-Za-z0-9_*][A-Za-z0-9_.:/*-]{{0,{MAX_EVENT_TYPE - 1}}}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CONTENT_TYPE = re.compile(rf"{TCHAR}+/{TCHAR}+[\t\x20-\x7e]*")
_CONTENT_ENCODING = re.compile(rf"{TCHAR}{{1,50}}(?:[ \t]*,[ \t]*{TCHAR}{{1,50}}){{0,9}}")
MAX_WEBHOOK_NAME = 100
MAX_NOTE = 1000
"""Characters of what is to be remembered of a request."""
DELIVERY_EXHAUSTED = "delivery.exhausted"
WEBHOOK_DISABLED = "webhook.disabled"
META_EVENTS = frozenset({DELIVERY_EXHAUSTED, WEBHOOK_DISABLED})
"""Types of the events in which hookbin tells of itself."""


def is_bin_name(name: str) -> bool:
    return _BIN_NAME.fullmatch(name) is not None


def check_bin_name(name: str) -> str:
    if not is_bin_name(name):
        raise FieldsInvalid(("name", f"use 1 to {MAX_BIN_NAME} of a-z, 0-9 and -, and no - at the start"))
    return name


def check_webhook_name(name: str) -> str:
    if not 1 <= len(name) <= MAX_WEBHOOK_NAME or name != name.strip():
        raise FieldsInvalid(("name", f"use 1 to {MAX_WEBHOOK_NAME} characters, without white space around them"))
    if not name.isprintable():
        raise FieldsInvalid(("name", "use no control characters or line breaks"))
    return name


def check_note(note: str) -> str:
    if not note.isprintable():
        raise FieldsInvalid(("note", "use no control characters or line breaks"))
    return note


def check_event_type(type: str) -> str:
    if _EVENT_TYPE.fullmatch(type) is None:
        raise FieldsInvalid(("type", f"use 1 to {MAX_EVENT_TYPE} letters, digits and _ . : / -, such as user.created"))
    return type


def check_event_patterns(patterns: list[str]) -> tuple[str, ...]:
    for index, pattern in enumerate(patterns):
        if _EVENT_PATTERN.fullmatch(pattern) is None:
            raise FieldsInvalid((f"events[{index}]", "use a type such as user.created, or one with * such as user.*"))
    return tuple(dict.fromkeys(patterns))


def check_idempotency_key(key: str | None) -> str | None:
    if key is not None and _KEY.fullmatch(key) is None:
        raise FieldsInvalid(("Idempotency-Key", "use 1 to 255 visible ASCII characters"))
    return key


def check_content_encoding(value: str | None) -> str | None:
    if value is not None and _CONTENT_ENCODING.fullmatch(value) is None:
        raise FieldsInvalid(("Content-Encoding", "name the codings, such as gzip or deflate, gzip; 10 at most"))
    return value


def check_content_type(value: str) -> str:
    if len(value) > 255 or _CONTENT_TYPE.fullmatch(value) is None:
        raise FieldsInvalid(("Content-Type", "use a media type such as application/json, at most 255 characters"))
    return value
