"""webhook-tester: a session has a UUID, which is the first segment of the path."""

from __future__ import annotations

import httpx


def make_bin(base: str) -> str:
    session = {"status_code": 200, "headers": [], "delay": 0, "response_body_base64": "b2s="}
    made = httpx.post(f"{base}/api/session", json=session, trust_env=False)
    made.raise_for_status()
    return f"{base}/{made.json()['uuid']}"
