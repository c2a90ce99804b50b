"""Another server than ours in front of the application: less detail, and no crash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookbin.models.answers import Fault
from tests.support import PATIENCE, ROOT, eventually, free_port

PROGRAM = """
import sys, uvicorn
from pathlib import Path
from hookbin.app import create_app
from hookbin.config import Settings

port = int(sys.argv[2])
app = create_app(Settings(port=port, database=Path(sys.argv[1])))
uvicorn.run(app, port=port, http=sys.argv[3], ws="none", lifespan="on", log_level="warning")
"""


@pytest.fixture(scope="module", params=["h11", "httptools"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("parser")
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-c", PROGRAM, str(folder / "hookbin.db"), str(port), request.param]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, env=dict(os.environ))
    try:
        once = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, limits=once) as client:
            eventually(lambda: _is_up(client))
            yield client
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
    assert "Traceback" not in log.read_text()


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def only(client: httpx.Client, bin: str) -> Any:
    (row,) = client.get(f"/bins/{bin}/requests").json()["data"]
    return client.get(f"/requests/{row['id']}").json()


def test_a_request_is_captured(client: httpx.Client) -> None:
    headers = [("X-A", "1"), ("x-a", "2")]
    answer = client.post("/b/plain/a%2Fb?x=1&x=2", content=b"\0\xff", headers=headers)

    captured = only(client, "plain")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert captured["target"] == "/b/plain/a%2Fb?x=1&x=2"
    assert captured["body"]["base64"] == "AP8="
    assert [value for name, value in captured["headers"] if name.lower() == "x-a"] == ["1", "2"]
    assert captured["trailers"] == []


def test_a_body_over_the_limit_gets_a_413(client: httpx.Client) -> None:
    answer = client.post("/b/large", content=bytes(11 * 1024 * 1024))

    assert answer.status_code == 413
    assert only(client, "large")["truncated"]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.EMPTY, Fault.GARBAGE, Fault.TRUNCATE])
def test_an_answer_is_broken_after_its_delay_all_the_same(client: httpx.Client, fault: Fault) -> None:
    response = {"fault": fault, "delay_ms": 10}
    client.post("/bins", json={"name": fault, "response": response}).raise_for_status()

    with pytest.raises(httpx.TransportError):
        client.get(f"/b/{fault}")

    answer = only(client, fault)["answer"]
    assert (answer["fault"], answer["delay_ms"]) == (fault, 10)


def test_it_goes_out_again(client: httpx.Client) -> None:
    client.put("/b/out?q", content=b"hello")

    script = client.get(f"/requests/{only(client, 'out')['id']}/export?format=curl").content
    subprocess.run(["sh"], input=script, check=True, capture_output=True, timeout=PATIENCE)

    assert len(client.get("/bins/out/requests").json()["data"]) == 2
