"""Half an hour of everything at once: memory, descriptors and latency stay where they were."""

from __future__ import annotations

import pytest

from benchmarks.soak import run, thirds

MINUTES = 30


@pytest.mark.soak
@pytest.mark.timeout(MINUTES * 60 + 120)
def test_nothing_grows_in_half_an_hour() -> None:
    first, second, last = thirds(run(MINUTES))
    print(first, second, last, sep="\n")

    assert last.memory < 1.1 * second.memory
    assert last.descriptors < second.descriptors + 10
    assert last.p99 < 3 * second.p99
    assert last.captures > second.captures > first.captures > 0
