"""The wire: uvicorn's httptools protocol, told to remember what it would tidy away.

ASGI gives header names in lower case and a decoded path. A bin shows what was sent, so the
protocol puts the header pairs in wire case and the raw request target into the scope, under
`extensions` → `hookbin.wire`. Other protocols lack it, and `wire_of` makes do with the rest.
"""

from __future__ import annotations

from typing import TypeAlias

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Pairs: TypeAlias = list[tuple[bytes, bytes]]

_KEY = "hookbin.wire"


class WireProtocol(HttpToolsProtocol):
    """Keeps header names as sent and the target undecoded."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._pairs: Pairs = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._pairs.append((name, value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self.scope["extensions"] = {_KEY: {"target": self.url, "headers": self._pairs}}
        super().on_headers_complete()


def wire_of(scope: Scope) -> tuple[bytes, Pairs]:
    """The request target and the header pairs, as near to the wire as the server tells."""
    wire = scope.get("extensions", {}).get(_KEY)
    if wire is not None:
        return wire["target"], wire["headers"]
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path), scope["headers"]
