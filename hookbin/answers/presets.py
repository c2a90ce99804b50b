"""Answers that are wanted often, by name: what `presets.toml` holds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
from msgspec import Struct

from hookbin.errors import FieldsInvalid
from hookbin.models.answers import BinResponse


class Preset(Struct, frozen=True, kw_only=True):
    """A response under a name; no secret is in it."""

    name: str
    title: str
    description: str
    response: BinResponse


_TABLE = tomllib.loads(Path(__file__).with_name("presets.toml").read_text(encoding="utf-8"))
PRESETS = tuple(msgspec.convert({"name": name, **preset}, Preset) for name, preset in _TABLE.items())
_BY_NAME = {preset.name: preset for preset in PRESETS}


def preset(name: str) -> BinResponse:
    """The response of that name. Raises `FieldsInvalid`."""
    if name not in _BY_NAME:
        raise FieldsInvalid(("preset", f"{name[:40]!r} is none of {', '.join(_BY_NAME)}"))
    return _BY_NAME[name].response
