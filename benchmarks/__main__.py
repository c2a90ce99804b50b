"""Every measurement, by one runner.

    python -m benchmarks                        all of them but the soak
    python -m benchmarks capture delivery       some of them
    python -m benchmarks capture --peer request-baskets=http://127.0.0.1:55555
    python -m benchmarks --write                into docs/ too

A claim is a ratio to a floor of the same run, since machines differ and are noisy. Each takes minutes; leave the
machine alone meanwhile.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmarks import report
from benchmarks.backlog import backlog
from benchmarks.capture import captures, variants
from benchmarks.delivery import delivery
from benchmarks.footprint import footprint
from benchmarks.growth import growth
from benchmarks.options import Options
from benchmarks.pages import pages
from benchmarks.proof import proof
from benchmarks.soak import soak
from benchmarks.streams import streams

LONG = "soak"
"""Only when it is named."""
SECTIONS: dict[str, Callable[[Options], str]] = {
    "capture": captures,
    "variants": variants,
    "delivery": delivery,
    "backlog": backlog,
    "streams": streams,
    "growth": growth,
    "footprint": footprint,
    "pages": pages,
    "proof": proof,
    LONG: soak,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; without one all but the soak"
    )
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="alternating rounds")
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="length of a round")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=URL", help="another bin that runs already")
    parser.add_argument("--write", action="store_true", help="put what was measured into docs/")
    parser.add_argument("--minutes", type=float, default=Options.minutes, help="length of the soak")
    given = parser.parse_args()
    if unknown := set(given.sections) - SECTIONS.keys():
        parser.error(f"no section is named {sorted(unknown)[0]!r}; there are {', '.join(SECTIONS)}")
    peers = [tuple(peer.split("=", 1)) for peer in given.peer]
    if any(len(peer) != 2 for peer in peers):
        parser.error("--peer takes NAME=URL")
    named = tuple((name, url) for name, url in peers)
    options = Options(rounds=given.rounds, seconds=given.seconds, minutes=given.minutes, peers=named)
    for name in given.sections or [name for name in SECTIONS if name != LONG]:
        text = f"{SECTIONS[name](options)}\n\n{report.circumstances()}"
        print(f"## {name}\n\n{text}\n", flush=True)
        if given.write:
            report.write(name, text)


if __name__ == "__main__":
    main()
