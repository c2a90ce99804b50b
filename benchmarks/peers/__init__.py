"""Other bins that run already, measured beside ours: a file for each that says how a bin is made there.

Start them yourself, on the servers' core (`taskset -c 0 …`), and name them: `--peer request-baskets=http://127.0.0.1:55555`.
More may follow the name behind a blank: `--peer "request-baskets on bolt=…"`. A name that no file knows is taken for a
URL that can be posted to as it is.
"""

from __future__ import annotations

from benchmarks.peers import request_baskets, smee, webhook_tester

_ADAPTERS = {
    "request-baskets": request_baskets.make_bin,
    "smee": smee.make_bin,
    "webhook-tester": webhook_tester.make_bin,
}


def make_bin(name: str, url: str) -> str:
    """The URL of a new bin at the peer of that name that is reached at `url`."""
    adapter = _ADAPTERS.get(name.partition(" ")[0])
    return url if adapter is None else adapter(url.rstrip("/"))
