"""Captured requests and attempts as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/).

A binary body is base64 in `postData.text`, said by `encoding`, as `content` has it; the specification
knows no other place for one. Of a bin's answer only the status is known, so its sizes are -1. An attempt comes with
its answer and the times of its phases: `connect` includes `ssl`, and a phase that did not happen is -1, or 0 where
the specification wants a time. Without an answer the status is 0, and `_error` says why, as in what browsers write.
"""

from __future__ import annotations

import base64
import re
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from hookbin import __version__
from hookbin.bodies.forms import query_pairs
from hookbin.clock import rfc3339
from hookbin.delivery.phases import spans
from hookbin.exports.json_body import JsonBody
from hookbin.http_fields import first_value
from hookbin.models.common import Headers
from hookbin.models.deliveries import Attempt
from hookbin.models.request_target import path_and_query
from hookbin.models.requests import CapturedRequest
from hookbin.text import wire

HEAD = b'{"log":{"version":"1.2","creator":{"name":"hookbin","version":"%b"},"entries":[\n' % __version__.encode()
TAIL = b'\n],"comment":"What was no HTTP is left out; NDJSON has it."}}\n'
ATTEMPTS_TAIL = b'\n],"comment":"Secrets in headers were sent, and are masked here."}}\n'
_MAX_PARAMETERS = 1_000
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_EMPTY_CONTENT = {"size": 0, "mimeType": ""}


class SentAttempt(Struct, frozen=True, kw_only=True):
    """An attempt with the body that it sent."""

    attempt: Attempt
    body: bytes


def document(request: CapturedRequest, base_url: str) -> bytes:
    return b"".join((HEAD, *entry(request, base_url), TAIL))


def entry(request: CapturedRequest, base_url: str) -> list[bytes]:
    """In pieces. `base_url` is where a request came in that does not say so itself."""
    body = JsonBody(request.body)
    return body.written_in(
        {
            "startedDateTime": rfc3339(request.received_at),
            "time": request.answer_delay_ms,
            "request": {
                **_request(
                    request.method,
                    _url(request, base_url),
                    request.headers,
                    body,
                    content_type=request.content_type,
                ),
                "httpVersion": f"HTTP/{request.http_version}",
                "bodySize": request.size,
            },
            "response": _response(request.answer_status),
            "cache": {},
            "timings": {"send": 0, "wait": request.answer_delay_ms, "receive": 0},
            "_id": request.seq,
            "_truncated": request.truncated,
            "_incomplete": request.incomplete,
        }
    )


def attempt_entry(sent: SentAttempt) -> list[bytes]:
    attempt, body = sent.attempt, JsonBody(sent.body)
    timings, headers = _timings(attempt), attempt.request_headers
    return body.written_in(
        {
            "startedDateTime": rfc3339(attempt.started_at),
            "time": round(sum(time for phase, time in timings.items() if time > 0 and phase != "ssl"), 3),
            "request": _request(
                attempt.method, wire(attempt.url), headers, body, content_type=first_value(headers, "content-type")
            ),
            "response": {**_response(attempt.status), **_answer(attempt)},
            "cache": {},
            "timings": timings,
            **_connection(attempt),
            "_id": attempt.id,
            "_number": attempt.number,
        }
    )


def _request(method: str, url: str, headers: Headers, body: JsonBody, *, content_type: str | None) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(headers),
        "headers": _headers(headers),
        "queryString": _query(url),
        "headersSize": -1,
        "bodySize": body.size,
    }
    if body.size:
        encoding = {} if body.kind == "text" else {"encoding": body.kind}
        shape["postData"] = {"mimeType": wire(content_type or ""), "params": [], "text": body.place, **encoding}
    return shape


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": wire(name), "value": wire(value)} for name, value in headers]


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def _url(request: CapturedRequest, base_url: str) -> str:
    target = wire(request.target)
    if not target.startswith("/"):
        return target
    host = first_value(request.headers, "host") or ""
    return f"{request.scheme}://{host}{target}" if _HOST.fullmatch(host) else f"{base_url}{target}"


def _query(url: str) -> list[dict[str, str]]:
    query = (path_and_query(url)[1] or "").encode().decode("latin-1")
    return [{"name": name, "value": value} for name, value in query_pairs(query, most=_MAX_PARAMETERS)]


def _cookies(headers: Headers) -> list[dict[str, str]]:
    fields = "; ".join(value for name, value in headers if name.lower() == "cookie")
    pairs = [part.strip().partition("=") for part in fields.split(";") if part.strip()]
    return [{"name": wire(name), "value": wire(value)} for name, _, value in pairs[:_MAX_PARAMETERS]]


def _response(status: int | None) -> dict[str, Any]:
    """One of which nothing but the status is known."""
    known = status or 0
    return {
        "status": known,
        "statusText": HTTPStatus(known).phrase if known in HTTPStatus._value2member_map_ else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": _EMPTY_CONTENT,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _answer(attempt: Attempt) -> dict[str, Any]:
    """What else is known of the answer to an attempt."""
    headers = attempt.response_headers or ()
    raw = attempt.response_raw
    body = attempt.response_body or b"" if raw is None else raw
    mime_type = wire(first_value(headers, "content-type") or "")
    known: dict[str, Any] = {
        "headers": _headers(headers),
        "content": {"size": len(body), "mimeType": mime_type, **_text(body)} if body else _EMPTY_CONTENT,
        "redirectURL": wire(first_value(headers, "location") or ""),
        "_truncated": attempt.response_truncated,
    }
    if attempt.error is not None:
        known["_error"] = f"{attempt.error}: {attempt.error_detail}"
    if raw is not None or attempt.note is not None:
        known["comment"] = attempt.note or "This is no HTTP; the content is what came back, as it came."
    return known


def _timings(attempt: Attempt) -> dict[str, float]:
    """In ms. The phase that an attempt ended in counts up to there."""
    if attempt.timings is None:
        return {"send": 0, "wait": attempt.duration / 1000, "receive": 0}
    took = {span.phase: span.took / 1000 for span in spans(attempt)}
    connected, tls = took.get("connected", -1), took.get("tls", -1)
    return {
        "blocked": -1,
        "dns": took.get("resolved", -1),
        "connect": connected if tls < 0 else round(connected + tls, 3),
        "ssl": tls,
        "send": took.get("sent", 0),
        "wait": took.get("first_byte", 0),
        "receive": took.get("last_byte", 0),
    }


def _connection(attempt: Attempt) -> dict[str, Any]:
    """`connection` is the port that was dialled, which the specification allows where nothing else names it."""
    connection = attempt.connection
    if connection is None or connection.address is None:
        return {}
    host, _, port = connection.address.rpartition(":")
    return {"serverIPAddress": host.strip("[]"), "connection": port, "_connection": connection}
