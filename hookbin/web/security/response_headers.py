"""Header fields that every answer of the API and the pages carries."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex",
}
_RAW = tuple((name.encode(), value.encode()) for name, value in _HEADERS.items())
_ALL = (*_RAW, (b"cache-control", b"no-store"))
_STATIC = (*_RAW, (b"cache-control", b"no-cache"))


class SecurityHeadersMiddleware:
    """Sets each field unless the answer has set its own, as static files do that may be kept for good."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = list(message["headers"])
                own = {name.lower() for name, _ in headers}
                kept = _STATIC if scope["path"].startswith("/static/") else _ALL
                headers += [pair for pair in kept if pair[0] not in own]
            await send(message)

        await self._app(scope, receive, with_headers)
