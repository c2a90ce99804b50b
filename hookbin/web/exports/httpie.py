"""A request as a script for `sh` with HTTPie (3.0 or later).

HTTPie puts the fields in an order of its own and always sends some; the script says so. An item is
`Name:value`; `Name;` is an empty field and `Name:` takes one away. A value that begins with `=` or `@` would
mean JSON or a file, so its first character is escaped (HTTPie's documentation, "Escaping rules").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hookbin.web.exports import shell
from hookbin.web.exports.resending import Resending
from hookbin.web.writing import wire

_OWN = ("User-Agent", "Accept", "Accept-Encoding", "Connection")
_FRAMING = ("content-length", "transfer-encoding")
_SPECIAL = re.compile(r"\\[:;=@\[\]\\]")
"""A backslash here would be taken for an escape, and there is none for a backslash itself."""


def httpie(resending: Resending) -> bytes:
    sends = bool(resending.body) or resending.chunked
    lines = ["#!/bin/sh", *shell.comments((*resending.notes, *_limits(resending)))]
    if sends:
        lines += shell.into_pipe(resending.body)
    lines.append(" \\\n  ".join(_arguments(resending, sends=sends)))
    if sends:
        lines += shell.here_document(resending.body)
    return ("\n".join(lines) + "\n").encode()


def _arguments(resending: Resending, *, sends: bool) -> Iterator[str]:
    yield "http --path-as-is" + ("" if sends else " --ignore-stdin") + (" --chunked" if resending.chunked else "")
    yield f"{shell.quoted(resending.method)} {shell.word(resending.origin + _path(resending))}"
    for name in _OWN:
        if not resending.has(name.lower()):
            yield shell.quoted(f"{name}:")
    if sends and not resending.has("content-type"):
        yield "'Content-Type:'"
    for name, value in resending.headers:
        if _can_send(name, value):
            yield shell.word(_item(name, value))


def _path(resending: Resending) -> str:
    return resending.target if resending.target.startswith("/") else f"/{resending.target}"


def _item(name: str, value: str) -> str:
    if not value:
        return f"{name};"
    return f"{name}:\\{value}" if value[0] in "=@" else f"{name}:{value}"


def _can_send(name: str, value: str) -> bool:
    return name.lower() not in _FRAMING and _SPECIAL.search(value) is None and wire(value).isprintable()


def _limits(resending: Resending) -> Iterator[str]:
    yield "HTTPie frames the body itself and has an order of its own for headers; curl and raw keep it."
    for name, value in resending.headers:
        if name.lower() not in _FRAMING and not _can_send(name, value):
            yield f"HTTPie can't send this header: {(name + ': ' + value)[:200]!a}"
