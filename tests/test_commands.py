"""The commands that speak to a running hookbin: what they print, how they end, and that nothing is lost on the way."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookbin.cli.main import main
from hookbin.client.following import follow
from hookbin.client.remote import Remote
from tests.raw_receiver import Receiver
from tests.support import FORKED, PATIENCE, Server, eventually
from tests.test_client import hookbin
from tests.wire import connected


def capture(server: Server, bin: str, target: str = "", **options: Any) -> None:
    assert server.request("POST", f"/b/{bin}{target}", **options).status_code == 200


class Command:
    """hookbin in a process of its own; use it as a context manager, which waits until it says something on stderr."""

    def __init__(self, server: Server, *arguments: str, terminal: str = "") -> None:
        ends = [Pipe(duplex=False) for _ in (1, 2)]
        self.stdout, self.stderr = (os.fdopen(os.dup(reading.fileno()), "rb") for reading, _ in ends)
        writing = [end for _, end in ends]
        full = [*arguments, "--server", server.url]
        self._process = FORKED.Process(target=_run_command, args=(full, *writing, terminal), daemon=True)
        self._process.start()
        for end in writing:
            end.close()
        self.begin = self.stderr.readline().decode()

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        for end in (self.stdout, self.stderr):
            end.close()

    def stop(self) -> None:
        os.kill(self._process.pid or 0, signal.SIGINT)

    def end(self) -> tuple[int | None, str]:
        """Its exit code, and what else it said on stderr."""
        self._process.join(PATIENCE)
        return self._process.exitcode, self.stderr.read().decode()


def _run_command(arguments: list[str], stdout: Connection, stderr: Connection, terminal: str) -> None:
    os.dup2(os.open(terminal, os.O_RDWR) if terminal else stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    main(arguments, prog_name="hookbin")


# tail


def test_a_follower_misses_and_repeats_nothing_when_the_server_goes_and_comes(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    capture(server, "kept", "?n=before")
    said: list[str] = []

    def capture_when_followed(text: str) -> None:
        said.append(text)
        if text.startswith("following"):
            capture(server, "kept", "?n=1")

    def restart(seconds: float) -> None:
        server.start()
        capture(server, "kept", "?n=2")

    with Remote(server.url, token=None) as remote:
        follower = follow(remote, say=capture_when_followed, pause=restart, kinds="request")
        targets = [next(follower).data["query"]]
        server.kill()
        targets.append(next(follower).data["query"])
        capture(server, "kept", "?n=3")
        targets.append(next(follower).data["query"])

    assert targets == ["n=1", "n=2", "n=3"]
    assert said[1:] == ["the connection is lost; trying again, ctrl-C stops", "connected again"]


def test_tail_says_a_gap_and_ends_at_ctrl_c(start_server: Callable[..., Server]) -> None:
    server = start_server()
    capture(server, "gone")
    with Command(server, "tail", "--json") as tail:
        server.kill()
        server.database = server.database.with_name("another.db")
        server.start()

        assert json.loads(tail.stdout.readline()) == {"kind": "gap", "after": 1, "upto": 0}
        tail.stop()
        code, err = tail.end()

    assert (code, tail.begin) == (130, f"following {server.url}\n")
    assert "a gap: what happened between 1 and 0" in err
    assert err.endswith("\nstopped\n")


def test_nothing_that_a_stranger_sent_reaches_the_terminal_as_control_characters(server: Server) -> None:
    terminal, stdout = pty.openpty()
    capture(server, "shown")
    tailing = Command(server, "tail", "shown", "-v", "--count", "1", terminal=os.ttyname(stdout))
    with tailing as tail, connected(server) as connection:
        connection.sendall(
            b"POST /b/shown/?x HTTP/1.1\r\nHost: a\r\nX-T: \x9b31m\r\nContent-Type: \xc2\x85\xc2\x9d0\r\n"
        )
        connection.sendall(b"Content-Length: 17\r\n\r\n\x1b[2J one\r\n\xe2\x80\xaetwo\x07")
        code, err = tail.end()
        shown = os.read(terminal, 65536).decode()

    assert (code, err) == (0, "")
    assert re.sub(r"\x1b\[(32|0)m", "", shown).replace("\r\n", "").isprintable(), shown
    assert "POST /b/shown/?x  \x1b[32m200\x1b[0m  17 B  \\x85\\x9d0" in shown
    assert "X-T: \\x9b31m" in shown
    assert "    \\x1b[2J one\r\n    \\u202etwo\\x07\r\n" in shown


def test_a_reader_that_leaves_ends_the_command(server: Server) -> None:
    capture(server, "unread")
    with Command(server, "tail", "unread") as tail:
        tail.stdout.close()
        capture(server, "unread")

        assert tail.end() == (141, "nobody reads the output any more\n")


# wait, requests, export, replay


def test_what_did_not_come_is_told_by_the_nearest_and_exit_code_1(server: Server) -> None:
    capture(server, "near", json={"id": 8, "name": "\x1b[31m"})

    wanted = ("--where", "method=POST", "--where", "json=id==7", "--timeout", "0.1")
    code, out, err = hookbin("wait", "near", *wanted, server=server)

    assert (code, out) == (1, "")
    near, lacks, told = err.splitlines()
    assert near.endswith("  POST /b/near")
    assert "id" in lacks
    assert told.startswith("0 of 1 wanted requests came within 0.1 s")


@pytest.mark.parametrize(
    ("command", "code", "complaint"),
    [
        (("requests", "none-such"), 2, "no bin has the name or id 'none-such'"),
        (("requests", "a", "--where", "method"), 2, "'method' is no condition"),
        (("requests", "a", "--where", "limit=3"), 2, "'limit=3' is no condition"),
        (("deliveries", "--where", "state=lost"), 2, "state"),
        (("wait", "a", "--timeout", "9999"), 2, "timeout"),
        (("replay", "a"), 2, "--to or with --webhook"),
        (("export", "req_0000000000001", "--format", "pdf"), 2, "format"),
        (("export", "a", "/nowhere/a.har"), 1, "can't write /nowhere/a.har: No such file or directory"),
        (("export", "a", "/dev/full/a.har"), 1, "can't write /dev/full/a.har: Not a directory"),
        (("tail", "--kinds", "request,fish"), 2, "'fish' is not one of request, event, attempt"),
        (("completion", "cmd"), 2, "'cmd' is not one of"),
    ],
)
def test_what_can_t_be_done_is_a_sentence_and_an_exit_code(
    server: Server, command: tuple[str, ...], code: int, complaint: str
) -> None:
    capture(server, "a")

    ended, out, err = hookbin(*command, server=server)

    assert (ended, out) == (code, "")
    assert complaint in err
    assert "Traceback" not in err


def test_rows_are_json_for_programs(server: Server) -> None:
    for number in range(3):
        capture(server, "rows", f"/{number}", content=b"\xc2\x9b")

    code, out, err = hookbin("requests", "rows", "--where", "path=/?", "--limit", "2", "--json", server=server)

    assert (code, err) == (0, "")
    assert [json.loads(line)["path"] for line in out.splitlines()] == ["/b/rows/2", "/b/rows/1"]


def test_a_file_that_was_not_written_whole_never_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.har").write_text("as it was")
    with Receiver(200, headers={"content-length": "100"}, body=b"half").serving() as url:
        code, out, err = hookbin("export", "a", str(tmp_path / "a.har"), "--server", url.removesuffix("/hook"))

    assert (code, out) == (1, "")
    assert "broke the connection off" in err
    assert [file.read_text() for file in tmp_path.iterdir()] == ["as it was"]


def test_a_full_disk_is_told_in_a_sentence(server: Server) -> None:
    capture(server, "full")
    with Command(server, "export", "full", terminal="/dev/full") as export:
        assert export.end() == (1, "")

    assert export.begin == "can't write standard output: No space left on device\n"


def test_what_a_destination_refuses_is_exit_code_1(server: Server) -> None:
    capture(server, "sent")
    with Receiver(404).serving() as url:
        code, out, _ = hookbin("replay", "sent", "--to", url, "--json", server=server)

    assert code == 1
    assert json.loads(out)["status"] == 404


def test_a_wrong_token_and_an_older_server_are_told(start_server: Callable[..., Server]) -> None:
    server = start_server("--token", "correct-horse-battery-staple")

    code, _, err = hookbin("requests", "a", "--token", "wrong", server=server)
    assert (code, err) == (2, f"{server.url} wants its token: give it with --token, or in HOOKBIN_TOKEN\n")
    assert hookbin("healthcheck", server=server) == (0, "ok\n", "")


# backup, check


def test_a_backup_made_under_load_is_whole_and_another_hookbin_opens_it(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server()
    capture(server, "saved", content=b"x" * 1_000_000)
    stop = threading.Event()

    def capture_on() -> None:
        while not stop.is_set():
            capture(server, "saved", content=b"more")

    with ThreadPoolExecutor() as others:
        others.submit(capture_on)
        eventually(lambda: server.get("/bins/saved")["request_count"] > 3)
        ended = hookbin("backup", str(tmp_path / "copy.db"), server=server)
        before = server.get("/bins/saved")["request_count"]
        stop.set()

    assert ended == (0, "", "")
    assert [file.name for file in tmp_path.iterdir() if "copy" in file.name or "backup" in file.name] == ["copy.db"]
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    copy = start_server(name="copy.db")
    rows = copy.get("/bins/saved/requests?limit=250")["data"]
    assert 3 < copy.get("/bins/saved")["request_count"] <= before
    assert rows[-1]["size"] in (1_000_000, 4)


def test_one_backup_is_made_at_a_time_and_one_that_is_left_makes_room(server: Server) -> None:
    capture(server, "large", content=b"x" * 9_000_000)
    with httpx.stream("GET", f"{server.url}/backup", trust_env=False) as first:
        assert first.status_code == 200
        second = server.request("GET", "/backup")

    assert (second.status_code, second.json()["code"]) == (503, "backup_under_way")
    eventually(lambda: server.request("GET", "/backup").status_code == 200)
    assert [server.request("GET", "/backup").status_code for _ in range(5)] == [200] * 5


def test_check_tells_what_a_database_holds_and_leaves_it_as_it_is(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server()
    capture(server, "kept")
    server.register(f"{server.url}/b/kept")
    eventually(lambda: server.deliveries(state="succeeded"))
    running = hookbin("check", str(server.database))
    server.kill()
    files = {file: file.read_bytes() for file in (server.database, server.database.with_name("hookbin.db-wal"))}

    code, out, err = hookbin("check", str(server.database))

    assert (code, err, running[0]) == (0, "", 0)
    assert "1 bins, 2 requests, 1 webhooks, 1 events, 1 deliveries, 1 attempts" in out
    assert "hookbin.db-wal and belong to it" in out
    assert out.endswith("\nsound\n")
    assert {file: file.read_bytes() for file in files} == files
    assert json.loads(hookbin("check", str(server.database), "--json")[1])["counts"]["requests"] == 2


BROKEN = {
    "CREATE TABLE others (a)": (2, "is no database of hookbin"),
    "DELETE FROM webhooks": (1, " deliveries to no webhook\n  with hookbin stopped: sqlite3 "),
    "PRAGMA user_version = 9999": (0, "is of a newer hookbin"),
    "PRAGMA user_version = 3": (0, "schema 3; the next start brings it to"),
    "nonsense": (2, "can't be read as a database"),
    "torn": (1, "wrong: "),
}


@pytest.mark.parametrize("harm", BROKEN)
def test_check_tells_what_is_wrong_and_how_to_repair_it(server: Server, tmp_path: Path, harm: str) -> None:
    server.register(f"{server.url}/b/harmed")
    path = tmp_path / "copy.db"
    if harm.startswith("CREATE"):
        path.touch()
    elif harm != "nonsense":
        assert hookbin("backup", str(path), server=server)[0] == 0
    if harm == "nonsense":
        path.write_bytes(b"nonsense " * 1000)
    elif harm == "torn":
        with path.open("r+b") as file:
            file.seek(4096 * 3)
            file.write(bytes(4096 * 4))
    else:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(harm)

    code, out, err = hookbin("check", str(path))

    assert code == BROKEN[harm][0], out + err
    assert BROKEN[harm][1] in out + err
