"""What the protocol refused, kept where its sender wanted it to go.

A message that is no HTTP and names a bin in its request line becomes a row of that bin, if there is one: its bytes
are the body, method and target are empty. It is answered already, so it is never forwarded or checked. Of all others
the newest are remembered (`hookbin.live.refusals`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from hookbin.capture.row import address
from hookbin.capture.signature_check import UNCHECKED
from hookbin.clock import Clock
from hookbin.errors import HookbinError
from hookbin.live.refusals import MAX_BEGINNING, Refusals
from hookbin.models.bins import Bin
from hookbin.models.refusals import RefusedMessage
from hookbin.models.requests import CapturedRequest, Malformed
from hookbin.store.requests import RequestStore
from hookbin.wire.refusals import MAX_KEPT, Refusal

MAX_WRITING = 100
"""Refused messages that wait to be written at once; more are only remembered."""
_BIN = re.compile(
    rb"[ \t]*[^ \t\r\n]*[ \t]+(?:[A-Za-z][A-Za-z0-9+.-]*://[^/ \t\r\n]*)?/b/([a-z0-9][a-z0-9-]{0,62})(?![a-z0-9-])"
)


class RefusedCapture:
    """Called by the protocol with each message that it refused, once no more of it comes."""

    def __init__(
        self, *, find_bin: Callable[[str], Bin | None], requests: RequestStore, refusals: Refusals, clock: Clock
    ) -> None:
        self._find_bin = find_bin
        self._requests = requests
        self._refusals = refusals
        self._clock = clock
        self._writing: set[asyncio.Task[None]] = set()

    def __call__(self, refusal: Refusal, client: tuple[str, int] | None) -> None:
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
            return
        task = asyncio.get_running_loop().create_task(self._keep(message, refusal.received, bin))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def aclose(self) -> None:
        """Wait until all are written."""
        if self._writing:
            await asyncio.wait(self._writing)

    def _named(self, received: bytes) -> Bin | None:
        match = _BIN.match(received)
        return None if match is None else self._find_bin(match.group(1).decode("ascii"))

    async def _keep(self, message: RefusedMessage, received: bytes, bin: Bin) -> None:
        request = CapturedRequest(
            bin_id=bin.id,
            received_at=message.refused_at,
            method="",
            target="",
            http_version="",
            scheme="http",
            client=message.client,
            content_type=None,
            size=len(received),
            truncated=len(received) >= MAX_KEPT,
            incomplete=False,
            declared_size=None,
            answer_status=message.status,
            answer_rule=None,
            answer_delay_ms=0,
            answer_fault=None,
            answer_error=None,
            attempt_id=None,
            signature=UNCHECKED.state,
            signature_scheme=None,
            signature_reason=None,
            note=None,
            pinned=False,
            malformed=Malformed(reason=message.reason, offset=message.offset),
            trailers=(),
            headers=(),
            body=received,
        )
        try:
            await self._requests.add(request, bin)
        except HookbinError:
            self._refusals.add(message)  # the writer is stopping, full or broken; it is remembered at least
