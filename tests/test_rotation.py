"""Rotation: every live secret signs every attempt, judged by other implementations; an expired one signs nothing."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hookbin.dispatch.secret_expiry import SecretExpiry
from hookbin.signatures.rotation import live_secrets, rotated
from hookbin.testing.harness import Harness
from tests.builders import SECRET, Stores, open_stores
from tests.raw_receiver import Receiver
from tests.support import FakeClock, Server, eventually
from tests.wire import check_problem

BODIES = ["plain words", "", "naïve ☃ 💥"]
SEED = bytes(range(32))
PRIVATE = "whsk_" + base64.b64encode(SEED).decode()
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()


def rotate(server: Server, id: str, **fields: Any) -> Any:
    response = server.post(f"/webhooks/{id}/rotate-secret", fields)
    assert response.status_code == 200, response.text
    return response.json()


Attempt = tuple[dict[str, str], bytes]


def send(server: Server, receiver: Receiver, webhook: Any, body: str, *, attempts: int = 1) -> list[Attempt]:
    """What the receiver got for one more event."""
    before = len(receiver.requests)
    answer = server.post(
        f"/events?type={webhook['events'][0]}", content=body.encode(), headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 202, answer.text
    eventually(lambda: len(receiver.requests) == before + attempts)
    return [(dict(headers), sent) for headers, sent in receiver.requests[before:]]


def accepted(judge: Callable[[str], Any], secret: str, attempt: Attempt) -> bool:
    headers, body = attempt
    options = {"json_parse": False} if judge is standardwebhooks.Webhook else {}
    try:
        judge(secret).verify(body, headers, **options)
    except (standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError):
        return False
    return True


JUDGES = (standardwebhooks.Webhook, svix.webhooks.Webhook)


@pytest.fixture
def flaky() -> Iterator[tuple[Receiver, str]]:
    """A receiver that fails each event twice, and its URL."""
    receiver = Receiver(*[500, 500, 200] * 20)
    with receiver.serving() as url:
        yield receiver, url


def test_every_live_secret_signs_every_attempt_after_one_rotation_and_after_two(
    server: Server, flaky: tuple[Receiver, str]
) -> None:
    receiver, url = flaky
    webhook = server.register(url, events=["turn"], retry_schedule=[0.05, 0.05], ping=False)
    secrets = [webhook["secret"]]
    for rotations in range(3):
        for body in BODIES:
            for attempt in send(server, receiver, webhook, body, attempts=3):
                assert all(accepted(judge, secret, attempt) for judge in JUDGES for secret in secrets), (
                    rotations,
                    body,
                )
                assert not any(accepted(judge, SECRET, attempt) for judge in JUDGES)
                assert len(attempt[0]["webhook-signature"].split(" ")) == len(secrets)
        secrets.insert(0, rotate(server, webhook["id"])["secret"])
    assert len(set(secrets)) == 4


def test_an_old_secret_is_refused_after_the_overlap_and_forgotten(hookbin: Harness) -> None:
    bin = hookbin.bin()
    webhook = hookbin.webhook(to=bin)
    rotation = hookbin.remote.post(f"/webhooks/{webhook.id}/rotate-secret", {"overlap": 60})
    webhook.publish("during")
    hookbin.advance(seconds=60)
    webhook.publish("after")
    during, after = (
        ({name.lower(): value for name, value in request.headers}, request.content) for request in bin.requests
    )
    (old,) = rotation["old_secrets"]
    assert old["hint"] == f"whsec_…{webhook.secret[-4:]}"
    assert hookbin.remote.get(f"/webhooks/{webhook.id}")["old_secrets"] == []
    assert [accepted(judge, webhook.secret, during) for judge in JUDGES] == [True, True]
    for judge in JUDGES:
        assert not accepted(judge, webhook.secret, after)
        assert accepted(judge, rotation["secret"], after)


def verified(public_key: bytes, attempt: Attempt) -> bool:
    headers, body = attempt
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for word in headers["webhook-signature"].split(" "):
        version, _, signature = word.partition(",")
        if version == "v1a":
            Ed25519PublicKey.from_public_bytes(public_key).verify(base64.b64decode(signature), signed)
            return True
    return False


def test_both_kinds_of_signature_are_sent_while_a_webhook_changes_to_ed25519(server: Server) -> None:
    receiver = Receiver(200)
    with receiver.serving() as url:
        webhook = server.register(url, events=["both"], ping=False)
        rotation = rotate(server, webhook["id"], secret=PRIVATE)
        for body in BODIES:
            (attempt,) = send(server, receiver, webhook, body)
            assert accepted(standardwebhooks.Webhook, webhook["secret"], attempt)
            assert verified(PUBLIC, attempt)
    assert webhook["public_key"] is None
    assert rotation["public_key"] == "whpk_" + base64.b64encode(PUBLIC).decode()
    assert (rotation["secret"], rotation["secret_hint"]) == (PRIVATE, f"whsk_…{PRIVATE[-4:]}")


def test_our_own_bin_finds_the_signatures_right_before_within_and_after_a_rotation(server: Server) -> None:
    webhook = server.register(f"{server.url}/b/turned", secret=PRIVATE)
    rotate(server, webhook["id"])
    server.post("/events", {"type": "one", "data": 1})
    rotate(server, webhook["id"], overlap=0)
    server.post("/events", {"type": "two", "data": 2})

    eventually(lambda: len(server.captured("turned")) >= 3)

    mine = [captured["signature"]["state"] for captured in server.captured("turned")]
    assert mine == ["ok"] * len(mine)


def test_in_the_style_github_the_secret_changes_at_once(server: Server) -> None:
    webhook = server.register("http://127.0.0.1:1/", signature_style="github", secret="first_secret", ping=False)

    refused = server.post(f"/webhooks/{webhook['id']}/rotate-secret", {"overlap": 10})

    check_problem(refused, 422, "invalid_fields", loc="overlap")
    rotation = rotate(server, webhook["id"], secret="another_secret")
    assert (rotation["secret"], rotation["old_secrets"]) == ("another_secret", [])


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"secret": "hunter2hunter2"}, "secret"),
        ({"secret": SECRET}, "secret"),
        ({"overlap": -1}, "overlap"),
        ({"overlap": 2_592_001}, "overlap"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_rotation_that_is_wrong_changes_nothing_and_repeats_no_secret(
    server: Server, fields: dict[str, Any], loc: str
) -> None:
    webhook = server.register("http://127.0.0.1:1/", secret=SECRET, ping=False)

    response = server.post(f"/webhooks/{webhook['id']}/rotate-secret", fields)

    check_problem(response, 422, "invalid_fields", loc=loc)
    assert str(fields.get("secret", "hunter2")) not in response.text
    assert server.get(f"/webhooks/{webhook['id']}?secret=true") == webhook


def test_the_number_of_secrets_that_sign_is_bounded(server: Server) -> None:
    webhook = server.register("http://127.0.0.1:1/", ping=False)
    for _ in range(5):
        rotate(server, webhook["id"])

    refused = server.post(f"/webhooks/{webhook['id']}/rotate-secret")

    check_problem(refused, 422, "invalid_fields", loc="overlap")
    assert rotate(server, webhook["id"], overlap=0)["old_secrets"] == []


def test_a_secret_that_comes_back_is_no_old_one_any_more(server: Server) -> None:
    webhook = server.register("http://127.0.0.1:1/", ping=False, secret=SECRET)
    rotate(server, webhook["id"])

    back = rotate(server, webhook["id"], secret=SECRET)

    assert back["secret"] == SECRET
    assert [old["hint"] for old in back["old_secrets"]] != [back["secret_hint"]]
    assert len(back["old_secrets"]) == 1


def test_a_style_takes_only_secrets_that_can_sign_in_it(server: Server) -> None:
    webhook = server.register("http://127.0.0.1:1/", signature_style="github", secret="first_secret", ping=False)
    path, change = f"/webhooks/{webhook['id']}", {"signature_style": None}

    check_problem(server.patch(path, change), 422, "invalid_fields", loc="signature_style")
    rotate(server, webhook["id"], secret=SECRET)
    changed = server.patch(path, change).json()

    assert changed["signature_style"] == "standard"


def test_secrets_and_credentials_are_sent_but_stand_in_no_list_page_log_or_description(server: Server) -> None:
    given, masked = (
        [["Authorization", "Bearer hunter2hunter2"], ["X-A", "b"]],
        [["Authorization", "********"], ["X-A", "b"]],
    )
    with Receiver(200).serving() as url:
        webhook = server.register(url, headers=given)
        (delivery,) = eventually(lambda: server.deliveries(webhook=webhook["id"], state="succeeded"))
    path = f"/webhooks/{webhook['id']}"
    changed = server.patch(
        path, {"headers": [*masked, ["X-C", "d"]], "destination": f"{server.url}/b/secretive"}
    ).json()
    secrets = [webhook["secret"][6:], rotate(server, webhook["id"])["secret"][6:], "hunter2"]
    server.publish("again")
    (captured,) = eventually(lambda: server.captured("secretive"))

    assert [pair for pair in captured["headers"] if pair in given] == given
    assert (webhook["headers"], changed["headers"]) == (masked, [*masked, ["X-C", "d"]])
    (attempt,) = server.get(f"/deliveries/{delivery['id']}")["attempts"]
    assert masked[0] in attempt["request"]["headers"]
    paths = ["/webhooks", path, f"/deliveries/{delivery['id']}", "/openapi.json", "/docs"]
    pages = ["/ui/", f"/ui{path}", f"/ui/deliveries/{delivery['id']}"]
    for shown in (*(server.request("GET", each).text for each in paths + pages), server.log()):
        assert not any(secret in shown for secret in secrets)
    assert not any(secret in server.request("GET", "/ui/bins/secretive").text for secret in secrets[:2])


@asynccontextmanager
async def _forgetting(stores: Stores) -> AsyncIterator[None]:
    expiry = SecretExpiry(stores.webhooks, clock=stores.clock)
    stores.database.on_commit(expiry.committed)
    expiry.start()
    try:
        yield
    finally:
        await expiry.stop()


@pytest.mark.anyio
async def test_an_expired_secret_leaves_the_file_by_itself_and_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_stores(tmp_path / "hookbin.db", clock=clock) as stores:
        await stores.register()
        for secret, overlap in (("whsec_" + "A" * 32, 10), ("whsec_" + "B" * 32, 100)):
            webhook = rotated(stores.webhooks.get("wh_1"), secret, overlap=overlap, now=clock.now())
            await stores.webhooks.edit("wh_1", lambda _, webhook=webhook: webhook)  # type: ignore[misc]
        async with _forgetting(stores):
            clock.advance(10)
            await stores.seen.until(lambda: len(stores.webhooks.get("wh_1").old_secrets) == 1)
        assert live_secrets(stores.webhooks.get("wh_1"), now=clock.now()) == ("whsec_" + "B" * 32, "whsec_" + "A" * 32)
    clock.advance(90)
    async with open_stores(tmp_path / "hookbin.db", clock=clock) as stores:
        async with _forgetting(stores):
            await stores.seen.until(lambda: not stores.webhooks.get("wh_1").old_secrets)
        assert await stores.database.read("SELECT old_secrets FROM webhooks") == [("[]",)]
