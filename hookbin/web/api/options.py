"""What webhooks, forward targets and replays are asked to be, read and checked in one way."""

from __future__ import annotations

from hookbin.config import Settings
from hookbin.delivery.retries import parse_retry_on, parse_schedule
from hookbin.delivery.targets import check_literal, parse_destination
from hookbin.errors import FieldsInvalid
from hookbin.web.rest.services import Services


def check_destination(services: Services, url: str) -> str:
    """The URL as given. Raises `FieldsInvalid` or `TargetRefused`; our own bins are always allowed."""
    parse_destination(url)
    if not services.site.addresses.is_own_bin(url):
        check_literal(services.delivering.policy, url)
    return url


def read_schedule(settings: Settings, wanted: str | list[float] | None) -> tuple[float, ...]:
    """Seconds before each retry; those of the settings when none are given. Raises `FieldsInvalid`."""
    return parse_schedule(settings.retry_schedule if wanted is None else wanted)


def read_retry_on(settings: Settings, wanted: list[str] | None) -> tuple[str, ...]:
    """What is retried; what the settings say when nothing is given. Raises `FieldsInvalid`."""
    words = settings.retry_on.split(",") if wanted is None else wanted
    if not words:
        raise FieldsInvalid(("retry_on", "name at least one; to retry nothing set retry_schedule to none"))
    return parse_retry_on(words)
