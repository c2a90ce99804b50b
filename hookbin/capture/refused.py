"""What the protocol refused, kept where its sender wanted it to go.

A message that is no HTTP and names a bin in its request line becomes a row of that bin, if there is one: its bytes
are the body, method and target are empty. It is answered by the protocol, and never forwarded or checked. Of all
others the newest are remembered (`hookbin.live.refusals`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from hookbin.answers.plan import Plans, prepare
from hookbin.capture.row import SentFields, address, captured_request
from hookbin.clock import Clock
from hookbin.errors import HookbinError
from hookbin.live.refusals import MAX_BEGINNING, Refusals
from hookbin.models.answers import Step
from hookbin.models.bins import Bin
from hookbin.models.refusals import RefusedMessage
from hookbin.models.requests import Malformed
from hookbin.store.requests import RequestStore
from hookbin.wire.refusals import MAX_KEPT, Refusal

MAX_WRITING = 100
"""Refused messages that wait to be written at once; more are only remembered."""
_BIN = re.compile(
    rb"[ \t]*[^ \t\r\n]*[ \t]+(?:[A-Za-z][A-Za-z0-9+.-]*://[^/ \t\r\n]*)?/b/([a-z0-9][a-z0-9-]{0,62})(?![a-z0-9-])"
)


class RefusedCapture:
    """Called by the protocol with each message that it refused."""

    def __init__(
        self,
        *,
        find_bin: Callable[[str], Bin | None],
        plans: Plans,
        requests: RequestStore,
        refusals: Refusals,
        clock: Clock,
    ) -> None:
        self._find_bin = find_bin
        self._plans = plans
        self._requests = requests
        self._refusals = refusals
        self._clock = clock
        self._writing: set[asyncio.Task[None]] = set()

    def __call__(self, refusal: Refusal, client: tuple[str, int] | None, answer: Callable[[bytes], None]) -> None:
        """`answer` is called once the message is kept, since what was answered is kept (see `capture.handler`)."""
        message = RefusedMessage(
            refused_at=self._clock.now(),
            client=address(*client) if client else None,
            status=refusal.status,
            reason=refusal.reason,
            offset=refusal.offset,
            beginning=refusal.received[:MAX_BEGINNING],
        )
        self._refusals.tell(message)
        bin = self._named(refusal.received)
        if bin is None or len(self._writing) >= MAX_WRITING:
            self._refusals.add(message)
            answer(self._fields(bin))
            return
        task = asyncio.get_running_loop().create_task(self._keep(message, refusal.received, bin, answer))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def aclose(self) -> None:
        """Wait until all are written."""
        if self._writing:
            await asyncio.wait(self._writing)

    def _named(self, received: bytes) -> Bin | None:
        match = _BIN.match(received)
        return None if match is None else self._find_bin(match.group(1).decode("ascii"))

    def _fields(self, bin: Bin | None) -> bytes:
        return b"" if bin is None else self._plans.of(bin).refusal_fields

    async def _keep(self, message: RefusedMessage, received: bytes, bin: Bin, answer: Callable[[bytes], None]) -> None:
        request = captured_request(
            bin,
            received_at=message.refused_at,
            method="",
            target="",
            http_version="",
            scheme="http",
            client=message.client,
            fields=SentFields(headers=()),
            body=received,
            answer=prepare(Step(status=message.status)),
            truncated=len(received) >= MAX_KEPT,
            malformed=Malformed(reason=message.reason, offset=message.offset),
        )
        try:
            await self._requests.add(request, bin)
        except HookbinError:
            self._refusals.add(message)  # the writer is stopping, full or broken; it is remembered at least
        finally:
            answer(self._fields(bin))
