"""Proof by strace: between the arrival of a request and its answer there is a commit to the disk."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import httpx

from benchmarks.options import Options
from benchmarks.servers import hookbin

REQUESTS = 20
_SYNC = re.compile(r"\b(?:fdatasync|fsync)\(\d+<(?P<file>[^>]*)>")
_MARK = "proof-of-commit-"


def proof(options: Options) -> str:
    """Post one request after the other, and look for the sync before each answer. Raises `RuntimeError`."""
    if shutil.which("strace") is None:
        raise RuntimeError("strace is not installed; on Debian: apt-get install strace")
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        calls = "trace=fdatasync,fsync,sendto,sendmsg,write,writev"
        prefix = ("strace", "-f", "-y", "-s", "400", "-e", calls, "-o", str(trace))
        database = Path(folder) / "hookbin.db"
        with hookbin(database, core=None, prefix=prefix) as url, httpx.Client(trust_env=False) as client:
            answer = {"status": 200, "body": _MARK, "headers": []}
            client.post(f"{url}/bins", json={"name": "proof", "response": answer}).raise_for_status()
            for _ in range(REQUESTS):
                client.post(f"{url}/b/proof", content=b"x").raise_for_status()
        return _judge(trace.read_text(errors="replace").splitlines())


def _judge(lines: list[str]) -> str:
    answers, synced, kept = 0, None, 0
    for line in lines:
        if found := _SYNC.search(line):
            synced = found["file"]
        elif _MARK in line and "HTTP/1.1 200 OK" in line:
            answers += 1
            if synced is not None and synced.endswith("-wal"):
                kept += 1
            synced = None
    if answers < REQUESTS or kept < answers:
        raise RuntimeError(f"only {kept} of {answers} answers had a sync of the write-ahead log before them")
    return f"{kept} of {answers} answers had a sync of the write-ahead log between their request and them."
