"""The process in which templates are rendered, so that none can take the server's time or memory.

    python -m hookbin.templating.worker

It reads jobs from stdin and writes what became of them to stdout, each as four bytes of length and JSON.
It ends when stdin does, and when a template takes too much: `pool` starts another.
"""

from __future__ import annotations

import resource
import signal
import sys
from contextlib import suppress
from typing import BinaryIO, NoReturn

import msgspec

from hookbin.templating.rendering import RenderJob, RenderResult, render

CPU_SECONDS = 0.25
"""Processor time for one job; stops everything that is written in Python."""
SECONDS = 2.0
"""Time on the clock for one job; ends the process, whatever it does."""
MEMORY = 256 * 1024 * 1024
"""Bytes of address space."""
_TIME_IS_UP = f"it takes more than {CPU_SECONDS:g} s of processor time"
_NO_MEMORY = "it takes more memory than a template may"


class TimeIsUp(BaseException):
    """No `Exception`: nothing on the way must take it for a failed expression."""


def main() -> None:
    with suppress(ValueError, OSError):  # macOS knows the limit and will not have it; the time is limited there too
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _time_is_up)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    jobs, results = sys.stdin.buffer, sys.stdout.buffer
    while (job := _read(jobs)) is not None:
        _write(results, _within_limits(job))


def _within_limits(job: bytes) -> RenderResult:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        try:
            return render(msgspec.json.decode(job, type=RenderJob))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except TimeIsUp:
        return RenderResult(error=_TIME_IS_UP, took_too_much=True)
    except MemoryError:
        return RenderResult(error=_NO_MEMORY, took_too_much=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _time_is_up(*_: object) -> NoReturn:
    raise TimeIsUp


def _read(stream: BinaryIO) -> bytes | None:
    size = stream.read(4)
    return stream.read(int.from_bytes(size, "big")) if len(size) == 4 else None


def _write(stream: BinaryIO, result: RenderResult) -> None:
    content = msgspec.json.encode(result)
    stream.write(len(content).to_bytes(4, "big") + content)
    stream.flush()


if __name__ == "__main__":
    main()
