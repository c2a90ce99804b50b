"""The machine's clock is set while a server runs, by libfaketime: intervals go on, and nothing goes before its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import Server, SpawnedServer, eventually

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@pytest.mark.soak
@pytest.mark.skipif(LIBRARY is None, reason="there is no libfaketime (Debian has it as libfaketime)")
def test_heartbeats_rates_and_captures_go_on_however_the_clock_is_set(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text("+0")
    env = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with SpawnedServer(tmp_path / "hookbin.db", env=env) as server:
        server.post("/bins", {"name": "aged", "max_age": 3600})
        server.call("POST", "/b/aged", b"1")
        server.register(f"{server.url}/b/beats", heartbeat=1, events=["never"], ping=False)
        server.register(f"{server.url}/b/spaced", rate_limit=10, events=["shift"], ping=False)
        for days in (-1, 1):
            offset.write_text(f"{days:+}d")
            assert abs(days_off(server) - days) < 0.1
            before = beats(server)
            for _ in range(3):
                server.publish("shift")
            eventually(lambda: beats(server) >= before + 2, within=70)  # noqa: B023
            eventually(lambda: server.deliveries(state="pending") == [], within=70)
            assert len(server.captured("aged")) == 1
        assert len(server.captured("spaced")) == 6


def beats(server: Server) -> int:
    return len(server.captured("beats"))


def days_off(server: Server) -> float:
    """How far its clock is off, as a capture shows it."""
    server.call("POST", "/b/clock")
    at = datetime.fromisoformat(server.captured("clock")[-1]["received_at"])
    return (at - datetime.now(UTC)) / timedelta(days=1)
