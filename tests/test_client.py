"""`hookbin send` and `hookbin demo`: run in this process, but for one that a user's shell would see."""

from __future__ import annotations

import hmac
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner
from standardwebhooks import Webhook as Judge

from hookbin.cli.main import main
from tests.builders import SECRET
from tests.raw_receiver import Receiver
from tests.support import PATIENCE, ROOT, Server, eventually, free_port


def hookbin(*arguments: str, server: Server | None = None, stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command that speaks to `server`."""
    done = CliRunner().invoke(main, arguments, input=stdin, env=environment(server), prog_name="hookbin")
    return done.exit_code, done.stdout, done.stderr


def environment(server: Server | None) -> dict[str, str | None]:
    """What is changed of this process's own."""
    ours: dict[str, str | None] = {name: None for name in os.environ if name.startswith("HOOKBIN_")}
    return ours if server is None else {**ours, "HOOKBIN_SERVER": server.url}


# Through a running hookbin


def test_an_event_is_published_and_each_delivery_told_of(server: Server) -> None:
    server.register(f"{server.url}/b/told", name="told", events=["told.*"], ping=False)

    code, out, err = hookbin("send", "--type", "told.once", "--data", '{"id": 1.0}', server=server)

    assert (code, err) == (0, "")
    assert "told.once  1 delivery\n" in out
    assert "told  attempt 1: 200 in" in out
    assert out.rstrip().endswith("succeeded")
    (request,) = server.captured("told")
    assert request["body"]["text"].endswith('"data":{"id": 1.0}}')


def test_attempts_are_json_for_programs(server: Server) -> None:
    server.register(f"{server.url}/b/as-json", name="as-json", events=["json.*"], ping=False)

    code, out, err = hookbin("send", "--type", "json.once", "--json", server=server)

    assert (code, json.loads(out)["status"]) == (0, 200)
    assert "json.once  1 delivery" in err


def test_retries_are_told_of_until_the_end_and_a_failure_is_exit_code_1(server: Server) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    server.register(nowhere, name="nobody", events=["lost.*"], ping=False, retry_schedule=[0.05, 0.05])

    code, out, _ = hookbin("send", "--type", "lost.one", server=server)

    assert code == 1
    assert [line.split(":")[0].strip() for line in out.splitlines()[1:]] == [
        "nobody  attempt 1",
        "nobody  attempt 2",
        "nobody  attempt 3",
    ]
    assert out.rstrip().endswith("failed")


def test_what_is_pending_after_the_wait_is_said_and_not_a_success(server: Server) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    server.register(nowhere, name="later", events=["later.*"], ping=False, retry_schedule=[3600])

    code, out, _ = hookbin("send", "--type", "later.on", "--wait", "1", server=server)

    assert code == 1
    assert "1 of 1 still pending after 1 s" in out


def test_an_event_that_no_webhook_wants_is_said_so(server: Server) -> None:
    code, out, _ = hookbin("send", "--type", "unwanted", server=server)

    assert code == 0
    assert "no webhook wants this type" in out


def test_data_comes_from_a_file_or_standard_input_and_goes_out_byte_for_byte(server: Server, tmp_path: Path) -> None:
    server.register(f"{server.url}/b/bytes", events=["bytes.*"], ping=False)
    body = b"\x00\xff raw \r\n"
    (tmp_path / "body").write_bytes(body)
    raw = ("--content-type", "application/x-raw")

    assert hookbin("send", "--type", "bytes.file", "--data", f"@{tmp_path}/body", *raw, server=server)[0] == 0
    assert hookbin("send", "--type", "bytes.stdin", "--data", "@-", *raw, server=server, stdin=body)[0] == 0

    for request in server.captured("bytes"):
        found = server.request("GET", f"/requests/{request['id']}/body").content
        assert (found, request["content_type"]) == (body, "application/x-raw")


def test_the_same_idempotency_key_publishes_once(server: Server) -> None:
    server.register(f"{server.url}/b/idem", events=["idem.*"], ping=False)
    for _ in range(2):
        assert hookbin("send", "--type", "idem.one", "--idempotency-key", "k1", "--wait", "5", server=server)[0] == 0

    assert len(server.captured("idem")) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--type", "a b"), "type: use 1 to 128"),
        (("--type", "a", "--data", "{"), "--data is not JSON: line 1, column 2: it ends too early"),
        (("--type", "a", "--data", "@/no/such/file"), "can't read '/no/such/file'"),
        (("--type", "a", "--content-type", "nonsense"), "media type"),
        (("--type", "a", "--secret", SECRET), "--secret goes with --to"),
        (("--type", "a", "--to", "ftp://x/"), "--to: must start with http"),
        (("--type", "a", "--to", "http://x/", "--secret", "short"), "--secret: must start with whsec_"),
        (("--type", "a", "--to", "http://x/", "--idempotency-key", "k"), "--idempotency-key goes with"),
        (("--type", "a", "--to", "http://x/", "--ca-file", "/no/such"), "certificates in /no/such can't be read"),
        (("--type", "a", "--to", "http://x/", "--signature-style", "github", "--secret", "short"), "8 to 256 visible"),
        (("--type", "a", "--signature-style", "github"), "--signature-style goes with --to"),
        (("--type", "a", "--server", "nonsense"), "--server must start with http"),
        (("--type", "a", "--server", "http://["), "--server has a host with misplaced brackets"),
        ((), "Missing option '--type'"),
    ],
)
def test_wrong_input_is_exit_code_2_and_says_what_to_do(arguments: tuple[str, ...], complaint: str) -> None:
    code, out, err = hookbin("send", *arguments)

    assert (code, out) == (2, "")
    assert complaint in err


def test_what_the_server_refuses_is_told_in_its_words(server: Server) -> None:
    code, _, err = hookbin("send", "--type", "a", "--idempotency-key", "with space", server=server)

    assert code == 2
    assert "Idempotency-Key: use 1 to 255 visible ASCII characters" in err


@pytest.mark.parametrize("body", [b"fine", b'{"fine": true}', b"[]", None])
def test_what_is_no_hookbin_is_told(body: bytes | None) -> None:
    with Receiver(404 if body is None else 200, body=body or b"").serving() as url:
        code, _, err = hookbin("send", "--type", "a", "--server", url.removesuffix("/hook"))

    assert code == 1
    assert ("is that a hookbin?" if body is None else "did not answer as a hookbin does") in err


def test_a_process_of_its_own_ends_with_the_exit_code() -> None:
    command = [sys.executable, "-m", "hookbin", "send", "--type", "a", "--server", f"http://127.0.0.1:{free_port()}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE)

    assert (done.returncode, done.stdout) == (1, b"")
    assert b"hookbin serve" in done.stderr
    assert b"Traceback" not in done.stderr


# Without one


def test_a_single_request_is_signed_and_its_answer_shown() -> None:
    receiver = Receiver(201, headers={"X-Odd": "a"}, body="été \x1b[31m\n".encode())
    with receiver.serving() as url:
        code, out, err = hookbin("send", "--type", "one.shot", "--to", url, "--secret", SECRET, "--data", '{"n": 1}')

    ((headers, body),) = receiver.requests
    assert json.loads(body)["data"] == {"n": 1}
    Judge(SECRET).verify(body, dict(headers))
    assert (code, err) == (0, "")
    assert "201 in" in out
    assert "X-Odd: a" in out
    assert "été \\x1b[31m" in out
    assert "\x1b" not in out


def test_a_single_request_without_a_secret_gets_one_that_is_told() -> None:
    receiver = Receiver(200)
    with receiver.serving() as url:
        _, _, err = hookbin("send", "--type", "one.shot", "--to", url)

    ((headers, body),) = receiver.requests
    secret = err.split()[2].rstrip(",")
    Judge(secret).verify(body, dict(headers))


def test_a_single_request_can_be_signed_as_github_does() -> None:
    receiver = Receiver(200)
    style = ("--signature-style", "github", "--secret", "it is mine".replace(" ", "-"))
    with receiver.serving() as url:
        code, _, err = hookbin("send", "--type", "one.shot", "--to", url, *style)

    ((headers, body),) = receiver.requests
    assert (code, err) == (0, "")
    expected = hmac.digest(b"it-is-mine", body, "sha256").hex()
    assert headers["x-hub-signature-256"] == f"sha256={expected}"


def test_a_single_request_by_https_trusts_the_authority_it_is_told_of(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with Receiver(200).serving(context) as url:
        send = ("send", "--type", "a", "--to", url, "--secret", SECRET)

        trusted = hookbin(*send, "--ca-file", str(tmp_path / "ca.pem"))
        assert trusted[0] == 0, trusted
        code, out, _ = hookbin(*send)

    assert code == 1
    assert "tls_error after" in out


@pytest.mark.parametrize("status", [301, 404, 500])
def test_an_answer_that_is_no_success_is_exit_code_1(status: int) -> None:
    receiver = Receiver(status)
    with receiver.serving() as url:
        code, out, _ = hookbin("send", "--type", "a", "--to", url, "--secret", SECRET)

    assert code == 1
    assert f"{status} in" in out
    assert len(receiver.requests) == 1


def test_no_answer_is_told_by_its_class() -> None:
    code, out, _ = hookbin("send", "--type", "a", "--to", f"http://127.0.0.1:{free_port()}/", "--secret", SECRET)

    assert code == 1
    assert "connection_refused after" in out


# The demonstration


def test_the_demonstration_lives_and_can_be_made_again_and_taken_away(server: Server) -> None:
    for _ in range(2):
        code, out, err = hookbin("demo", server=server)
        assert (code, err) == (0, "")
    assert out.count("/ui/webhooks/wh_") == 3
    webhooks = [hook for hook in server.get("/webhooks")["data"] if hook["name"].startswith("demo-")]
    assert sorted(hook["name"] for hook in webhooks) == ["demo-dead", "demo-flaky", "demo-steady"]
    assert all(hook["heartbeat"] for hook in webhooks)
    of = {hook["name"]: hook["id"] for hook in webhooks}

    def ends(name: str) -> set[tuple[str, int]]:
        return {(row["state"], row["attempt_count"]) for row in server.deliveries(webhook=of[name])}

    eventually(lambda: ("succeeded", 1) in ends("demo-steady"))
    eventually(lambda: ("succeeded", 3) in ends("demo-flaky"))
    eventually(lambda: ("failed", 4) in ends("demo-dead"))
    assert hookbin("demo", "--remove", server=server)[1] == "6 bins and webhooks deleted\n"
    assert hookbin("demo", "--remove", server=server)[1] == "there was nothing to delete\n"
