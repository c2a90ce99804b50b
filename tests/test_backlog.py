"""A start with very many pending deliveries: it serves at once, sends at once, and holds little of them in memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backlog import WEBHOOKS, build
from tests.raw_receiver import Receiver
from tests.support import Server, eventually

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]


async def test_a_backlog_goes_out_at_once_and_to_everyone_in_turn(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    await _start_with(10_000, start_server, tmp_path)


@pytest.mark.soak
async def test_two_hundred_thousand_pending_deliveries(start_server: Callable[..., Server], tmp_path: Path) -> None:
    """Ready in under 2 s, the first delivery out within 3 s, less than 200 MiB resident."""
    ready, first, peak = await _start_with(200_000, start_server, tmp_path)
    print(f"ready after {ready:.2f} s, first delivery after {first:.2f} s, at most {peak:.0f} MiB")
    assert ready < 2
    assert first < 3


async def _start_with(deliveries: int, start_server: Callable[..., Server], folder: Path) -> tuple[float, float, float]:
    receiver = Receiver(200)
    with receiver.serving() as destination:
        await build(folder / "hookbin.db", deliveries=deliveries, destination=destination)
        began = time.monotonic()
        server = start_server()
        ready = time.monotonic() - began
        eventually(lambda: receiver.requests)
        first = time.monotonic() - began
        eventually(lambda: len(receiver.requests) > 20 * WEBHOOKS)
        got = {headers["hookbin-delivery-id"] for headers, _ in receiver.requests}
        assert len(got) > 19 * WEBHOOKS, "none is sent twice"
        first_ones = {headers["webhook-number"] for headers, _ in receiver.requests[: 20 * WEBHOOKS]}
        assert len(first_ones) > WEBHOOKS // 2, "the webhooks take turns"
        peak = _peak_mebibytes(server)
        assert peak < 200
    return ready, first, peak


def _peak_mebibytes(server: Server) -> float:
    """The most memory that was resident at any time (`VmHWM`)."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
