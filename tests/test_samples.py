"""Sample events: each in the shape that its sender documents, sent to one webhook to try its receiver."""

from __future__ import annotations

import json
import re

import pytest

from hookbin.delivery import samples
from hookbin.errors import FieldsInvalid
from hookbin.names import check_event_type
from tests.raw_receiver import Receiver
from tests.support import Server, eventually


@pytest.mark.parametrize("sample", samples.SAMPLES, ids=[sample.type for sample in samples.SAMPLES])
def test_a_sample_has_a_type_that_can_be_published_and_a_body_of_json(sample: samples.Sample) -> None:
    assert check_event_type(sample.type) == sample.type
    assert json.loads(sample.body) == sample.data
    assert sample.is_ours is (sample.provider == "hookbin")


@pytest.mark.parametrize(
    ("name", "type"), [("push", "github.push"), ("invoice.paid", "stripe.invoice.paid"), ("ping", "github.ping")]
)
def test_a_sample_is_found_without_its_provider_too(name: str, type: str) -> None:
    assert samples.find(name) is samples.find(type)


def test_a_sample_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(FieldsInvalid, match=re.escape("shopify.orders/create")):
        samples.find("gitlab.push")


def test_the_names_that_each_sender_documents_stand_in_its_sample() -> None:
    assert samples.find("push").data.keys() >= {"ref", "before", "after", "commits", "head_commit", "pusher"}
    assert samples.find("ping").data.keys() >= {"zen", "hook_id", "hook"}
    assert samples.find("invoice.paid").data.keys() >= {"id", "object", "api_version", "type", "data", "livemode"}
    assert samples.find("orders/create").data.keys() >= {"id", "line_items", "total_price", "customer"}
    assert samples.find("event_callback").data.keys() >= {"type", "event", "team_id", "event_id", "event_time"}


def test_a_sample_goes_to_its_webhook_alone_with_the_sender_s_headers_and_our_signature(server: Server) -> None:
    receiver, other = Receiver(200), Receiver(200)
    with receiver.serving() as url, other.serving() as other_url:
        webhook = server.register(url, events=["nothing"], ping=False, signature_style="github")
        server.register(other_url, events=["*"], ping=False)
        answer = server.post(f"/webhooks/{webhook['id']}/test", {"type": "github.push"})
        eventually(lambda: receiver.requests)

    headers, body = receiver.requests[0]
    assert answer.status_code == 202
    assert [delivery["webhook_id"] for delivery in answer.json()["deliveries"]] == [webhook["id"]]
    assert headers["X-GitHub-Event"] == "push"
    assert headers["x-hub-signature-256"].startswith("sha256=")
    assert headers["User-Agent"] == "GitHub-Hookshot/sample"
    assert json.loads(body) == samples.find("push").data
    assert other.requests == []


def test_without_a_type_a_generic_event_is_sent(server: Server) -> None:
    receiver = Receiver(200)
    with receiver.serving() as url:
        webhook = server.register(url, events=["nothing"], ping=False)
        server.post(f"/webhooks/{webhook['id']}/test")
        eventually(lambda: receiver.requests)

    body = json.loads(receiver.requests[0][1])
    assert (body["type"], body["data"]) == ("user.created", samples.find("user.created").data)


def test_the_catalogue_lists_every_sample(server: Server) -> None:
    listed = server.get("/catalogue")["data"]

    assert [each["type"] for each in listed] == [sample.type for sample in samples.SAMPLES]
    assert listed[0]["body"] == samples.SAMPLES[0].data


def test_a_test_that_can_t_be_is_refused(server: Server) -> None:
    webhook = server.register("http://localhost:9/", events=["nothing"], ping=False, disabled=True)
    path = f"/webhooks/{webhook['id']}/test"

    assert server.post(path, {"type": "gitlab.push"}).json()["errors"][0]["loc"] == "type"
    assert server.post(path).json()["code"] == "webhook_disabled"
    assert server.post("/webhooks/wh_none/test").json()["code"] == "webhook_not_found"
