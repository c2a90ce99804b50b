"""The processes that render templates: started when they are needed, replaced when one breaks.

Fair by bin: of each bin one template is rendered at a time, and those of several take turns, so that no bin holds all
processes. A template that took too much has to wait before it is rendered again, twice as long each time.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import OrderedDict

import msgspec

from hookbin.templating.rendering import RenderJob, RenderResult
from hookbin.templating.worker import SECONDS

WORKERS = 2
MAX_WAITING = 256
"""Jobs that wait for a process; one more fails."""
MAX_OF_BIN = 64
"""How many of them may be one bin's."""
PATIENCE = 5.0
"""Seconds until a job fails that no process came to."""
PAUSE = 0.25
"""Seconds that a template waits after it took too much for the first time."""
MAX_PAUSE = 60.0
MAX_PAUSED = 1_000
"""Templates that are known to take too much; the one that did so longest ago is forgotten first."""
_LONGEST = SECONDS + 3.0
"""Seconds after which a process is given up that should have ended itself; starting one included."""
_BROKEN = RenderResult(
    error=f"it takes more than {SECONDS:g} s, or broke the process that renders templates", took_too_much=True
)
_BUSY = RenderResult(error="too many other templates were being rendered")


class _Turn:
    """Those of one bin."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.jobs = 0


class TemplatePool:
    """Renders templates; every failure is a result, never an exception."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(WORKERS)
        self._turns: dict[object, _Turn] = {}
        self._paused: OrderedDict[tuple[str, ...], tuple[float, float]] = OrderedDict()
        """How long a template had to wait at last, and until when, by the loop's time."""
        self._idle: list[Process] = []
        self._killed: list[Process] = []
        """Those that may not have ended yet."""
        self._waiting = 0

    async def check(self, source: str) -> str | None:
        """What is wrong with the template, or None."""
        return (await self.render(RenderJob(source=source))).error

    async def render(self, job: RenderJob, *, bin: object = None) -> RenderResult:
        """`bin` stands for the bin whose turn it takes."""
        turn = self._turns.get(bin) or _Turn()
        if self._waiting >= MAX_WAITING or turn.jobs > MAX_OF_BIN:
            return _BUSY
        self._turns[bin] = turn
        turn.jobs += 1
        self._waiting += 1
        waiting = True
        try:
            async with asyncio.timeout(PATIENCE) as patience, turn.lock:
                if (seconds := self._pause_of(job)) > PATIENCE:
                    return RenderResult(error=f"it took too much each time; it is tried again in {seconds:.0f} s")
                await asyncio.sleep(seconds)
                async with self._places:
                    patience.reschedule(None)
                    self._waiting, waiting = self._waiting - 1, False
                    result = await self._by_a_process(job)
                    self._note(job, result)
                    return result
        except TimeoutError:
            return _BUSY
        finally:
            self._waiting -= waiting
            turn.jobs -= 1
            if not turn.jobs:
                del self._turns[bin]

    def _pause_of(self, job: RenderJob) -> float:
        """Seconds that its template still has to wait."""
        _, until = self._paused.get((job.source, *job.values), (0.0, 0.0))
        return max(0.0, until - asyncio.get_running_loop().time())

    def _note(self, job: RenderJob, result: RenderResult) -> None:
        """Have a template wait that took too much; one that did not is not held back any more."""
        template = (job.source, *job.values)
        last, _ = self._paused.pop(template, (PAUSE / 2, 0.0))
        if result.took_too_much:
            pause = min(last * 2, MAX_PAUSE)
            self._paused[template] = pause, asyncio.get_running_loop().time() + pause
            if len(self._paused) > MAX_PAUSED:
                self._paused.popitem(last=False)

    async def aclose(self) -> None:
        for process in (*self._idle, *self._killed):
            await _end(process)
        self._idle.clear()

    async def _by_a_process(self, job: RenderJob) -> RenderResult:
        process = None
        try:
            async with asyncio.timeout(_LONGEST):
                process = self._idle.pop() if self._idle else await _start()
                result = await _exchange(process, job)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            if process is not None:
                await _end(process)
            return _BROKEN
        except BaseException:  # cancelled: what it would say next is the answer to a job that is over
            if process is not None:
                process.kill()
                self._killed = [process, *(each for each in self._killed if each.returncode is None)]
            raise
        self._idle.append(process)
        return result


async def _start() -> Process:
    """With nothing of the environment but where the modules are; it holds secrets at times."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "hookbin.templating.worker",
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={"PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )  # fmt: skip


async def _exchange(process: Process, job: RenderJob) -> RenderResult:
    assert process.stdin is not None
    assert process.stdout is not None
    content = msgspec.json.encode(job)
    process.stdin.write(len(content).to_bytes(4, "big") + content)
    await process.stdin.drain()
    size = int.from_bytes(await process.stdout.readexactly(4), "big")
    return msgspec.json.decode(await process.stdout.readexactly(size), type=RenderResult)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
