"""What a bin captures is sent on as it came: to its targets by itself, anywhere when asked to."""

from __future__ import annotations

from typing import Any

import pytest
import standardwebhooks
from msgspec.structs import replace

from hookbin.clock import seq_id
from hookbin.dispatch import forwarded_request
from hookbin.models.bins import Bin
from hookbin.models.events import Original
from hookbin.models.webhooks import Webhook, WebhookKind
from hookbin.store.retention import Retention
from tests.builders import SECRET, Stores, a_bin, a_request, a_webhook
from tests.raw_receiver import Receiver
from tests.support import Server, eventually, free_port
from tests.wire import check_problem, connected

ORIGINAL = Original(method="POST", suffix="", query=None, headers=())
NO_RETRIES: dict[str, Any] = {"retry_schedule": "none"}
MAX_BODY = 2**22
SERVER_FLAGS = ("--max-body", str(MAX_BODY))


def raw(server: Server, request: bytes) -> bytes:
    """Send these bytes; the answer."""
    with connected(server) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def forwarding_bin(server: Server, name: str, *targets: dict[str, Any]) -> Any:
    answer = server.post("/bins", {"name": name, "forward": list(targets)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def header(request: Any, name: str) -> list[str]:
    return [value for key, value in request["headers"] if key.lower() == name]


def all_captured(server: Server, bin: str, *, count: int) -> list[Any]:
    eventually(lambda: len(server.captured(bin)) == count)
    return server.captured(bin)


# How a request is sent on


@pytest.mark.parametrize(
    ("destination", "suffix", "query", "url"),
    [
        ("http://x/hook", "", None, "http://x/hook"),
        ("http://x", "", None, "http://x/"),
        ("http://x/hook", "", "", "http://x/hook?"),
        ("http://x/hook?", "/a", None, "http://x/hook/a?"),
        ("http://x/hook?", "", "a", "http://x/hook?a"),
        ("http://x/hook/", "/a", None, "http://x/hook/a"),
        ("http://x/hook", "/a%2Fb//c;d", "q=%20&", "http://x/hook/a%2Fb//c;d?q=%20&"),
        ("http://x/hook?key=1", "/", "a=b", "http://x/hook/?key=1&a=b"),
        ("http://x/hook", "/\xe9 #", "\xff", "http://x/hook/%E9%20%23?%FF"),
        ("http://x/hook", '/{"a"|<b>}', None, 'http://x/hook/{"a"|<b>}'),
    ],
)
def test_path_and_query_are_added_to_the_destination_s(
    destination: str, suffix: str, query: str | None, url: str
) -> None:
    original = Original(method="GET", suffix=suffix, query=query, headers=())

    assert forwarded_request.url(destination, original) == url


def test_headers_of_one_connection_and_ours_stay_behind() -> None:
    headers = (
        ("Host", "a"),
        ("Connection", "close, X-Hop"),
        ("X-Hop", "1"),
        ("Transfer-Encoding", "chunked"),
        ("TE", "trailers"),
        ("Expect", "100-continue"),
        ("Hookbin-Hops", "3"),
        ("X-A", "1"),
        ("x-a", "2"),
        ("Authorization", "Bearer x"),
    )
    original = forwarded_request.original_of(a_request(a_bin(), headers=headers))

    assert original.headers == (("X-A", "1"), ("x-a", "2"), ("Authorization", "Bearer x"))


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a=1;b=hookbin_session", "a=1;b=hookbin_session"),
        ("a=1; hookbin_session=secret; b=2", "a=1; b=2"),
        ("__Host-hookbin_session=secret; a=1", "a=1"),
        ("hookbin_session=secret", None),
    ],
)
def test_the_cookie_of_a_signed_in_owner_stays_behind(value: str, sent: str | None) -> None:
    original = forwarded_request.original_of(a_request(a_bin(), headers=(("Cookie", value),)))

    assert original.headers == (() if sent is None else (("Cookie", sent),))


@pytest.mark.parametrize(
    "suffix", ["/..", "/a/../b", "/%2e%2E/x", "/%252e%252e/", "/.", "/..;x/a", "/a\\..\\b", "/..%2fadmin"]
)
def test_a_path_that_could_lead_out_is_found(suffix: str) -> None:
    assert forwarded_request.has_dot_segments(suffix)


@pytest.mark.parametrize("suffix", ["", "/", "/a..b", "/...", "/.well-known/x", "/a.b"])
def test_other_dots_are_harmless(suffix: str) -> None:
    assert not forwarded_request.has_dot_segments(suffix)


@pytest.mark.parametrize(("value", "hops"), [("2", 2), ("", 0), ("-1", 0), ("x", 0), ("99999", 0), ("²", 0)])
def test_the_number_of_hops_is_read_from_the_headers(value: str, hops: int) -> None:
    assert forwarded_request.hops_of(a_request(a_bin(), headers=(("HOOKBIN-HOPS", value),))) == hops


@pytest.mark.parametrize(
    ("method", "size", "expected"), [("POST", 0, "0"), ("GET", 0, None), ("GET", 3, "3"), ("DELETE", 0, None)]
)
def test_a_length_is_written_where_there_may_be_content(method: str, size: int, expected: str | None) -> None:
    original = Original(method=method, suffix="", query=None, headers=())

    assert dict(forwarded_request.headers(original, size=size, replaced=())).get("content-length") == expected


# Forward targets


def test_a_captured_request_arrives_at_the_target_byte_for_byte(server: Server) -> None:
    forwarding_bin(server, "fw-exact", {"destination": f"{server.url}/b/fw-exact-target/base?k=1", **NO_RETRIES})
    raw(
        server,
        b'PUT /b/fw-exact/a%2Fb//c;d?q=%41&&x="| HTTP/1.1\r\nHost: localhost\r\nX-Dup: 1\r\nx-dup: 2\r\n'
        b"X-Utf: \xe2\x98\x83\r\nX-Latin: caf\xe9\r\n"
        b"Content-Type: application/octet-stream\r\nWebhook-Signature: v1,kept\r\nContent-Length: 6\r\n\r\n"
        b"\x00\xff\r\n{}",
    )
    (got,) = eventually(lambda: server.captured("fw-exact-target"))
    (sent,) = server.captured("fw-exact")

    assert got["method"] == "PUT"
    assert got["target"] == '/b/fw-exact-target/base/a%2Fb//c;d?k=1&q=%41&&x="|'
    assert got["body"] == sent["body"]
    assert [pair for pair in got["headers"] if pair[0].lower() == "x-dup"] == [["X-Dup", "1"], ["x-dup", "2"]]
    assert header(got, "webhook-signature") == ["v1,kept"]
    for name in ("x-utf", "x-latin"):
        assert header(got, name) == header(sent, name)
    assert header(got, "content-type") == ["application/octet-stream"]
    assert header(got, "hookbin-hops") == ["1"]
    assert got["attempt_id"] is not None
    (event,) = server.get("/events", params={"request": sent["id"]})["data"]
    assert (event["type"], event["request_id"]) == ("request.forwarded", sent["id"])
    (attempt,) = server.get(f"/deliveries/{event['deliveries'][0]['id']}")["attempts"]
    logged = [pair for pair in attempt["request"]["headers"] if pair[0].lower() in ("x-utf", "x-latin")]
    assert logged == [pair for pair in got["headers"] if pair[0].lower() in ("x-utf", "x-latin")]


def test_each_target_gets_its_own_delivery_with_retries_and_a_log(server: Server) -> None:
    flaky = Receiver(500, 200)
    with flaky.serving() as url:
        targets = [
            {"destination": url, "retry_schedule": [0.01]},
            {"destination": f"{server.url}/b/fw-two-target", **NO_RETRIES},
        ]
        bin = forwarding_bin(server, "fw-two", *targets)
        server.post("/b/fw-two", {"n": 1})
        ids = [target["id"] for target in bin["forward"]]
        first = eventually(lambda: server.deliveries(webhook=ids[0], state="succeeded"))[0]
        eventually(lambda: server.deliveries(webhook=ids[1], state="succeeded"))

    detail = server.get(f"/deliveries/{first['id']}")
    assert [attempt["status"] for attempt in detail["attempts"]] == [500, 200]
    assert detail["attempts"][0]["request"]["method"] == "POST"
    assert [body for _, body in flaky.requests] == [b'{"n":1}'] * 2
    assert server.request("GET", f"/ui/deliveries/{first['id']}").status_code == 200


def test_a_fresh_signature_takes_the_place_of_the_one_it_came_with(server: Server) -> None:
    target = {"destination": f"{server.url}/b/fw-fresh-target", "signature": "fresh", "secret": SECRET, **NO_RETRIES}
    bin = forwarding_bin(server, "fw-fresh", target)
    headers = {"webhook-id": "msg_1", "webhook-signature": "v1,old", "svix-signature": "v1,old"}
    server.request("POST", "/b/fw-fresh", content=b"{}", headers=headers)
    (got,) = eventually(lambda: server.captured("fw-fresh-target"))

    sent = {name.lower(): value for name, value in got["headers"]}
    standardwebhooks.Webhook(SECRET).verify(got["body"]["text"], sent)
    assert header(got, "webhook-id")[0].startswith("evt_")
    assert header(got, "svix-signature") == []
    assert bin["forward"][0]["signature"] == "fresh"
    assert "secret" not in bin["forward"][0]


def test_a_bin_that_checks_github_s_signature_can_sign_as_github_does(server: Server) -> None:
    target = {"destination": f"{server.url}/b/fw-github-target", "signature": "fresh", **NO_RETRIES}
    verify = {"scheme": "github", "secret": "It's a secret"}
    for name in ("fw-github", "fw-github-target"):
        forward = [target] if name == "fw-github" else []
        assert server.post("/bins", {"name": name, "verify": verify, "forward": forward}).status_code == 201
    headers = {"x-hub-signature-256": "sha256=0", "x-github-event": "push"}
    server.request("POST", "/b/fw-github", content=b"{}", headers=headers)
    (got,) = eventually(lambda: server.captured("fw-github-target"))

    assert got["signature"]["state"] == "ok"
    assert header(got, "x-github-event") == ["push"]
    assert len(header(got, "x-hub-signature-256")) == 1


def test_what_is_not_whole_is_neither_sent_on_nor_replayed(server: Server) -> None:
    bin = forwarding_bin(server, "fw-cut", {"destination": f"{server.url}/b/fw-cut-target", **NO_RETRIES})
    server.request("POST", "/b/fw-cut", content=bytes(MAX_BODY + 1))
    server.request("POST", "/b/fw-cut", content=b"x")
    eventually(lambda: server.captured("fw-cut-target"))

    (whole,) = server.deliveries(webhook=bin["forward"][0]["id"])
    assert server.get(f"/events/{whole['event_id']}")["size"] == 1
    cut = server.get("/bins/fw-cut/requests")["data"][-1]
    answer = server.post(f"/requests/{cut['id']}/replay", {"destination": f"{server.url}/b/x"})
    check_problem(answer, 409, "request_incomplete")


def test_a_bin_that_forwards_to_itself_ends_and_says_why(server: Server) -> None:
    ways = 4
    targets = [{"destination": f"{server.url}/b/fw-circle?way={way}", **NO_RETRIES} for way in range(ways)]
    ids = [target["id"] for target in forwarding_bin(server, "fw-circle", *targets)["forward"]]
    server.post("/b/fw-circle", {"n": 1})
    eventually(lambda: all(len(server.deliveries(webhook=id, state="cancelled")) == ways for id in ids))

    assert len(server.captured("fw-circle")) == 1 + ways
    assert not any(server.deliveries(webhook=id, state="pending") for id in ids)
    (stopped, *_) = server.deliveries(webhook=ids[0], state="cancelled")
    assert "circle" in server.get(f"/deliveries/{stopped['id']}")["explanation"]


def test_a_chain_of_bins_ends_at_the_number_of_hops(server: Server) -> None:
    targets = [{"destination": f"{server.url}/b/fw-hop-{number + 1}", **NO_RETRIES} for number in range(8)]
    bins = [forwarding_bin(server, f"fw-hop-{number}", target) for number, target in enumerate(targets)]
    server.post("/b/fw-hop-0", {"n": 1})
    eventually(lambda: server.deliveries(webhook=bins[6]["forward"][0]["id"], state="cancelled"))

    assert [len(server.captured(f"fw-hop-{number}")) for number in range(9)] == [1] * 7 + [0] * 2


def test_a_path_with_dot_segments_is_held_back_and_says_why(server: Server) -> None:
    bin = forwarding_bin(server, "fw-dots", {"destination": f"{server.url}/b/fw-dots-target", **NO_RETRIES})
    raw(server, b"GET /b/fw-dots/%2e%2e/admin HTTP/1.1\r\nHost: localhost\r\n\r\n")
    (held,) = eventually(lambda: server.deliveries(webhook=bin["forward"][0]["id"]))

    assert held["state"] == "cancelled"
    assert "path" in server.get(f"/deliveries/{held['id']}")["explanation"]


def test_targets_are_no_webhooks_of_the_list(server: Server) -> None:
    bin = forwarding_bin(server, "fw-list", {"destination": f"{server.url}/b/fw-list-target", **NO_RETRIES})
    id = bin["forward"][0]["id"]
    server.post("/events", {"type": "to.everyone", "data": 1})

    assert id not in [webhook["id"] for webhook in server.get("/webhooks", params={"limit": "250"})["data"]]
    assert server.request("GET", f"/webhooks/{id}").status_code == 404
    assert server.deliveries(webhook=id) == []


def test_the_targets_of_a_bin_can_be_changed_and_keep_their_id_and_secret(server: Server) -> None:
    url = f"{server.url}/b/fw-change-target"
    fresh = {"destination": url, "signature": "fresh", "secret": SECRET}
    bin = forwarding_bin(server, "fw-change", fresh)
    kept = server.patch("/bins/fw-change", {"forward": [{"destination": url, "signature": "fresh", "timeout": 3}]})
    untouched = server.patch("/bins/fw-change", {"max_requests": 5})
    gone = server.patch("/bins/fw-change", {"forward": None})
    server.post("/b/fw-change", {"n": 1})

    assert kept.json()["forward"][0]["id"] == bin["forward"][0]["id"]
    assert kept.json()["forward"][0]["timeout"] == 3
    assert untouched.json()["forward"] == kept.json()["forward"]
    assert gone.json()["forward"] == []
    assert server.deliveries(webhook=bin["forward"][0]["id"]) == []


def test_a_deleted_bin_s_targets_are_gone(server: Server) -> None:
    url = f"http://localhost:{free_port()}/"
    bin = forwarding_bin(server, "fw-gone", {"destination": url, "retry_schedule": [600]})
    server.post("/b/fw-gone", {"n": 1})
    server.request("DELETE", "/bins/fw-gone")

    (cancelled,) = eventually(lambda: server.deliveries(webhook=bin["forward"][0]["id"], state="cancelled"))
    assert "deleted" in server.get(f"/deliveries/{cancelled['id']}")["explanation"]


@pytest.mark.parametrize(
    ("target", "code", "loc"),
    [
        ({"destination": "http://169.254.169.254/"}, "target_refused", "forward[0].destination"),
        ({"destination": "http://localhost:1/", "signature": "fresh"}, "invalid_fields", "forward[0].secret"),
        (
            {"destination": "http://localhost:1/", "retry_schedule": "never"},
            "invalid_fields",
            "forward[0].retry_schedule",
        ),
        ({"destination": "http://localhost:1/", "signature": "other"}, "invalid_fields", "forward[0].signature"),
    ],
)
def test_a_target_that_can_t_be_is_refused_and_no_bin_is_made(
    server: Server, target: dict[str, Any], code: str, loc: str | None
) -> None:
    answer = server.post("/bins", {"name": "fw-refused", "forward": [target]})

    assert loc in check_problem(answer, 422, code)["errors"][0]["loc"].replace("[...]", "[0]")
    assert server.request("GET", "/bins/fw-refused").status_code == 404


# Replays


def test_a_captured_request_is_replayed_to_a_destination(server: Server) -> None:
    raw(server, b"POST /b/rp-one/deep?x=1 HTTP/1.1\r\nHost: h\r\nX-Odd-Case: 1\r\nContent-Length: 2\r\n\r\nhi")
    (captured,) = server.captured("rp-one")
    body = {"destination": f"{server.url}/b/rp-one-target", "times": 3}
    answer = server.post(f"/requests/{captured['id']}/replay", body)
    got = all_captured(server, "rp-one-target", count=3)

    assert answer.status_code == 202
    assert len(answer.json()["events"]) == 3
    assert {request["target"] for request in got} == {"/b/rp-one-target/deep?x=1"}
    assert all(["X-Odd-Case", "1"] in request["headers"] for request in got)
    ids = {event["deliveries"][0]["webhook_id"] for event in answer.json()["events"]}
    again = server.post(f"/requests/{captured['id']}/replay", body).json()
    assert {event["deliveries"][0]["webhook_id"] for event in again["events"]} == ids
    assert len(ids) == 1
    listed = server.get("/events", params={"request": captured["id"]})["data"]
    assert {event["type"] for event in listed} == {"request.replayed"}
    assert len(listed) == 6


def test_a_replay_to_a_webhook_is_signed_as_that_webhook_signs(server: Server) -> None:
    server.post("/b/rp-hook", {"n": 1})
    (captured,) = server.captured("rp-hook")
    webhook = server.register(f"{server.url}/b/rp-hook-target", events=["nothing"], ping=False)
    for signature in ("fresh", "original"):
        body = {"webhook": webhook["id"], "signature": signature}
        assert server.post(f"/requests/{captured['id']}/replay", body).status_code == 202
        eventually(lambda: not server.deliveries(webhook=webhook["id"], state="pending"))
    fresh, original = all_captured(server, "rp-hook-target", count=2)

    headers = {name.lower(): value for name, value in fresh["headers"]}
    standardwebhooks.Webhook(webhook["secret"]).verify(fresh["body"]["text"], headers)
    assert header(original, "webhook-signature") == []


def test_what_our_own_webhook_sent_is_signed_with_its_secret(server: Server) -> None:
    webhook = server.register(f"{server.url}/b/rp-own", events=["nothing"])
    (ping,) = eventually(lambda: server.captured("rp-own"))
    body = {"destination": f"{server.url}/b/rp-own-target", "signature": "fresh"}
    assert server.post(f"/requests/{ping['id']}/replay", body).status_code == 202
    (got,) = eventually(lambda: server.captured("rp-own-target"))

    headers = {name.lower(): value for name, value in got["headers"]}
    standardwebhooks.Webhook(webhook["secret"]).verify(got["body"]["text"], headers)
    assert len(header(got, "webhook-signature")) == 1


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, "destination"),
        ({"destination": "http://localhost:1/", "webhook": "wh_x"}, "destination"),
        ({"webhook": "wh_x"}, "webhook"),
        ({"destination": "http://localhost:1/", "signature": "fresh"}, "secret"),
        ({"destination": "http://localhost:1/", "times": 21}, "times"),
        ({"destination": "http://169.254.169.254/"}, "destination"),
    ],
)
def test_a_replay_that_makes_no_sense_is_refused(server: Server, body: dict[str, Any], loc: str) -> None:
    server.post("/b/rp-bad", {"n": 1})
    captured = server.captured("rp-bad")[0]

    answer = server.post(f"/requests/{captured['id']}/replay", body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == loc
    assert server.get("/events", params={"request": captured["id"]})["data"] == []


def test_many_replays_of_a_large_request_are_refused(server: Server) -> None:
    server.request("POST", "/b/rp-large", content=bytes(MAX_BODY))
    captured = server.get("/bins/rp-large/requests")["data"][0]

    answer = server.post(f"/requests/{captured['id']}/replay", {"destination": f"{server.url}/b/x", "times": 9})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"loc": "times", "msg": "can be at most 8 for one this large"}]


# In the store


async def forwarding(stores: Stores, bin: Bin) -> Webhook:
    """The target that the bin has from now on."""
    return await stores.register("wh_f", kind=WebhookKind.FORWARD, bin_id=bin.id, events=())


@pytest.mark.anyio
async def test_a_destination_of_replays_goes_with_its_last_delivery(stores: Stores) -> None:
    bin = await stores.make_bin()
    request = await stores.capture(bin)
    once = a_webhook("wh_o", kind=WebhookKind.ONCE, events=())
    for target in (once, replace(once, id="wh_p"), replace(once, id="wh_q", destination="http://localhost:2/")):
        await stores.forwarding.replay(request, target, keep_signature=False, times=1)
    assert [webhook.id for webhook in stores.webhooks.of_every_kind()] == ["wh_o", "wh_q"]
    assert stores.webhooks.all() == []

    retention = Retention(stores.database, ended_deliveries=0)
    for delivery in await stores.listed():
        await stores.deliveries.cancel(delivery.id, now=1)
    while await retention.trim_deliveries():
        pass
    assert await retention.trim_webhooks() == 2
    assert stores.webhooks.of_every_kind() == []
    assert await stores.count("events") == 0


@pytest.mark.anyio
async def test_a_destination_that_was_gone_is_tried_again_when_asked_to(stores: Stores) -> None:
    bin = await stores.make_bin()
    request = await stores.capture(bin)
    once = a_webhook("wh_o", kind=WebhookKind.ONCE, events=(), disabled=True)
    await stores.webhooks.create(once)

    (made,) = await stores.forwarding.replay(request, once, keep_signature=False, times=1)

    assert len(made.deliveries) == 1


@pytest.mark.anyio
async def test_a_target_that_is_taken_away_meanwhile_leaves_the_capture_alone(stores: Stores) -> None:
    bin = await stores.make_bin()
    target = await forwarding(stores, bin)
    request = a_request(bin)
    forward = stores.forwarding.of_capture(request)
    assert forward is not None
    await stores.webhooks.delete(target)
    await stores.requests.add(request, bin, forward=forward)

    assert stores.webhooks.forwards_of(bin.id) == ()
    assert await stores.count("requests") == 1
    assert await stores.count("events") == 0


@pytest.mark.anyio
async def test_a_capture_and_what_is_forwarded_of_it_are_one_commit(stores: Stores) -> None:
    bin = await stores.make_bin()
    await forwarding(stores, bin)
    request = a_request(bin)
    forward = stores.forwarding.of_capture(request)
    assert forward is not None
    await stores.requests.add(request, bin, forward=forward)

    event = replace(forward.event, seq=request.seq + 1, request_id=seq_id("req_", request.seq))
    assert stores.seen.commits[-1] == [request, event, *forward.deliveries]
