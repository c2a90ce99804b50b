"""How fast a durable capture is, as a ratio to a floor measured in the same run.

    python benchmarks/capture.py             both rates, the ratio, p50 and p99
    python benchmarks/capture.py --variants  the same for bins with rules, a sequence, a signature check
    python benchmarks/capture.py --proof     by strace: a commit precedes each answer

The floor is a bare ASGI application that reads the body and answers ok, on the same uvicorn
settings. Two bins are measured: one that keeps all, and one that is full, so that each capture also
pays for the deletion of an old one. All servers stay on one core, the load on another; rounds
alternate, and the median of each side counts. One stream is open on each hookbin. The load
comes from `wrk`, or, where it is not installed, from the small client in `load.py`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from benchmarks.load import SECRET, Rate, load
from benchmarks.proof import prove
from benchmarks.servers import floor, follower, hookbin

CONNECTIONS = (1, 32, 128)
BINS: dict[str, dict[str, Any]] = {"keeps-all": {"max_requests": 1_000_000}, "trims": {"max_requests": 10_000}}
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


def main() -> None:
    options = _options()
    if options.proof:
        sys.exit(0 if prove() else 1)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server_core, load_core = _cores()
        urls = [stack.enter_context(floor(core=server_core))]
        names = []
        for name, settings in (VARIANTS if options.variants else BINS).items():
            base = stack.enter_context(hookbin(Path(folder) / f"{name}.db", core=server_core))
            made = httpx.post(f"{base}/bins", json={"name": name, "max_requests": 1_000_000, **settings})
            if made.is_error:
                print(f"{name} is left out: {made.json()['detail']}")
                continue
            if not options.no_stream:
                stack.enter_context(follower(base))
            names.append(name)
            urls.append(f"{base}/b/{name}")
        with _on_core(load_core):
            _compare(urls, names, rounds=options.rounds, seconds=options.seconds)


def _compare(urls: list[str], names: list[str], *, rounds: int, seconds: float) -> None:
    print(f"1 KiB JSON POST; requests/s (p50 ms, p99 ms); medians of {rounds} alternating rounds\n")
    print(f"{'connections':>11}  {'floor':>22}" + "".join(f"  {name:>22}  ratio" for name in names))
    for connections in CONNECTIONS:
        found: list[list[Rate]] = []
        for _ in range(rounds):
            found.append([load(url, connections=connections, seconds=seconds) for url in urls])
        bare, *captures = (_median([rates[side] for rates in found]) for side in range(len(urls)))
        ratios = [
            statistics.median(rates[side].rate / rates[0].rate for rates in found) for side in range(1, len(urls))
        ]
        shown = "".join(f"  {rate!s:>22}  {ratio:>5.2f}" for rate, ratio in zip(captures, ratios, strict=True))
        print(f"{connections:>11}  {bare!s:>22}{shown}", flush=True)


def _median(rates: list[Rate]) -> Rate:
    return sorted(rates, key=lambda rate: rate.rate)[len(rates) // 2]


def _cores() -> tuple[int, int]:
    """A core for the servers and another for the load, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


@contextmanager
def _on_core(core: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Durable capture against a bare floor.")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds for each number of connections")
    parser.add_argument("--seconds", type=float, default=5, help="length of a round")
    parser.add_argument("--no-stream", action="store_true", help="leave out the open stream")
    parser.add_argument("--variants", action="store_true", help="bins that choose or check, beside a plain one")
    parser.add_argument("--proof", action="store_true", help="show by strace that a commit precedes each answer")
    return parser.parse_args()


if __name__ == "__main__":
    main()
