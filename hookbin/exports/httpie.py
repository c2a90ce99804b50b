"""A request as a script for `sh` with HTTPie (3.0 or later).

HTTPie puts the fields in an order of its own, always sends some and tidies the target (as requests and urllib3 do);
the script says so where it matters. An item is `Name:value`; `Name;` is an empty field and `Name:` takes one away.
A value that begins with `=` or `@` would mean JSON or a file, so its first character is escaped (HTTPie's
documentation, "Escaping rules"). `--` ends the options, so that no name of a header is taken for one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from hookbin.exports import shell
from hookbin.exports.resending import Resending

_OWN = ("User-Agent", "Accept", "Accept-Encoding", "Connection")
_FRAMING = ("content-length", "transfer-encoding")
_SPECIAL = re.compile(r"\\[:;=@\[\]\\]")
"""A backslash here would be taken for an escape, and there is none for a backslash itself."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_METHOD = re.compile(r"[A-Za-z]+")
"""What HTTPie takes for a method; anything else is a URL to it."""
_ESCAPE = "%(?:[01][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[BCDF]|[89A-F][0-9A-F])"
"""In capitals, and of what has to be escaped (RFC 3986, 2.1 and 2.3)."""
_KEPT = re.compile(
    rf"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|{_ESCAPE})*(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|{_ESCAPE})+)?"
)
"""A target that arrives as it is."""


def httpie(resending: Resending) -> bytes:
    comments = (*resending.notes, *_limits(resending))
    if (hindrance := _hindrance(resending)) is not None:
        return shell.script((*comments, hindrance), shell.refusal(hindrance), body=None)
    sends = bool(resending.body) or resending.chunked
    return shell.script(comments, _arguments(resending, sends=sends), body=resending.body if sends else None)


def _arguments(resending: Resending, *, sends: bool) -> Iterator[str]:
    options = ["--path-as-is", "--ignore-netrc"]
    if not sends:
        options.append("--ignore-stdin")
    if resending.chunked:
        options.append("--chunked")
    yield f"http {' '.join(options)} --"
    yield f"{resending.method} {shell.word(resending.origin + _path(resending))}"
    for name in _OWN:
        if not resending.has(name.lower()):
            yield shlex.quote(f"{name}:")
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
    return name.lower() not in _FRAMING and _SPECIAL.search(value) is None and _is_text(value)


def _is_text(value: str) -> bool:
    """HTTPie reads its arguments as UTF-8."""
    try:
        return _CONTROL.search(value.encode("latin-1").decode()) is None
    except UnicodeDecodeError:
        return False


def _hindrance(resending: Resending) -> str | None:
    """Why it can't be sent at all."""
    if _METHOD.fullmatch(resending.method) is None:
        return f"HTTPie can't send the method {resending.method}; the curl export can."
    return resending.too_long_for("HTTPie", limit=shell.MAX_WORD - 1)  # an item may need an escape


def _limits(resending: Resending) -> Iterator[str]:
    yield "HTTPie frames the body itself and has an order of its own for headers; curl and raw keep it."
    if resending.request.http_version != "1.1":
        yield "HTTPie sends this as HTTP/1.1."
    if not resending.has("host"):
        yield "HTTPie adds a Host header; the request had none."
    if _KEPT.fullmatch(resending.target) is None:
        yield f"HTTPie tidies this target, so that another arrives: {resending.target[:200]!a}"
    for name, value in resending.headers:
        if name.lower() not in _FRAMING and not _can_send(name, value):
            yield f"HTTPie can't send this header: {(name + ': ' + value)[:200]!a}"
