"""The processes that render templates: started when they are needed, replaced when one breaks."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import msgspec

from hookbin.templating.rendering import RenderJob, RenderResult
from hookbin.templating.worker import SECONDS

WORKERS = 2
MAX_WAITING = 256
"""Jobs that wait for a process; one more fails."""
PATIENCE = 5.0
"""Seconds until a job fails that no process came to."""
_LONGEST = SECONDS + 3.0
"""Seconds after which a process is given up that should have ended itself; starting one included."""
_BROKEN = RenderResult(error=f"it takes more than {SECONDS:g} s, or broke the process that renders templates")
_BUSY = RenderResult(error="too many other templates were being rendered")


class TemplatePool:
    """Renders templates; every failure is a result, never an exception."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(WORKERS)
        self._idle: list[Process] = []
        self._waiting = 0

    async def check(self, source: str) -> str | None:
        """What is wrong with the template, or None."""
        return (await self.render(RenderJob(source=source))).error

    async def render(self, job: RenderJob) -> RenderResult:
        if self._waiting >= MAX_WAITING:
            return _BUSY
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._places.acquire()
        except TimeoutError:
            return _BUSY
        finally:
            self._waiting -= 1
        try:
            return await self._by_a_process(job)
        finally:
            self._places.release()

    async def aclose(self) -> None:
        for process in self._idle:
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
