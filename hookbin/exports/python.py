"""A request as a Python program with httpx: every value is a literal made by `repr`, so none of it is code."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from hookbin.exports import shell
from hookbin.exports.resending import Resending

_LINE = 76


def python(resending: Resending) -> bytes:
    lines = [*shell.as_comments((*resending.notes, *_limits(resending)))]
    if len(resending.body) > shell.LITERAL:
        lines += ["import base64", ""]
    lines += ["import httpx", "", *_body(resending.body), "", *_request(resending), ""]
    lines += [
        "with httpx.Client(trust_env=False) as client:",
        "    response = client.send(request)",
        "",
        "print(response.status_code, response.reason_phrase)",
        "print(response.text)",
    ]
    return ("\n".join(lines) + "\n").encode()


def _body(body: bytes) -> Iterator[str]:
    if len(body) <= shell.LITERAL:
        pieces = [body[start : start + _LINE] for start in range(0, len(body), _LINE)] or [b""]
        yield from ("body = (", *(f"    {piece!r}" for piece in pieces), ")")
        return
    encoded = base64.b64encode(body).decode()
    yield 'body = base64.b64decode("""'
    yield from (encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE))
    yield '""")'


def _request(resending: Resending) -> Iterator[str]:
    yield "request = httpx.Request("
    yield f"    {resending.method!a},"
    yield f"    {resending.origin + '/'!a},"
    yield "    headers=["
    for name, value in resending.headers:
        yield f"        ({name.encode('latin-1')!r}, {value.encode('latin-1')!r}),"
    yield "    ],"
    yield "    content=iter([body])," if resending.chunked else "    content=body,"
    yield f"    extensions={{'target': {resending.target.encode('latin-1')!r}}},"
    yield ")"


def _limits(resending: Resending) -> Iterator[str]:
    if resending.request.http_version != "1.1":
        yield "httpx sends this as HTTP/1.1."
    if resending.headers and resending.headers[0][0].lower() != "host":
        yield "httpx puts Host first."
    if not resending.has("host"):
        yield "httpx adds a Host header; the request had none."
    if resending.method in ("POST", "PUT", "PATCH") and not resending.body and not resending.has("content-length"):
        yield "httpx may add Content-Length: 0."
