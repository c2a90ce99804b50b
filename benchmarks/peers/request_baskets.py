"""request-baskets: a basket is made by its name, and is the first segment of the path."""

from __future__ import annotations

import secrets

import httpx


def make_bin(base: str) -> str:
    name = secrets.token_hex(8)
    httpx.post(f"{base}/api/baskets/{name}", json={"capacity": 200}, trust_env=False).raise_for_status()
    return f"{base}/{name}"
