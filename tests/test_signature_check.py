"""A bin that checks signatures: how it is set, what its requests say, and what its page shows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.support import Server, eventually
from tests.wire import check_problem

SECRET = "a secret of twenty-four"
BODY = b'{"a": 1}'
SERVER_FLAGS = ("--trust-proxy", "127.0.0.1", "--max-body", "1024")


def made(server: Server, **verify: Any) -> Any:
    response = server.post("/bins", {"verify": verify})
    assert response.status_code == 201, response.text
    return response.json()


def signature_of(server: Server, bin: Any, *, body: bytes = BODY, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    server.request("POST", f"/b/{bin['id']}", content=body, headers=named)
    return server.captured(bin["id"])[-1]["signature"]


def github(body: bytes = BODY, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_each_request_is_ok_failed_or_unsigned_and_says_why(server: Server) -> None:
    bin = made(server, scheme="github", secret=SECRET)

    assert signature_of(server, bin, X_Hub_Signature_256=github()) == {
        "state": "ok",
        "scheme": "github",
        "reason": None,
    }
    failed = signature_of(server, bin, X_Hub_Signature_256=github(b'{"a":1}'))
    assert (failed["state"], failed["scheme"]) == ("failed", "github")
    assert "serialised anew" in failed["reason"]
    unsigned = signature_of(server, bin)
    assert unsigned["state"] == "unsigned"
    assert "There is no X-Hub-Signature-256 header" in unsigned["reason"]


def test_a_scheme_that_this_version_does_not_know_is_unchecked_and_says_so(server: Server) -> None:
    bin = made(server, scheme="github", secret=SECRET)
    server.kill()
    with closing(sqlite3.connect(server.database)) as connection, connection:
        connection.execute("UPDATE bins SET verify = replace(verify, 'github', 'from-the-future')")
    server.start()

    found = signature_of(server, bin, X_Hub_Signature_256=github())

    assert (found["state"], found["scheme"]) == ("unchecked", "from-the-future")
    assert "another version of hookbin" in found["reason"]
    assert server.get(f"/bins/{bin['id']}")["verify"]["scheme"] == "from-the-future"
    assert server.request("GET", f"/ui/bins/{bin['id']}").status_code == 200


def test_the_secret_is_masked_wherever_a_bin_is_shown_but_where_it_is_asked_for(server: Server) -> None:
    bin = made(server, scheme="github", secret=SECRET)
    expected = {
        "scheme": "github",
        "secret": "…four",
        "header": None,
        "algorithm": "sha256",
        "encoding": "hex",
        "prefix": "",
    }

    assert bin["verify"] == expected
    assert server.get(f"/bins/{bin['id']}")["verify"] == expected
    assert SECRET not in server.request("GET", "/bins").text
    assert SECRET not in server.request("GET", f"/ui/bins/{bin['id']}").text
    assert server.get(f"/bins/{bin['id']}?secret=true")["verify"]["secret"] == SECRET


def test_a_change_without_the_secret_keeps_it_and_null_ends_the_check(server: Server) -> None:
    bin = made(server, scheme="hmac", secret=SECRET, header="x-sig")
    path = f"/bins/{bin['id']}"

    server.request("PATCH", path, json={"verify": {"scheme": "hmac", "header": "x-other", "prefix": "sha256="}})
    assert signature_of(server, bin, X_Other=github())["state"] == "ok"
    other = server.request("PATCH", path, json={"verify": {"scheme": "github"}})
    check_problem(other, 422, "invalid_fields", loc="verify.secret")
    assert server.request("PATCH", path, json={"verify": None}).json()["verify"] is None
    assert signature_of(server, bin)["state"] == "unchecked"


@pytest.mark.parametrize(
    ("verify", "loc"),
    [
        ({"scheme": "github"}, "verify.secret"),
        ({"scheme": "gihtub", "secret": SECRET}, "verify.scheme"),
    ],
)
def test_what_can_not_be_checked_by_is_refused_when_it_is_saved(server: Server, verify: Any, loc: str) -> None:
    check_problem(server.post("/bins", {"verify": verify}), 422, "invalid_fields", loc=loc)


def test_a_url_is_checked_as_its_sender_was_given_it(server: Server) -> None:
    bin = made(server, scheme="Twilio", secret="token")
    signed = f"https://hooks.example:443/b/{bin['id']}".encode()
    signature = base64.b64encode(hmac.digest(b"token", signed, "sha1")).decode()
    proxied: dict[str, Any] = {"X_Forwarded_Proto": "HTTPS, http", "X_Forwarded_Host": "hooks.example"}

    assert bin["verify"]["scheme"] == "twilio"
    assert signature_of(server, bin, X_Twilio_Signature=signature, **proxied)["state"] == "ok"
    elsewhere = signature_of(server, bin, X_Twilio_Signature=signature)
    assert f"took it for http://localhost:{server.port}/b/{bin['id']}" in elsewhere["reason"]


def test_a_body_that_was_cut_is_not_checked_and_says_so(server: Server) -> None:
    bin = made(server, scheme="github", secret=SECRET)

    signature = signature_of(server, bin, body=b"x" * 2000, X_Hub_Signature_256=github(b"x" * 2000))
    assert signature["state"] == "unchecked"
    assert "did not come whole or was cut" in signature["reason"]


@pytest.mark.parametrize("style", ["standard", "github", "stripe"])
def test_our_own_webhooks_are_checked_in_the_style_in_which_they_sign(server: Server, style: str) -> None:
    server.register(f"{server.url}/b/own-{style}", signature_style=style)

    captured = eventually(lambda: server.captured(f"own-{style}"))[0]
    assert captured["signature"] == {"state": "ok", "scheme": style, "reason": None}


def test_a_bins_own_setting_wins_over_that_of_our_webhook_and_names_whose_secret_it_was(server: Server) -> None:
    bin = made(server, scheme="github", secret=SECRET)
    server.register(bin["url"], name="Orders", signature_style="github")

    signature = eventually(lambda: server.captured(bin["id"]))[0]["signature"]
    assert signature["state"] == "failed"
    assert "the secret of the webhook 'Orders'" in signature["reason"]


def test_the_page_shows_the_scheme_and_the_reason(server: Server) -> None:
    bin = made(server, scheme="github", secret=SECRET)
    signature_of(server, bin, X_Hub_Signature="sha1=00")

    page = server.request("GET", f"/ui/bins/{bin['id']}").text
    assert "github" in page
    assert "There is no X-Hub-Signature-256 header, but X-Hub-Signature" in page
