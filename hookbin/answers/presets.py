"""Answers that are wanted often, by name."""

from __future__ import annotations

from msgspec import Struct

from hookbin.errors import FieldsInvalid
from hookbin.models.answers import BinHandshake, BinResponse, Chance, Fault, Provider, SequenceEnd, SequenceStep
from hookbin.models.common import Headers

_JSON: Headers = (("content-type", "application/json"),)
_ECHO = """{
  "method": {{ request.method | tojson }},
  "path": {{ request.path | tojson }},
  "query": {{ request.query | tojson }},
  "headers": {{ request.headers | tojson }},
  "body": {{ request.body | tojson }}
}
"""


class Preset(Struct, frozen=True, kw_only=True):
    """A response under a name."""

    name: str
    title: str
    description: str
    response: BinResponse


def _text(status: int, body: str) -> SequenceStep:
    return SequenceStep(status=status, body=body)


PRESETS: tuple[Preset, ...] = (
    Preset(
        name="ok", title="OK", description="200 to everything; what a bin answers when nothing else is said.",
        response=BinResponse(),
    ),
    Preset(
        name="created", title="Created", description="201 with a small JSON body.",
        response=BinResponse(status=201, headers=_JSON, body='{"ok": true}\n'),
    ),
    Preset(
        name="no-content", title="No content", description="204 without a body.",
        response=BinResponse(status=204, headers=(), body=""),
    ),
    Preset(
        name="flaky", title="Flaky", description="500 twice, then 200 for good: what a retry must get through.",
        response=BinResponse(
            sequence=(SequenceStep(status=500, body="not yet\n", repeat=2), _text(200, "ok\n")),
        ),
    ),
    Preset(
        name="every-third", title="Every third succeeds", description="500, 500, 200, and again from the start.",
        response=BinResponse(
            sequence=(SequenceStep(status=500, body="not yet\n", repeat=2), _text(200, "ok\n")), then=SequenceEnd.CYCLE
        ),
    ),
    Preset(
        name="unreliable", title="Unreliable", description="503 to three in ten requests, by chance.",
        response=BinResponse(chance=Chance(probability=0.3, status=503, body="not this time\n")),
    ),
    Preset(
        name="down", title="Down", description="503 with Retry-After: 30.",
        response=BinResponse(
            status=503, headers=(("content-type", "text/plain"), ("retry-after", "30")), body="down for maintenance\n"
        ),
    ),
    Preset(
        name="error", title="Error", description="500 to everything.",
        response=BinResponse(status=500, body="it broke\n"),
    ),
    Preset(
        name="slow", title="Slow", description="200 after 5 seconds.",
        response=BinResponse(delay_ms=5_000),
    ),
    Preset(
        name="rate-limited", title="Rate limited", description="429 with Retry-After: 10.",
        response=BinResponse(
            status=429, headers=(("content-type", "text/plain"), ("retry-after", "10")), body="too many requests\n"
        ),
    ),
    Preset(
        name="not-found", title="Not found", description="404 to everything.",
        response=BinResponse(status=404, body="not found\n"),
    ),
    Preset(
        name="unauthorized", title="Unauthorized", description="401 that asks for a bearer token.",
        response=BinResponse(
            status=401, headers=(("content-type", "text/plain"), ("www-authenticate", "Bearer")), body="who are you?\n"
        ),
    ),
    Preset(
        name="gone", title="Gone", description="410: senders that know it stop for good.",
        response=BinResponse(status=410, body="gone\n"),
    ),
    Preset(
        name="redirect", title="Redirect", description="302 to elsewhere, which a webhook must not follow.",
        response=BinResponse(status=302, headers=(("location", "https://example.com/"),), body=""),
    ),
    Preset(
        name="teapot", title="Teapot", description="418.",
        response=BinResponse(status=418, body="I'm a teapot\n"),
    ),
    Preset(
        name="echo", title="Echo", description="200 with what was sent, as JSON, by a template.",
        response=BinResponse(headers=_JSON, body=_ECHO, template=True),
    ),
    Preset(
        name="cors", title="For browsers", description="200, with preflights answered and CORS headers set.",
        response=BinResponse(cors=True),
    ),
    Preset(
        name="slack", title="Slack", description="200, and Slack's url_verification is answered.",
        response=BinResponse(handshake=BinHandshake(provider=Provider.SLACK)),
    ),
    Preset(
        name="microsoft-graph", title="Microsoft Graph", description="202, and validationToken is echoed.",
        response=BinResponse(status=202, body="", handshake=BinHandshake(provider=Provider.MICROSOFT_GRAPH)),
    ),
    Preset(
        name="dropbox", title="Dropbox", description="200, and Dropbox's challenge is echoed.",
        response=BinResponse(handshake=BinHandshake(provider=Provider.DROPBOX)),
    ),
    Preset(
        name="cloudevents", title="CloudEvents", description="200, and the OPTIONS check of CloudEvents is answered.",
        response=BinResponse(handshake=BinHandshake(provider=Provider.CLOUDEVENTS)),
    ),
    Preset(
        name="websub", title="WebSub", description="200, and subscriptions are confirmed to the hub.",
        response=BinResponse(handshake=BinHandshake(provider=Provider.WEBSUB)),
    ),
    Preset(
        name="hang", title="Hang", description="No answer; the sender's timeout decides.",
        response=BinResponse(fault=Fault.HANG),
    ),
    Preset(
        name="reset", title="Connection reset", description="The connection is reset without an answer.",
        response=BinResponse(fault=Fault.RESET),
    ),
    Preset(
        name="empty", title="Empty reply", description="The connection is closed without a byte.",
        response=BinResponse(fault=Fault.EMPTY),
    ),
    Preset(
        name="truncated", title="Truncated", description="200 whose body ends half way.",
        response=BinResponse(body="this body breaks off half way, before its last word\n", fault=Fault.TRUNCATE),
    ),
    Preset(
        name="garbage", title="Garbage", description="Bytes that are no HTTP.",
        response=BinResponse(fault=Fault.GARBAGE),
    ),
)  # fmt: skip
_BY_NAME = {preset.name: preset for preset in PRESETS}


def preset(name: str) -> BinResponse:
    """The response of that name. Raises `FieldsInvalid`."""
    if name not in _BY_NAME:
        raise FieldsInvalid(("preset", f"{name[:40]!r} is none of {', '.join(_BY_NAME)}"))
    return _BY_NAME[name].response
