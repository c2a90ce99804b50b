"""What a measurement says: a table in Markdown, and its place in docs/."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.servers import ROOT

DOCS = ROOT / "docs"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def circumstances() -> str:
    """When and on what something was measured: the first line of each section."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "httptools", "uvloop"))
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), "
        f"load {os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}, {libraries}."
    )


def write(section: str, text: str) -> None:
    """Put a measurement between its marks, `<!-- section -->` and `<!-- /section -->`. Raises `LookupError`."""
    begin, end = f"<!-- {section} -->\n", f"<!-- /{section} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    page = next((page for page in DOCS.glob("*.md") if pattern.search(page.read_text())), None)
    if page is None:
        raise LookupError(f"no page of docs/ has a place for {section}: put {begin.strip()} and {end} where it belongs")
    page.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n\n{end}", page.read_text()))


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()
