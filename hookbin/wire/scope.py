"""A request's head as the scope of an ASGI application ("HTTP Connection Scope")."""

from __future__ import annotations

from typing import Any

import uvicorn
from starlette.types import Scope

from hookbin.wire.exchange import EXTENSION, Exchange
from hookbin.wire.head import Head, split_target


def scope_of(
    head: Head,
    exchange: Exchange,
    *,
    config: uvicorn.Config,
    server: tuple[str, int | None] | None,
    state: dict[str, Any],
) -> Scope:
    path, raw_path, query = split_target(head.target)
    return {
        "type": "http",
        "asgi": {"version": config.asgi_version, "spec_version": "2.3"},
        "http_version": head.http_version,
        "server": server,
        "client": exchange.client,
        "scheme": "http",
        "root_path": config.root_path,
        "headers": head.fields,
        "state": state,
        "method": head.method,
        "path": config.root_path + path,
        "raw_path": config.root_path.encode("ascii") + raw_path,
        "query_string": query,
        "extensions": {EXTENSION: exchange},
    }
