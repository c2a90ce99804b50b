"""HAR 1.2 as a JSON schema, written from the specification; `encoding` of a posted body is the one addition."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
SIZE: Schema = {"type": "integer", "minimum": -1}
PHASE: Schema = {"type": "number", "minimum": -1}
MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}


def members(needed: Schema, **others: Schema) -> Schema:
    """An object of these; any may have a comment, and fields of one's own, which begin with an underscore."""
    return {
        "type": "object",
        "required": list(needed),
        "properties": {**needed, **others, "comment": TEXT},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def several(item: Schema) -> Schema:
    return {"type": "array", "items": item}


NAMED = {"name": TEXT, "value": TEXT}
PROGRAM = members({"name": TEXT, "version": TEXT})
COOKIE = members(NAMED, path=TEXT, domain=TEXT, expires=TEXT, httpOnly=FLAG, secure=FLAG)
MESSAGE = {
    "httpVersion": TEXT,
    "cookies": several(COOKIE),
    "headers": several(members(NAMED)),
    "headersSize": SIZE,
    "bodySize": SIZE,
}
PARAMETER = members({"name": TEXT}, value=TEXT, fileName=TEXT, contentType=TEXT)
POSTED = members({"mimeType": TEXT}, text=TEXT, params=several(PARAMETER), encoding={"const": "base64"})
URL = {"type": "string", "pattern": "^https?://"}
REQUEST = members({**MESSAGE, "method": TEXT, "url": URL, "queryString": several(members(NAMED))}, postData=POSTED)
CONTENT = members(
    {"size": {"type": "integer"}, "mimeType": TEXT}, compression={"type": "integer"}, text=TEXT, encoding=TEXT
)
RESPONSE = members(
    {**MESSAGE, "status": {"type": "integer"}, "statusText": TEXT, "content": CONTENT, "redirectURL": TEXT}
)
ENTRY = members(
    {
        "startedDateTime": MOMENT,
        "time": {"type": "number", "minimum": 0},
        "request": REQUEST,
        "response": RESPONSE,
        "cache": members({}, beforeRequest={}, afterRequest={}),
        "timings": members(
            {"send": PHASE, "wait": PHASE, "receive": PHASE}, blocked=PHASE, dns=PHASE, connect=PHASE, ssl=PHASE
        ),
    },
    pageref=TEXT,
    serverIPAddress=TEXT,
    connection=TEXT,
)
LOG = members(
    {"version": {"const": "1.2"}, "creator": PROGRAM, "entries": several(ENTRY)},
    browser=PROGRAM,
    pages={"type": "array"},
)
HAR = members({"log": LOG})
