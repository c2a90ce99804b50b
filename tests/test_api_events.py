"""`/events` and `/deliveries`: publish, read, retry."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.raw_receiver import Receiver
from tests.support import Server, eventually
from tests.wire import check_problem

JSON = {"content-type": "application/json"}


def post(server: Server, content: bytes, *, query: str = "", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.request("POST", f"/events{query}", content=content, headers=named)


def publish(server: Server, type: str, **headers: str) -> Any:
    response = post(server, json.dumps({"type": type, "data": None}).encode(), **headers)
    assert response.status_code == 202, response.text
    return response.json()


def retry(server: Server, delivery: Any) -> httpx.Response:
    return server.request("POST", f"/deliveries/{delivery['id']}/retry")


def delivery_of(server: Server, event: Any, state: str) -> Any:
    """The one delivery of an event, in full, once it is in that state."""
    (found,) = eventually(lambda: server.deliveries(event=event["id"], state=state))
    return server.get(f"/deliveries/{found['id']}")


@pytest.fixture(scope="module")
def hooked(server: Server) -> Server:
    """The server with a webhook to the bin `in` for events of the types `in.*`."""
    server.register(f"{server.url}/b/in", events=["in.*"], ping=False)
    return server


# Publishing


def test_an_event_is_answered_with_its_deliveries(hooked: Server) -> None:
    event = publish(hooked, "in.shape")

    assert re.fullmatch(r"evt_[0-9a-z]{26}", event["id"])
    assert event["type"] == "in.shape"
    assert event["content_type"] == "application/json"
    assert event["idempotency_key"] is None
    (delivery,) = event["deliveries"]
    assert re.fullmatch(r"dlv_[0-9a-z]{26}", delivery["id"])
    assert delivery["state"] == "pending"


def test_an_event_for_later_shows_its_time_and_waits_for_it(hooked: Server) -> None:
    body = b'{"type": "in.later", "data": 1, "deliver_at": "2099-01-01T00:00:00Z"}'
    check_problem(post(hooked, body), 422, "invalid_fields", loc="deliver_at")
    at = datetime.now(UTC) + timedelta(days=1)
    event = post(hooked, json.dumps({"type": "in.later", "data": 1, "deliver_at": at.isoformat()}).encode()).json()
    assert event["deliver_at"] == at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    delivery = hooked.get(f"/deliveries/{event['deliveries'][0]['id']}")
    assert (delivery["state"], delivery["attempt_count"]) == ("pending", 0)
    assert delivery["next_attempt_at"] == event["deliver_at"]


def test_a_raw_event_can_be_for_later_too(hooked: Server) -> None:
    at = (datetime.now(UTC) + timedelta(seconds=0.2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event = post(hooked, b"raw", query=f"?type=in.later&deliver_at={at}").json()
    assert event["deliver_at"] == at
    delivery = delivery_of(hooked, event, "succeeded")
    assert delivery["attempts"][0]["started_at"] >= at


@pytest.mark.parametrize(
    ("content", "query"),
    [
        (b'{"type": "in.a", "data": 1, "deliver_at": "tomorrow"}', ""),
        (b'{"type": "in.a", "data": 1, "deliver_at": "2026-11-24T09:00:00"}', ""),
        (b'{"type": "in.a", "data": 1}', "?deliver_at=2026-11-24T09:00:00Z"),
        (b"raw", "?type=in.a&deliver_at=1790000000"),
    ],
)
def test_a_time_that_is_none_or_stands_in_the_wrong_place_is_refused(
    hooked: Server, content: bytes, query: str
) -> None:
    check_problem(post(hooked, content, query=query), 422, "invalid_fields", loc="deliver_at")


def test_a_time_that_has_passed_means_at_once(hooked: Server) -> None:
    body = b'{"type": "in.late", "data": 1, "deliver_at": "2001-01-01T00:00:00+01:00"}'
    event = post(hooked, body).json()
    assert event["deliver_at"] is None
    delivery_of(hooked, event, "succeeded")


@pytest.mark.parametrize(
    "data",
    [
        '{"a": 1.0,  "b":12345678901234567890, "a":2}',
        '[ 1e999 , -0.0,\n\t"\\u00e9\\/" ]',
        '"é☃𝄞"',
        "null",
        "0.10",
        '""',
    ],
)
def test_data_is_sent_byte_for_byte_as_it_was_given(hooked: Server, data: str) -> None:
    event = post(
        hooked, b'{ "data" :  ' + data.encode() + b' , "type": "in.bytes"}', content_type="application/json"
    ).json()

    delivery = delivery_of(hooked, event, "succeeded")
    (captured,) = [c for c in hooked.captured("in") if c["attempt_id"] == delivery["attempts"][0]["id"]]
    sent = captured["body"]["text"]
    assert re.fullmatch(r'{"type":"in\.bytes","timestamp":"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z","data":(?s:.*)}', sent)
    assert sent.partition('"data":')[2] == data + "}"
    assert hooked.get(f"/events/{event['id']}")["body"]["text"] == sent


def test_a_json_content_type_may_lack_or_have_parameters_and_suffixes(hooked: Server) -> None:
    assert post(hooked, b'{"type": "in.untyped", "data": 1}').status_code == 202
    for content_type in ("application/json; charset=utf-8", "application/cloudevents+json", "APPLICATION/JSON"):
        assert post(hooked, b'{"type": "in.typed", "data": 1}', content_type=content_type).status_code == 202


def test_any_body_is_sent_as_it_is_when_the_type_is_in_the_query(hooked: Server) -> None:
    body = bytes(range(256))
    event = post(hooked, body, query="?type=in.raw", content_type="image/x-noise; q=1").json()

    delivery = delivery_of(hooked, event, "succeeded")
    (captured,) = [c for c in hooked.captured("in") if c["attempt_id"] == delivery["attempts"][0]["id"]]
    raw = hooked.request("GET", f"/requests/{captured['id']}/body")
    assert raw.content == body
    assert captured["content_type"] == event["content_type"] == "image/x-noise; q=1"
    assert captured["signature"]["state"] == "ok"


def test_a_compressed_raw_body_goes_out_as_such_and_compressed_json_is_refused(hooked: Server) -> None:
    packed = {"content-encoding": "gzip"}
    response = hooked.request(
        "POST", "/events", params={"type": "in.packed"}, content=gzip.compress(b'{"id": 1}'), headers=packed
    )
    assert response.status_code == 202, response.text
    delivery = delivery_of(hooked, response.json(), "succeeded")
    sent = dict(delivery["attempts"][0]["request"]["headers"])
    assert sent["content-encoding"] == "gzip"
    assert hooked.get(f"/events/{response.json()['id']}")["content_encoding"] == "gzip"
    page = hooked.request("GET", f"/ui/events/{response.json()['id']}")
    assert '<span class="nt">"id"</span>' in page.text, "the page shows what is in it"

    problem = check_problem(
        hooked.request("POST", "/events", content=gzip.compress(b'{"type": "a", "data": 1}'), headers=packed),
        415,
        "unsupported_media_type",
    )
    assert "'gzip'" in problem["detail"]
    refused = hooked.request("POST", "/events?type=a", content=b"x", headers={"content-encoding": "a b"})
    check_problem(refused, 422, "invalid_fields", loc="Content-Encoding")


def test_a_raw_body_may_be_empty_and_is_octets_unless_said_otherwise(hooked: Server) -> None:
    event = post(hooked, b"", query="?type=in.empty").json()

    delivery = delivery_of(hooked, event, "succeeded")
    assert event["content_type"] == "application/octet-stream"
    assert delivery["attempts"][0]["request"]["body"] == {"size": 0, "truncated": False, "text": ""}


def test_a_webhook_that_publishes_to_ourselves_ends_by_itself(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.register(f"{server.url}/events?type=echo", retry_schedule="none")

    (stopped,) = eventually(lambda: server.deliveries(state="cancelled"))

    assert "circle" in server.get(f"/deliveries/{stopped['id']}")["explanation"]
    assert [event["type"] for event in server.get("/events")["data"]] == ["echo", "webhook.ping"]


def test_webhooks_that_publish_to_ourselves_end_though_their_trail_is_lost(server: Server) -> None:
    answer = server.post("/events", {"type": "a", "data": 1}, headers={"hookbin-hops": "6"})
    check_problem(answer, 409, "loop_detected")


# Idempotency


def test_a_repeat_under_one_key_gives_the_first_event_and_sends_nothing(hooked: Server) -> None:
    first = publish(hooked, "in.once", idempotency_key="key-1")
    delivery_of(hooked, first, "succeeded")

    again = publish(hooked, "in.once", idempotency_key="key-1")

    assert again["id"] == first["id"]
    assert again["seq"] == first["seq"]
    assert [row["state"] for row in again["deliveries"]] == ["succeeded"]
    assert len(hooked.deliveries(event=first["id"])) == 1
    clash = post(hooked, b'{"type": "in.once", "data": 2}', idempotency_key="key-1")
    assert "key-1" in check_problem(clash, 409, "idempotency_mismatch")["detail"]


# Deliveries


def test_a_delivery_shows_its_attempts_as_they_went_over_the_wire(server: Server) -> None:
    receiver = Receiver(201, headers={"x-answer": "yes"}, body=b"thanks")
    with receiver.serving() as url:
        webhook = server.register(url, name="shown", events=["shown"], ping=False)
        event = publish(server, "shown")
        delivery = delivery_of(server, event, "succeeded")
    (headers, body) = receiver.requests[0]

    assert delivery["event_id"] == event["id"]
    assert delivery["event_type"] == "shown"
    assert (delivery["webhook_id"], delivery["webhook_name"]) == (webhook["id"], "shown")
    assert delivery["destination"] == url
    assert delivery["attempt_count"] == 1
    assert delivery["next_attempt_at"] is None
    assert delivery["finished_at"] >= delivery["created_at"]
    assert delivery["explanation"] == "Delivered on attempt 1 with 201."
    (attempt,) = delivery["attempts"]
    assert (attempt["number"], attempt["trigger"], attempt["status"], attempt["error"]) == (1, "auto", 201, None)
    assert attempt["request"]["method"] == "POST"
    assert attempt["request"]["url"] == url
    assert attempt["request"]["body"]["text"] == body.decode()
    recorded = {name.lower(): value for name, value in attempt["request"]["headers"]}
    assert recorded == dict(headers)
    assert recorded["webhook-id"] == event["id"]
    assert recorded["hookbin-attempt-id"] == attempt["id"]
    assert ["x-answer", "yes"] in [[name.lower(), value] for name, value in attempt["response"]["headers"]]
    assert attempt["response"]["body"] == {"size": 6, "truncated": False, "text": "thanks"}


def test_a_failed_delivery_is_retried_by_hand(server: Server) -> None:
    receiver = Receiver(400, 200)
    with receiver.serving() as url:
        server.register(url, events=["by.hand"], ping=False)
        event = publish(server, "by.hand")
        failed = delivery_of(server, event, "failed")

        response = retry(server, failed)
        delivery = delivery_of(server, event, "succeeded")

    assert response.status_code == 202
    assert response.json()["state"] == "pending"
    assert [attempt["trigger"] for attempt in delivery["attempts"]] == ["auto", "manual"]
    assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2]
    sent = [headers for headers, _ in receiver.requests]
    assert sent[0]["webhook-id"] == sent[1]["webhook-id"] == event["id"]
    assert sent[0]["hookbin-attempt-id"] != sent[1]["hookbin-attempt-id"]


def test_a_delivery_that_succeeded_is_not_retried(hooked: Server) -> None:
    delivery = delivery_of(hooked, publish(hooked, "in.done"), "succeeded")

    check_problem(retry(hooked, delivery), 409, "not_retryable")

    assert hooked.get(f"/deliveries/{delivery['id']}") == delivery


def test_a_delivery_that_is_being_sent_is_not_retried(server: Server) -> None:
    server.post("/bins", {"name": "takes-time", "response": {"delay_ms": 800}})
    server.register(f"{server.url}/b/takes-time", events=["slow.one"], ping=False)
    event = publish(server, "slow.one")
    eventually(lambda: server.captured("takes-time"))

    check_problem(retry(server, event["deliveries"][0]), 409, "attempt_in_flight")

    assert delivery_of(server, event, "succeeded")["attempt_count"] == 1
