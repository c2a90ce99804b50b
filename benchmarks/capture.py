"""How fast a durable capture is, as a ratio to a floor measured in the same run.

The floor is a bare ASGI application that reads the body and answers ok, on the same uvicorn settings. Two bins are
measured: one that keeps all, and one that is full, so that each capture also pays for the deletion of an old one. All
servers stay on one core, the load on another; rounds alternate, and the median of each side counts. One stream is open
on each hookbin. The load comes from `wrk`, or, where it is not installed, from the small client in `load.py`.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load import SECRET, Rate, load
from benchmarks.options import Options, cores, on_core
from benchmarks.peers import make_bin
from benchmarks.report import table
from benchmarks.servers import floor, follower, hookbin

CONNECTIONS = (1, 32, 128)
BINS: dict[str, dict[str, Any]] = {"keeps all": {"max_requests": 1_000_000}, "trims": {"max_requests": 10_000}}
"""The bins that are measured: one that captures, and one that is full and deletes as much as it captures."""
_RULES = [
    {"when": {"method": "DELETE"}, "status": 405},
    {"when": {"path": "/orders/**", "header": {"x-event": "order.*"}}, "status": 202},
    {"when": {"json": {"event": "bench", "data": "y*"}}, "status": 202},
]
"""None matches, so each is looked at; the last one has the body read as JSON."""
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rules": {"response": {"rules": _RULES}},
    "sequence": {"response": {"sequence": [{"status": 201}, {"status": 200, "repeat": 2}], "then": "cycle"}},
    "signature": {"verify": {"scheme": "github", "secret": SECRET}},
}


def captures(options: Options) -> str:
    """Both bins, and the peers, against the floor."""
    return _measure(BINS, options)


def variants(options: Options) -> str:
    """Bins that choose or check, beside a plain one."""
    return _measure(VARIANTS, options)


def _measure(bins: dict[str, dict[str, Any]], options: Options) -> str:
    server_core, load_core = cores()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sides = {"floor": stack.enter_context(floor(core=server_core))}
        for name, settings in bins.items():
            base = stack.enter_context(hookbin(Path(folder) / f"{name}.db", core=server_core))
            made = httpx.post(f"{base}/bins", json={"name": "bench", "max_requests": 1_000_000, **settings})
            made.raise_for_status()
            stack.enter_context(follower(base))
            sides[name] = f"{base}/b/bench"
        sides |= {name: make_bin(name, url) for name, url in options.peers}
        with on_core(load_core):
            rows = [_row(sides, connections, options) for connections in CONNECTIONS]
    head = ["connections", "floor, requests/s", *(f"{name}, requests/s (p50, p99 ms)" for name in list(sides)[1:])]
    return (
        f"1 KiB of JSON, medians of {options.rounds} alternating rounds; in bold the ratio to the floor.\n\n"
        + table(head, rows)
    )


def _row(sides: dict[str, str], connections: int, options: Options) -> list[str]:
    rounds: list[dict[str, Rate]] = []
    for _ in range(options.rounds):
        rounds.append(
            {name: load(url, connections=connections, seconds=options.seconds) for name, url in sides.items()}
        )
    cells = [str(connections), f"{statistics.median(rates['floor'].rate for rates in rounds):,.0f}"]
    for name in list(sides)[1:]:
        ratio = statistics.median(rates[name].rate / rates["floor"].rate for rates in rounds)
        middle = sorted((rates[name] for rates in rounds), key=lambda rate: rate.rate)[options.rounds // 2]
        cells.append(f"{middle} **{ratio:.2f}**")
    return cells
