"""Content types: what one is at heart, and its parameters."""

from __future__ import annotations

import re

_PARAMETER = re.compile(r';\s{0,100}([^\s=;"]{1,100})=(?:"((?:[^"\\]|\\.){0,2000})"|([^;]{0,2000}))')


def media_type(content_type: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()[:200]


def parameters(value: str) -> dict[str, str]:
    """The parameters of a header such as content-type, names in small letters; the first of a name counts.

    A backslash before anything but a quote stays: browsers write `C:\\x` so.
    """
    found: dict[str, str] = {}
    for name, quoted, token in _PARAMETER.findall(value[:10_000]):
        found.setdefault(name.lower(), quoted.replace('\\"', '"') if quoted else token.strip())
    return found
