"""What follows an attempt: success, another attempt at a given time, or giving up.

`KINDS` and `ERROR_CLASSES` are the table that both `after` (which decides) and `explanations` (which tells) read:

    what came back               retried when retry_on names   otherwise
    2xx                          -                             succeeded
    3xx                          3xx                           failed; redirects are not followed
    408 / 429                    408 / 429, or 4xx             failed
    410                          -                             failed, and the webhook is disabled
    other 4xx                    4xx                           failed
    5xx and above                5xx                           failed
    address that policy forbids  -                             failed
    nothing sent: no signature   -                             failed
    nothing sent: no HTTP        -                             failed
    no answer, or no final one   network                       failed
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from msgspec import Struct

from hookbin import errors
from hookbin.delivery.error_classes import ERROR_CLASSES
from hookbin.http_fields import first_value
from hookbin.models.common import SECOND, Headers
from hookbin.models.deliveries import Action, DeliveryState, ErrorClass, Trigger

SCHEDULES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "default": (1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0, 86_400.0),
        "standard": (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0),
        "fast": (1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
        "none": (),
    }
)
"""Seconds to wait before each retry; `standard` is the Standard Webhooks specification's example."""

RETRY_ON = ("5xx", "network", "408", "429", "4xx", "3xx")
DEFAULT_RETRY_ON = ("5xx", "network")
JITTER = 0.2
MAX_RETRY_AFTER = 24 * 3600 * SECOND
MAX_DELAY = 30 * 24 * 3600
"""Seconds."""
MAX_RETRIES = 50


class Outcome(Struct, frozen=True, kw_only=True):
    """How an attempt ended. With `error` set there was no whole answer, whatever `status` says."""

    status: int | None = None
    error: ErrorClass | None = None
    retry_after: str | None = None
    """The raw header value."""
    ended_at: int


class Decision(Struct, frozen=True, kw_only=True):
    action: Action
    next_attempt_at: int | None = None
    disable: bool = False
    """The webhook is to be disabled."""


class Kind(Struct, frozen=True, kw_only=True):
    """A row of the table: what came back, and what that means."""

    statuses: range = range(0)
    retry_words: tuple[str, ...] = ()
    meaning: str
    delivered: bool = False
    disables: bool = False
    """The webhook is disabled by it."""

    def is_retried(self, retry_on: Collection[str]) -> bool:
        return any(word in retry_on for word in self.retry_words)


KINDS = (
    Kind(statuses=range(200, 300), meaning="{status} is a success", delivered=True),
    Kind(statuses=range(300, 400), retry_words=("3xx",), meaning="{status} is a redirect and those are not followed"),
    Kind(statuses=range(408, 409), retry_words=("408", "4xx"), meaning="{status} is a 4xx"),
    Kind(statuses=range(429, 430), retry_words=("429", "4xx"), meaning="{status} is a 4xx"),
    Kind(statuses=range(410, 411), meaning="{status} means the destination is gone", disables=True),
    Kind(statuses=range(400, 500), retry_words=("4xx",), meaning="{status} is a 4xx"),
    Kind(statuses=range(500, 1000), retry_words=("5xx",), meaning="{status} is a server error"),
)
"""The first row that holds a status is its kind."""

_NETWORK = ("network",)
NOTHING_CAME = Kind(retry_words=_NETWORK, meaning="No answer came")
NO_FINAL_ANSWER = Kind(retry_words=_NETWORK, meaning="{status} is not a final answer")


_NO_ANSWER = {
    error: Kind(retry_words=_NETWORK if facts.is_retried else (), meaning=facts.meaning)
    for error, facts in ERROR_CLASSES.items()
}


def classify(status: int | None, error: ErrorClass | None) -> Kind:
    if error is not None:
        return _NO_ANSWER[error]
    if status is None:
        return NOTHING_CAME
    return next((kind for kind in KINDS if status in kind.statuses), NO_FINAL_ANSWER)


def after(
    outcome: Outcome, *, number: int, schedule: Sequence[float], retry_on: Collection[str], jitter: float
) -> Decision:
    """What follows attempt `number` (from 1, manual ones count). `jitter` is in [-1, 1], 0 for none."""
    kind = classify(outcome.status, outcome.error)
    if kind.delivered:
        return Decision(action=Action.SUCCEED)
    if not kind.is_retried(retry_on):
        return Decision(action=Action.FAIL, disable=kind.disables)
    if number > len(schedule):
        return Decision(action=Action.FAIL)
    planned = outcome.ended_at + round(schedule[number - 1] * (1 + JITTER * jitter) * SECOND)
    asked = parse_retry_after(outcome.retry_after, now=outcome.ended_at)
    return Decision(
        action=Action.RESCHEDULE,
        next_attempt_at=planned if asked is None else max(planned, asked),
    )


def streak(before: int, after: DeliveryState, *, trigger: Trigger) -> int:
    """How many deliveries of a webhook have failed in a row, once an attempt left its delivery in state `after`.

    This is the count of a circuit breaker: at `disable_after` the webhook is disabled, until its owner enables it.

    A success begins anew. An attempt by hand that fails does not count: its delivery had failed before, or
    somebody is looking after it.
    """
    if after is DeliveryState.SUCCEEDED:
        return 0
    return before + 1 if after is DeliveryState.FAILED and trigger is Trigger.AUTO else before


def explain_streak(count: int, *, last_status: int | None, last_error: ErrorClass | None) -> str:
    """Why a webhook was disabled."""
    got = str(last_status) if last_error is None else f"no answer ({last_error})"
    return f"{count} {'delivery' if count == 1 else 'deliveries in a row'} failed; the last attempt got {got}"


def retry_after_of(headers: Headers) -> str | None:
    """The first `Retry-After` of an answer."""
    return first_value(headers, "retry-after")


_SECONDS = re.compile(r"[0-9]+")
_MAX_DIGITS = 10
"""More digits than that are more than any limit, and Python reads no number of more than 4,300."""
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_HTTP_DATES = (
    re.compile(rf"[A-Z][a-z]{{2}}, (?P<day>[0-9]{{2}}) (?P<month>[A-Za-z]{{3}}) (?P<year>[0-9]{{4}}) {_CLOCK} GMT"),
    re.compile(rf"[A-Z][a-z]+day, (?P<day>[0-9]{{2}})-(?P<month>[A-Za-z]{{3}})-(?P<year>[0-9]{{2}}) {_CLOCK} GMT"),
    re.compile(rf"[A-Z][a-z]{{2}} (?P<month>[A-Za-z]{{3}}) (?P<day>[ 0-9][0-9]) {_CLOCK} (?P<year>[0-9]{{4}})"),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_retry_after(value: str | None, *, now: int) -> int | None:
    """When to come back, at most 24 h from `now`; None for nonsense and for the past (RFC 9110, 10.2.3)."""
    text = (value or "").strip(" \t")
    if _SECONDS.fullmatch(text):
        digits = text.lstrip("0")
        asked = int(digits or "0") * SECOND if len(digits) <= _MAX_DIGITS else MAX_RETRY_AFTER
        return now + min(asked, MAX_RETRY_AFTER)
    instant = _parse_http_date(text, now=now)
    return None if instant is None or instant <= now else min(instant, now + MAX_RETRY_AFTER)


def _parse_http_date(text: str, *, now: int) -> int | None:
    """All three forms that a recipient has to read (RFC 9110, 5.6.7)."""
    match = next((found for form in _HTTP_DATES if (found := form.fullmatch(text))), None)
    if match is None or match["month"] not in _MONTHS:
        return None
    year = int(match["year"]) if len(match["year"]) == 4 else _full_year(int(match["year"]), now=now)
    month = _MONTHS.index(match["month"]) + 1
    day, hour, minute, second = (int(match[part]) for part in ("day", "hour", "minute", "second"))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _full_year(two_digits: int, *, now: int) -> int:
    """More than 50 years ahead means the century before (RFC 9110, 5.6.7)."""
    this_year = (_EPOCH + timedelta(microseconds=now)).year
    year = this_year - this_year % 100 + two_digits
    return year - 100 if year > this_year + 50 else year


def parse_schedule(value: str | Sequence[float]) -> tuple[float, ...]:
    """A name of `SCHEDULES`, seconds separated by commas, or a list of seconds. Raises FieldsInvalid."""
    if isinstance(value, str):
        if value in SCHEDULES:
            return SCHEDULES[value]
        value = _parse_seconds(value)
    if len(value) > MAX_RETRIES:
        raise _schedule_invalid(f"has {len(value)} entries, at most {MAX_RETRIES} are possible")
    if not all(0 < seconds <= MAX_DELAY for seconds in value):
        raise _schedule_invalid(f"each wait must be more than 0 and at most {MAX_DELAY} seconds (30 days)")
    return tuple(float(seconds) for seconds in value)


def _parse_seconds(text: str) -> list[float]:
    parts = [part.strip(" ") for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", part) for part in parts):
        raise _schedule_invalid(f"must be one of {', '.join(SCHEDULES)}, or seconds like 1,5,30")
    return [float(part) for part in parts]


def _schedule_invalid(message: str) -> errors.FieldsInvalid:
    return errors.FieldsInvalid(("retry_schedule", message))


def parse_retry_on(words: Sequence[str]) -> tuple[str, ...]:
    """The words without repeats, in their order. Raises FieldsInvalid on one that `RETRY_ON` lacks."""
    if unknown := [word for word in words if word not in RETRY_ON]:
        raise errors.FieldsInvalid(("retry_on", f"{unknown[0][:40]!a} is not one of {', '.join(RETRY_ON)}"))
    return tuple(dict.fromkeys(words))
