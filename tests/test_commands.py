"""The commands that speak to a running hookbin: what they print, how they end, and that nothing is lost on the way."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from hookbin.cli.main import main
from hookbin.client.following import follow
from hookbin.client.remote import Remote
from tests.support import FORKED, PATIENCE, Server
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
