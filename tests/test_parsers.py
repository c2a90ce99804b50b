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
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("parser")
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-c", PROGRAM, str(folder / "hookbin.db"), str(port), request.param]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, env=dict(os.environ))
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: _is_up(url))
        yield url
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
    assert "Traceback" not in log.read_text()


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def only(url: str, bin: str) -> Any:
    (row,) = httpx.get(f"{url}/bins/{bin}/requests", trust_env=False).json()["data"]
    return httpx.get(f"{url}/requests/{row['id']}", trust_env=False).json()


def test_a_request_is_captured(url: str) -> None:
    headers = [("X-A", "1"), ("x-a", "2")]
    answer = httpx.post(f"{url}/b/plain/a%2Fb?x=1&x=2", content=b"\0\xff", headers=headers, trust_env=False)

    captured = only(url, "plain")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert captured["target"] == "/b/plain/a%2Fb?x=1&x=2"
    assert captured["body"]["base64"] == "AP8="
    assert [value for name, value in captured["headers"] if name.lower() == "x-a"] == ["1", "2"]
    assert captured["trailers"] == []


def test_a_body_over_the_limit_gets_a_413(url: str) -> None:
    answer = httpx.post(f"{url}/b/large", content=bytes(11 * 1024 * 1024), trust_env=False)

    assert answer.status_code == 413
    assert only(url, "large")["truncated"]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.EMPTY, Fault.GARBAGE, Fault.TRUNCATE])
def test_an_answer_is_broken_after_its_delay_all_the_same(url: str, fault: Fault) -> None:
    response = {"fault": fault, "delay_ms": 10}
    httpx.post(f"{url}/bins", json={"name": fault, "response": response}, trust_env=False).raise_for_status()

    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/b/{fault}", trust_env=False)

    answer = only(url, fault)["answer"]
    assert (answer["fault"], answer["delay_ms"]) == (fault, 10)


def test_it_goes_out_again(url: str) -> None:
    httpx.put(f"{url}/b/out?q", content=b"hello", trust_env=False)

    script = httpx.get(f"{url}/requests/{only(url, 'out')['id']}/export?format=curl", trust_env=False).content
    subprocess.run(["sh"], input=script, check=True, capture_output=True, timeout=PATIENCE)

    assert len(httpx.get(f"{url}/bins/out/requests", trust_env=False).json()["data"]) == 2
