"""Readers who take their time with a large captured body, or do not see its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.support import Server, eventually
from tests.wire import connected, read_all

MIB = 1024 * 1024
READERS = 60
BODY = bytes(range(256)) * (10 * MIB // 256)


def resident(server: Server) -> int:
    """Bytes of memory that the server's process holds."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


def test_each_slow_reader_of_a_large_body_costs_a_piece_of_it(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.call("POST", "/b/large", BODY)
    (captured,) = server.get("/bins/large/requests")["data"]
    path = f"/requests/{captured['id']}/body"
    asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    assert server.call("GET", path).content == BODY
    with ExitStack() as stack:
        before = resident(server)
        readers = [stack.enter_context(connected(server)) for _ in range(READERS)]
        for reader in readers:
            reader.sendall(asked)
        for reader in readers:
            assert reader.recv(10).startswith(b"HTTP/1.1 2")
        assert resident(server) - before < READERS * 10 * MIB / 3
        assert read_all(readers[0]).endswith(BODY)
        server.request("DELETE", f"/requests/{captured['id']}")
        assert len(read_all(readers[1])) < len(BODY)
    eventually(lambda: server.get("/healthz"))
    assert "Traceback" not in server.log()
