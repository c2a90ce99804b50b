"""How fast a durable capture is, as a ratio to a floor measured in the same run.

    python benchmarks/capture.py             both rates, the ratio, p50 and p99
    python benchmarks/capture.py --proof     by strace: a commit precedes each answer

The floor is a bare ASGI application that reads the body and answers ok, on the same uvicorn
settings. Both servers stay on one core, the load on another; rounds alternate, and the median
of each side counts. One stream is open on hookbin all the time. The load comes from `wrk`, or,
where it is not installed, from the small client in `load.py`.
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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.load import Rate, load
from benchmarks.proof import prove
from benchmarks.servers import floor, follower, hookbin

CONNECTIONS = (1, 32, 128)


def main() -> None:
    options = _options()
    if options.proof:
        sys.exit(0 if prove() else 1)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server_core, load_core = _cores()
        floor_url = stack.enter_context(floor(core=server_core))
        hookbin_url = stack.enter_context(hookbin(Path(folder) / "hookbin.db", core=server_core))
        if not options.no_stream:
            stack.enter_context(follower(hookbin_url))
        with _on_core(load_core):
            _compare(floor_url, hookbin_url + "/b/bench", rounds=options.rounds, seconds=options.seconds)


def _compare(floor_url: str, capture_url: str, *, rounds: int, seconds: float) -> None:
    print("1 KiB JSON POST; requests/s (p50 ms, p99 ms), medians of", rounds, "alternating rounds\n")
    print(f"{'connections':>11}  {'floor':>24}  {'durable capture':>24}  ratio")
    for connections in CONNECTIONS:
        load(capture_url, connections=connections, seconds=1)
        pairs = [
            tuple(load(url, connections=connections, seconds=seconds) for url in (floor_url, capture_url))
            for _ in range(rounds)
        ]
        bare, durable = (_median([pair[side] for pair in pairs]) for side in (0, 1))
        ratio = statistics.median(durable.rate / bare.rate for bare, durable in pairs)
        print(f"{connections:>11}  {bare!s:>24}  {durable!s:>24}  {ratio:.2f}", flush=True)


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
    parser.add_argument("--proof", action="store_true", help="show by strace that a commit precedes each answer")
    return parser.parse_args()


if __name__ == "__main__":
    main()
