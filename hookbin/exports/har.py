"""Requests as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/).

A binary body is base64 in `postData.text`, said by `encoding`, as `content` has it; the specification
knows no other place for one. Of the answer only the status is known, so its sizes are -1.
"""

from __future__ import annotations

import base64
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hookbin import __version__
from hookbin.clock import rfc3339
from hookbin.models.request_target import path_and_query
from hookbin.models.requests import CapturedRequest
from hookbin.text import wire

HEAD = b'{"log":{"version":"1.2","creator":{"name":"hookbin","version":"%b"},"entries":[\n' % __version__.encode()
TAIL = b'\n],"comment":"What was no HTTP is left out; NDJSON has it."}}\n'
_MAX_PARAMETERS = 1_000
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")


def document(request: CapturedRequest) -> bytes:
    return b"".join((HEAD, entry(request), TAIL))


def entry(request: CapturedRequest) -> bytes:
    return msgspec.json.encode(
        {
            "startedDateTime": rfc3339(request.received_at),
            "time": request.answer_delay_ms,
            "request": _request(request),
            "response": _response(request),
            "cache": {},
            "timings": {"send": 0, "wait": request.answer_delay_ms, "receive": 0},
            "_id": request.seq,
            "_truncated": request.truncated,
            "_incomplete": request.incomplete,
        }
    )


def _request(request: CapturedRequest) -> dict[str, Any]:
    headers = [{"name": wire(name), "value": wire(value)} for name, value in request.headers]
    shape: dict[str, Any] = {
        "method": request.method,
        "url": _url(request),
        "httpVersion": f"HTTP/{request.http_version}",
        "cookies": _cookies(request),
        "headers": headers,
        "queryString": _query(request.target),
        "headersSize": -1,
        "bodySize": request.size,
    }
    if request.body:
        shape["postData"] = {"mimeType": wire(request.content_type or ""), "params": [], **_text(request.body)}
    return shape


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def _url(request: CapturedRequest) -> str:
    target = wire(request.target)
    if not target.startswith("/"):
        return target
    host = next((value for name, value in request.headers if name.lower() == "host"), "")
    return f"{request.scheme}://{host if _HOST.fullmatch(host) else 'localhost'}{target}"


def _query(target: str) -> list[dict[str, str]]:
    query = wire(path_and_query(target)[1] or "")
    parts = "&".join(query.split("&", _MAX_PARAMETERS)[:_MAX_PARAMETERS])
    return [{"name": name, "value": value} for name, value in parse_qsl(parts, keep_blank_values=True)]


def _cookies(request: CapturedRequest) -> list[dict[str, str]]:
    fields = "; ".join(value for name, value in request.headers if name.lower() == "cookie")
    pairs = [part.strip().partition("=") for part in fields.split(";") if part.strip()]
    return [{"name": wire(name), "value": wire(value)} for name, _, value in pairs[:_MAX_PARAMETERS]]


def _response(request: CapturedRequest) -> dict[str, Any]:
    status = request.answer_status or 0
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return {
        "status": status,
        "statusText": phrase,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": ""},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }
