"""A request as the message that went over the wire (RFC 9112); a chunked body in one chunk, its trailers behind it.

What is no HTTP is what came."""

from __future__ import annotations

from hookbin.exports.resending import Resending


def raw(resending: Resending) -> bytes:
    request = resending.request
    if request.malformed is not None:
        return request.body
    start = f"{request.method} {resending.target} HTTP/{request.http_version}"
    head = "".join(f"{line}\r\n" for line in (start, *(f"{name}: {value}" for name, value in resending.headers), ""))
    return head.encode("latin-1") + (_chunks(resending) if resending.chunked else resending.body)


def _chunks(resending: Resending) -> bytes:
    body = resending.body
    trailers = "".join(f"{name}: {value}\r\n" for name, value in resending.request.trailers)
    return b"".join(
        (b"%x\r\n%b\r\n" % (len(body), body) if body else b"", b"0\r\n", trailers.encode("latin-1"), b"\r\n")
    )
