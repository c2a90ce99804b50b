"""What was seen of an attempt, as it is shown: its phases, the connection, the answer that is no HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import trustme

from hookbin.delivery.phases import Span, spans
from hookbin.exports import har
from hookbin.models.deliveries import Attempt, Connection, ErrorClass, Timings
from hookbin.web.html.phase_bar import connection_word, phase_bars
from tests.browsing import ended_delivery
from tests.builders import a_delivery, a_webhook, an_attempt, an_event
from tests.har import HAR
from tests.raw_receiver import OK, RawReceiver, hang_up, then
from tests.support import Server

NEW = Connection(address="[::1]:443")
KEPT = Connection(address="[::1]:443", reused=True)
TLS = Timings(resolved=100, connected=300, tls=900, sent=1_000, first_byte=5_000, last_byte=6_000)


def attempt(timings: Timings | None, connection: Connection | None = NEW, **changes: Any) -> Attempt:
    webhook, event = a_webhook(destination="https://localhost/hook"), an_event()
    delivery = a_delivery(event, webhook)
    return an_attempt(delivery, timings=timings, connection=connection, **{"duration": 6_500, **changes})


FAILED = {"status": None, "response_headers": None, "response_body": None}
RESOLVED, CONNECTED = Timings(resolved=100), Timings(resolved=100, connected=300)
CASES: dict[str, tuple[Attempt, str, dict[str, float]]] = {
    "all of it, over TLS": (
        attempt(TLS),
        "resolved 0-100, connected 100-300, tls 300-900, sent 900-1000, first_byte 1000-5000, last_byte 5000-6000",
        {"dns": 0.1, "connect": 0.8, "ssl": 0.6, "send": 0.1, "wait": 4, "receive": 1},
    ),
    "a literal address, in the clear": (
        attempt(Timings(connected=300, sent=400, first_byte=500, last_byte=500), url="http://127.0.0.1/"),
        "connected 0-300, sent 300-400, first_byte 400-500, last_byte 500-500",
        {"dns": -1, "connect": 0.3, "ssl": -1, "send": 0.1, "wait": 0.1, "receive": 0},
    ),
    "a kept connection": (
        attempt(Timings(sent=100, first_byte=500, last_byte=600), KEPT),
        "sent 0-100, first_byte 100-500, last_byte 500-600",
        {"dns": -1, "connect": -1, "ssl": -1, "send": 0.1, "wait": 0.4, "receive": 0.1},
    ),
    "no name": (
        attempt(Timings(), None, error=ErrorClass.DNS_ERROR, **FAILED),
        "resolved 0-6500 ended",
        {"dns": 6.5, "connect": -1, "send": 0, "wait": 0, "receive": 0},
    ),
    "an address that may not be called": (
        attempt(Timings(), None, error=ErrorClass.BLOCKED_TARGET, **FAILED),
        "",
        {"dns": -1, "connect": -1, "send": 0, "wait": 0, "receive": 0},
    ),
    "nothing listens": (
        attempt(RESOLVED, error=ErrorClass.CONNECTION_REFUSED, **FAILED),
        "resolved 0-100, connected 100-6500 ended",
        {"dns": 0.1, "connect": 6.4, "ssl": -1, "wait": 0},
    ),
    "a certificate that is refused": (
        attempt(CONNECTED, error=ErrorClass.TLS_ERROR, **FAILED),
        "resolved 0-100, connected 100-300, tls 300-6500 ended",
        {"connect": 6.4, "ssl": 6.2, "send": 0},
    ),
    "no answer in time": (
        attempt(Timings(sent=100), KEPT, error=ErrorClass.TIMEOUT, **FAILED),
        "sent 0-100, first_byte 100-6500 ended",
        {"send": 0.1, "wait": 6.4, "receive": 0},
    ),
    "read no further than is kept": (
        attempt(Timings(sent=100, first_byte=500), KEPT),
        "sent 0-100, first_byte 100-500, last_byte 500-6500 ended",
        {"wait": 0.4, "receive": 6},
    ),
    "answered before all was sent": (
        attempt(Timings(sent=900, first_byte=500, last_byte=1_000), KEPT),
        "sent 0-900, first_byte 500-500, last_byte 500-1000",
        {"send": 0.9, "wait": 0, "receive": 0.5},
    ),
    "answered, and the rest not sent": (
        attempt(Timings(first_byte=500, last_byte=600), KEPT),
        "first_byte 0-500, last_byte 500-600",
        {"send": 0, "wait": 0.5, "receive": 0.1},
    ),
    "from before any were kept": (attempt(None, None), "", {"send": 0, "wait": 6.5, "receive": 0}),
}


def told(span: Span) -> str:
    return f"{span.phase} {span.begin}-{span.end}{'' if span.is_over else ' ended'}"


@pytest.mark.parametrize(("tried", "phases", "timings"), CASES.values(), ids=CASES)
def test_the_phases_of_an_attempt_are_those_that_happened_also_in_its_valid_har(
    tried: Attempt, phases: str, timings: dict[str, float]
) -> None:
    assert ", ".join(map(told, spans(tried))) == phases
    bars = phase_bars(tried)
    assert [bar.ending != "" for bar in bars] == [not span.is_over for span in spans(tried)]
    assert all(bar.x >= 0 and bar.width > 0 and bar.x + bar.width <= 100.05 for bar in bars)

    entry = json.loads(b"".join(har.attempt_entry(har.SentAttempt(attempt=tried, body=b"\xff"))))

    jsonschema.validate(json.loads(har.HEAD + json.dumps(entry).encode() + har.ATTEMPTS_TAIL), HAR)
    assert {name: entry["timings"].get(name, -1) for name in timings} == pytest.approx(timings)
    known = [time for name, time in entry["timings"].items() if time >= 0 and name != "ssl"]
    assert entry["time"] == pytest.approx(sum(known))
    assert entry["response"]["status"] == (tried.status or 0)
    assert ("_error" in entry["response"]) == (tried.error is not None)
    if tried.connection is not None:
        assert (entry["serverIPAddress"], entry["connection"]) == ("::1", "443")


def test_the_bar_says_in_words_what_it_draws() -> None:
    tls = phase_bars(attempt(TLS))[2]
    assert (tls.title, tls.x, tls.width, tls.took, tls.place) == (
        "TLS handshake",
        4.6,
        9.2,
        "0.6 ms",
        "0.3 ms to 0.9 ms",
    )
    assert phase_bars(attempt(Timings(sent=10), KEPT))[0].took == "under 0.1 ms"
    assert phase_bars(attempt(Timings(sent=10), KEPT))[-1].ending == "stopped here"
    failed = attempt(RESOLVED, error=ErrorClass.CONNECTION_REFUSED, **FAILED)
    assert phase_bars(failed)[-1].ending == "failed here"
    words = [connection_word(one) for one in (attempt(TLS), attempt(Timings(), KEPT), failed)]
    assert words == ["new connection", "kept connection", "no connection"]


# From end to end


NO_HTTP = b"220 <script>alert(1)</script>\x1b[31m\xe2\x80\xae\r\n"


def page_of(server: Server, url: str, **options: Any) -> tuple[str, Any]:
    """The page of an ended delivery as text, and its attempts as HAR."""
    webhook = server.register(url, retry_schedule=[], **options)
    path = f"/deliveries/{ended_delivery(server, webhook['id'])['id']}"
    return server.request("GET", f"/ui{path}").text, server.get(f"{path}/export?format=har")["log"]["entries"]


@pytest.mark.anyio
async def test_the_page_and_the_har_of_a_delivery_show_what_was_seen_of_it(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    trusted, unknown = trustme.CA(), trustme.CA(organization_name="<b>unknown</b>\u202e")
    trusted.cert_pem.write_to_path(tmp_path / "ca.pem")
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2)]
    for authority, context in zip((trusted, unknown), contexts, strict=True):
        authority.issue_cert("localhost", "also.example").configure_cert(context)
    server = await asyncio.to_thread(start_server, "--ca-file", str(tmp_path / "ca.pem"))

    async def seen(receiver: RawReceiver, context: ssl.SSLContext | None = None) -> tuple[str, Any]:
        async with receiver.serving(context) as port:
            url = f"http{'s' if context else ''}://localhost:{port}/hook"
            page, entries = await asyncio.to_thread(page_of, server, url, headers=[["authorization", "Bearer s3cret"]])
        assert "s3cret" not in page
        assert "Secrets in headers are masked" in page
        return page, entries[0]

    page, entry = await seen(RawReceiver(OK + b"and more"), contexts[0])
    assert re.findall(r'data-phase="(\w+)"', page) == list(Timings.__struct_fields__)
    assert "the answer went on after its end" in page
    assert all(word in page for word in ("new connection", "TLSv1.3", "localhost, also.example"))
    assert entry["_connection"]["certificate"]["names"] == ["localhost", "also.example"]
    assert entry["response"]["content"]["text"] == "ok"

    page, entry = await seen(RawReceiver(OK), contexts[1])
    assert re.findall(r'data-phase="(\w+)" data-ended', page) == ["tls"]
    assert '&lt;b&gt;unknown&lt;/b&gt;<span class="odd">U+202E</span>' in page
    assert "Certificate it showed" in page
    assert "Never sent" in page
    assert entry["response"]["_error"].startswith("tls_error: the certificate of localhost")

    page, entry = await seen(RawReceiver(then(NO_HTTP, hang_up)))
    assert "What came back is no HTTP" in page
    assert (
        '220 &lt;script&gt;alert(1)&lt;/script&gt;<span class="odd">U+001B</span>[31m<span class="odd">U+202E' in page
    )
    assert '&amp;view=hex"' in page
    assert entry["response"]["content"]["text"] == NO_HTTP.decode()
