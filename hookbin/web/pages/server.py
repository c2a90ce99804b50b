"""What this server is and does now: its version, files, numbers and settings in force."""

from __future__ import annotations

import platform
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from hookbin import __version__
from hookbin.clock import rfc3339
from hookbin.config import Settings, descriptions
from hookbin.store.database import SQLITE
from hookbin.text import size_text
from hookbin.web.html.rendering import render
from hookbin.web.rest.services import services

_SECRET = ("token", "proxy")
"""Of these it is only told whether they are set."""
_BYTES = ("max_body", "ballast")
_DEFAULTS = Settings()


class SettingInForce(Struct, frozen=True, kw_only=True):
    flag: str
    value: str
    is_default: bool
    description: str


async def page(request: Request) -> Response:
    s = services(request)
    return render(
        request,
        "server.html",
        after=s.live.timeline.position,
        versions={"hookbin": __version__, "Python": platform.python_version(), "SQLite": SQLITE},
        started_at=rfc3339(s.site.started_at),
        trouble=s.stores.database.trouble,
        exposed=s.site.settings.exposed,
        asks_for_token=s.site.settings.token is not None,
        files=s.stores.database.files(),
        numbers=s.live.metrics.numbers(),
        settings=in_force(s.site.settings),
    )


def in_force(settings: Settings) -> list[SettingInForce]:
    """Every setting in the order of `Settings`, with its value as a person writes it."""
    return [
        SettingInForce(
            flag=f"--{name.replace('_', '-')}",
            value=_text(name, getattr(settings, name)),
            is_default=getattr(settings, name) == getattr(_DEFAULTS, name),
            description=description,
        )
        for name, description in descriptions().items()
    ]


def _text(name: str, value: Any) -> str:
    if value is None or value == ():
        return "not set"
    if name in _SECRET:
        return "set"
    if name in _BYTES:
        return size_text(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
