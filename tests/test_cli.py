"""The command line: what it prints, what it reads, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from hookbin import __version__
from hookbin.cli.main import main
from hookbin.config import Settings
from tests.support import PATIENCE, ROOT, Server, eventually, free_port

HOOKBIN = [sys.executable, "-m", "hookbin"]
SETTINGS_NAMES = {"PORT", "HOST", *(f"HOOKBIN_{name.upper()}" for name in Settings.__struct_fields__)}


def environment(**names: str) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name not in SETTINGS_NAMES}, **names}


def run(*arguments: str, **names: str) -> subprocess.CompletedProcess[str]:
    """hookbin, run to its end."""
    return subprocess.run(
        [*HOOKBIN, *arguments], cwd=ROOT, env=environment(**names), capture_output=True, text=True, timeout=PATIENCE
    )


def in_this_process(*arguments: str, **names: str) -> Result:
    """hookbin, when it ends before it would serve."""
    env = {**dict.fromkeys(SETTINGS_NAMES), **names}
    return CliRunner().invoke(main, arguments, env=env, prog_name="hookbin")


@contextmanager
def running(*arguments: str, port: int, command: list[str] | None = None, **options: Any) -> Iterator[Any]:
    """hookbin, or another command, while it answers on that port."""
    options.setdefault("env", environment())
    options.setdefault("cwd", ROOT)
    with subprocess.Popen(
        [*(command or HOOKBIN), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    ) as process:
        try:
            eventually(lambda: answers(port) or process.poll() is not None)
            assert process.poll() is None, process.communicate()
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=PATIENCE)


def answers(port: int) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/healthz"
        return httpx.get(url, trust_env=False, verify=False).status_code == 200
    except httpx.TransportError:
        return False


def ended(process: Any) -> tuple[str, str]:
    """What it had printed to stdout and stderr, once it was told to stop."""
    process.terminate()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out, err


# What it says


def test_it_tells_its_version() -> None:
    done = run("--version")

    assert (done.returncode, done.stdout, done.stderr) == (0, f"hookbin {__version__}\n", "")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_the_command(flag: str) -> None:
    done = in_this_process(flag)

    assert done.exit_code == 0
    assert "serve" in done.stdout


def test_the_help_of_serve_lists_every_setting_with_its_variable(tmp_path: Path) -> None:
    done = in_this_process("serve", "--help", HOME=str(tmp_path))

    text = " ".join(done.stdout.split())
    for name in Settings.__struct_fields__:
        assert f"--{name.replace('_', '-')}" in text
        assert f"HOOKBIN_{name.upper()}" in text.replace(" ", "")
    assert "PORT" in text
    assert list(tmp_path.iterdir()) == []


def test_it_tells_where_it_is_and_how_to_begin(tmp_path: Path) -> None:
    port = free_port()
    with running("serve", "--port", str(port), "--database", str(tmp_path / "a.db"), port=port) as process:
        out, err = ended(process)

    base = f"http://localhost:{port}"
    assert f"{base}/ui/" in out
    assert f"{base}/b/NAME" in out
    assert "curl --request POST --url" in out
    assert f'"destination": "{base}/b/joe"' in out
    assert "token" not in out
    assert err == ""
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("flags", "names"),
    [((), {}), (("--host", "0.0.0.0"), {}), (("--host", "0.0.0.0"), {"HOOKBIN_TOKEN": "correct-horse-battery-staple"})],
    ids=["on loopback", "exposed", "exposed with a token of its owner"],
)
def test_the_commands_that_it_prints_do_what_it_says(
    start_server: Callable[..., Server], flags: tuple[str, ...], names: dict[str, str]
) -> None:
    server = start_server(*flags, env=names)
    told = eventually(lambda: server.log() if "--data" in server.log() else "")
    commands = told[told.index("  curl") :]
    subprocess.run(["sh", "-e", "-c", commands], env=environment(**names), check=True, capture_output=True)

    made = re.search(r"token +(\S+)", told)
    token = made[1] if made else names.get("HOOKBIN_TOKEN", "")
    headers = {"authorization": f"Bearer {token}"} if token else {}

    def states() -> list[str]:
        return [delivery["state"] for delivery in server.get("/deliveries", headers=headers)["data"]]

    assert eventually(lambda: states() if "pending" not in states() else None) == ["succeeded"]
    (captured,) = server.get("/bins/joe/requests", headers=headers)["data"]
    assert captured["signature"]["state"] == "ok"


def test_port_0_takes_a_free_port_and_says_which(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*HOOKBIN, "--port", "0", "--database", str(tmp_path / "a.db")],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        told = next(found for line in process.stdout if (found := re.search(r"http://localhost:(\d+)/ui/", line)))
        assert answers(int(told[1]))
        process.terminate()

    assert process.returncode == 0


# What it reads


def test_a_flag_wins_over_its_variable_and_that_over_the_plain_name() -> None:
    """What is not looked at may be wrong; the schedule is looked at last."""
    wrong = {"HOOKBIN_RETRY_SCHEDULE": "sometimes"}

    for names in ({"PORT": "1"}, {"PORT": "x", "HOOKBIN_PORT": "1"}):
        assert "--retry-schedule" in in_this_process(**names, **wrong).stderr
    assert "--retry-schedule" in in_this_process("--port", "1", HOOKBIN_PORT="x", PORT="y", **wrong).stderr
    for names in ({"PORT": "x"}, {"PORT": "1", "HOOKBIN_PORT": "x"}):
        assert "--port" in in_this_process(**names, **wrong).stderr
    assert "--port" in in_this_process("--port", "x", HOOKBIN_PORT="1", **wrong).stderr


def test_every_kind_of_setting_is_read_from_its_variable(start_server: Callable[..., Server]) -> None:
    server = start_server(
        env={
            "HOOKBIN_MAX_BODY": "3",
            "HOOKBIN_MAX_REQUESTS": "7",
            "HOOKBIN_MAX_AGE": "60",
            "HOOKBIN_RETRY_SCHEDULE": "1,2",
            "HOOKBIN_RETRY_ON": "5xx,429",
            "HOOKBIN_AUTO_CREATE": "false",
            "HOOKBIN_TRUST_PROXY": "127.0.0.1 10.0.0.0/8",
            "HOOKBIN_PUBLIC_URL": "http://hooks.localhost",
        }
    )

    bin = server.post("/bins", {"name": "set"}).json()
    assert (bin["max_requests"], bin["max_age"], bin["url"]) == (7, 60, "http://hooks.localhost/b/set")
    webhook = server.register("http://localhost:1/", ping=False)
    assert (webhook["retry_schedule"], webhook["retry_on"]) == ([1, 2], ["5xx", "429"])
    assert server.post("/b/unset").status_code == 404
    forwarded = {"x-forwarded-for": "203.0.113.5"}
    assert server.request("POST", "/b/set", content=b"1234", headers=forwarded).status_code == 413
    assert server.captured("set")[0]["client"].startswith("203.0.113.5")


def test_the_database_is_in_the_data_folder_unless_said_otherwise(tmp_path: Path) -> None:
    port = free_port()
    env = environment(XDG_DATA_HOME=str(tmp_path), HOME=str(tmp_path))

    with running("--port", str(port), port=port, env=env):
        (database,) = tmp_path.rglob("hookbin.db")

    assert database.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["serve", "nonsense"], "nonsense"),
        (["--port"], "--port"),
        (["--port", "x"], "--port"),
        (["--port", "65536"], "--port"),
        (["--retry-schedule", "sometimes"], "--retry-schedule"),
        (["--allow-target", "10.0.0.1/8"], "--allow-target"),
        (["--database", "/"], "--database"),
    ],
)
def test_what_it_can_not_use_ends_with_exit_code_2_and_says_what(arguments: list[str], named: str) -> None:
    done = in_this_process(*arguments)

    assert done.exit_code == 2, done.stderr
    assert named in done.stderr
    assert done.stdout == ""


def test_a_variable_that_it_can_not_use_ends_with_exit_code_2_too() -> None:
    for name, value in (("HOOKBIN_PORT", "x"), ("HOOKBIN_MAX_BODY", "-1"), ("HOOKBIN_LOG_FORMAT", "xml")):
        done = in_this_process(**{name: value})
        assert done.exit_code == 2, done.stderr
        assert "Error: " in done.stderr


# When it can't start


def test_a_ca_file_that_can_t_be_used_is_a_failed_start(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")

    for name, message in (("ca.pem", "is no PEM file with certificates"), ("missing.pem", "can't be read")):
        done = run("serve", "--database", str(tmp_path / "h.db"), "--port", "0", "--ca-file", str(tmp_path / name))

        assert done.returncode == 3, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def could_not_start(*arguments: str) -> str:
    """The one line that hookbin says of it."""
    done = run("serve", *arguments)
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    prefix = "hookbin could not start: "
    assert line.startswith(prefix)
    return line.removeprefix(prefix)


def contents(folder: Path) -> dict[str, bytes]:
    """All files but the lock, which tells nothing."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = could_not_start("--port", str(port), "--database", str(tmp_path / "a.db"))

    assert f"port {port}" in line
    assert "--port" in line
    assert contents(tmp_path) == {}


def test_an_address_that_is_not_ours(tmp_path: Path) -> None:
    line = could_not_start("--host", "192.0.2.1", "--port", "0", "--database", str(tmp_path / "a.db"))

    assert "192.0.2.1" in line


def test_a_database_that_another_hookbin_uses(start_server: Callable[..., Server]) -> None:
    server = start_server()

    line = could_not_start("--port", "0", "--database", str(server.database))

    assert str(server.database) in line
    assert f"process {server.pid}" in line
    assert server.get("/readyz") == {"status": "ok"}


# How it ends


def test_a_second_signal_does_not_hurt(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.post("/bins", {"name": "late", "response": {"delay_ms": 1000}})

    assert server.stop(signal.SIGTERM, signal.SIGTERM) == 0
    assert start_server().get("/bins/late")["name"] == "late"


# Procfile


def test_the_procfile_starts_it_on_the_port_of_the_platform(tmp_path: Path) -> None:
    (tmp_path / "hookbin").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hookbin "$@"\n')
    (tmp_path / "hookbin").chmod(0o755)
    port = free_port()
    env = environment(
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        PYTHONPATH=str(ROOT),
        PORT=str(port),
        HOST="127.0.0.1",
        HOOKBIN_DATABASE=str(tmp_path / "a.db"),
    )
    command = [sys.executable, "-m", "honcho", "--procfile", str(ROOT / "Procfile"), "--app-root", str(ROOT), "start"]

    with running(command=command, port=port, env=env) as process:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)

    assert f"http://localhost:{port}/ui/" in out
    assert not answers(port)


def test_the_procfile_exposes_it_unless_said_otherwise() -> None:
    (line,) = (ROOT / "Procfile").read_text().splitlines()

    assert line == "web: hookbin serve --host ${HOST:-0.0.0.0} --port ${PORT:-8090}"
