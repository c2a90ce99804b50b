"""Header fields that every answer of the API and the pages carries."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hookbin.wire.exchange import Exchange, exchange_of

_CONNECT = "connect-src 'self'"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        _CONNECT,
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with none at all a form of ours would come with `Origin: null` (Fetch, 3.2.4)
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex",
}


class SecurityHeadersMiddleware:
    """Sets each field unless the answer has set its own, as static files do that may be kept for good.

    An answer of a known length that comes in one piece goes out as one write, past the server's own cycle.
    """

    def __init__(self, app: ASGIApp, *, bins_url: str | None = None) -> None:
        """`bins_url` is the origin of the bins where that is another one; a page can send to it."""
        self._app = app
        raw = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
        if bins_url is not None:
            raw[0] = raw[0][0], raw[0][1].replace(_CONNECT.encode(), f"{_CONNECT} {bins_url}".encode())
        self._all = (*raw, (b"cache-control", b"no-store"))
        self._static = (*raw, (b"cache-control", b"no-cache"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                headers = message["headers"] = list(message["headers"])
                own = {name.lower() for name, _ in headers}
                kept = self._static if scope["path"].startswith("/static/") else self._all
                headers += [pair for pair in kept if pair[0] not in own]
                if b"content-length" in own:
                    held = message
                    return
            elif held is not None:
                start, held = held, None
                if not message.get("more_body") and _answer_at_once(
                    exchange_of(scope), start, message.get("body", b"")
                ):
                    return
                await send(start)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _answer_at_once(exchange: Exchange, start: Message, body: bytes) -> bool:
    """Whether that was possible: the server can't, or refuses a field that would begin another line."""
    headers = start["headers"]
    fields = b"".join([b"%b: %b\r\n" % pair for pair in headers])
    is_whole = fields.count(b"\n") == fields.count(b"\r") == len(headers) and b"\0" not in fields
    return is_whole and exchange.answer(status=start["status"], fields=fields, body=body)
