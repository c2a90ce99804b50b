"""A request as a script for `sh` that has curl send the same bytes.

How curl (7.55 or later) is brought to it, by its manual and by what it was seen to do:
- It adds User-Agent, Accept, Content-Type, Expect and Content-Length unless a header of that name is
  given; `Name:` gives none, `Name;` an empty one.
- It puts Host first and writes it its own way, unless `Host:` comes before: then a later one goes out like any other.
- `--request-target` takes the target as it is; a URL would lose `..`, an empty query and more.
- A Transfer-Encoding among the headers has it send chunks; where they were cut is not kept.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from hookbin.exports import shell
from hookbin.exports.resending import Resending

_ADDED = ("User-Agent", "Accept")
_ADDED_WITH_A_BODY = ("Content-Type", "Expect")
_PLAIN_TARGET = re.compile(r"/(?!/)[A-Za-z0-9_~!$&'()*+,;=:@%/-]*(\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]+)?")
"""A target that curl takes from a URL and sends as it is: no dot in the path, no empty query."""


def curl(resending: Resending) -> bytes:
    comments = (*resending.notes, *_limits(resending))
    if (hindrance := resending.too_long_for("curl", limit=shell.MAX_WORD)) is not None:
        return shell.script((*comments, hindrance), shell.refusal(hindrance), body=None)
    return shell.script(comments, _arguments(resending), body=resending.body if _is_piped(resending) else None)


def _arguments(resending: Resending) -> Iterator[str]:
    yield f"curl --disable {'--http1.0' if resending.request.http_version == '1.0' else '--http1.1'}"
    if resending.origin.startswith("http:"):
        yield "--noproxy '*'"
    sends_body = _sends_body(resending)
    if resending.method == "HEAD" and not sends_body:
        yield "--head"
    elif resending.method != ("POST" if sends_body else "GET"):
        yield f"--request {shlex.quote(resending.method)}"
    if resending.method == "HEAD" and sends_body:
        yield "--max-time 5"
    if _PLAIN_TARGET.fullmatch(resending.target):
        yield f"--globoff --url {shlex.quote(resending.origin + resending.target)}"
    else:
        yield f"--url {shlex.quote(resending.origin + '/')}"
        yield f"--request-target {shell.word(resending.target)}"
    yield "--header 'Host:'"
    for name in _ADDED + (_ADDED_WITH_A_BODY if sends_body else ()):
        if not resending.has(name.lower()):
            yield f"--header {shlex.quote(name + ':')}"
    for name, value in resending.headers:
        field = f"{name}: {value}" if value.strip(" \t") else f"{name};"
        yield f"--header {shell.word(field)}"
    if _is_piped(resending):
        yield "--data-binary @-"
    elif sends_body:
        yield f"--data-raw {shlex.quote(resending.body.decode())}"


def _sends_body(resending: Resending) -> bool:
    return bool(resending.body) or resending.chunked


def _is_piped(resending: Resending) -> bool:
    """Whether the body is not text that can stand in the command."""
    body = resending.body
    return len(body) > shell.LITERAL or shell.as_readable(body, lines=True) is None


def _limits(resending: Resending) -> Iterator[str]:
    if resending.method == "HEAD" and _sends_body(resending):
        yield "curl waits for a body after this HEAD, which has a body itself; it gives up after 5 seconds."
    if resending.chunked and resending.request.http_version == "1.0":
        yield "curl sends no chunks with HTTP/1.0 and refuses this."
    if len(resending.body) > shell.LITERAL and _is_piped(resending):
        yield "Needs a base64 that knows -d, as those of GNU, BusyBox and the BSDs do."
