"""The short way of a plain capture: taken in inside the server's protocol, without a task and an ASGI cycle.

Most requests want nothing but to be kept and to get the one answer of their bin. For these the protocol asks for a
`Taker` when their head is whole, and calls it when the body is. The row then goes to the writer, and the answer out
from its commit, so what the capture path promises holds here too (see `capture.handler`): nothing is awaited before
the row waits for the writer, and acknowledged means committed. The row is made by the same code.

All else takes the ASGI path, which can do everything: a bin that is unknown, chooses its answer, delays or breaks it,
checks signatures or forwards; a body that is chunked, held back or large; a target that is not plainly a bin's; header
fields that are odd or say that an attempt of ours sent it. What the head finds is what counts: a bin that is changed
while the body comes has answered before the change.
"""

from __future__ import annotations

import logging
import re
from functools import partial

from msgspec import Struct

from hookbin.answers.plan import PreparedAnswer, refusal
from hookbin.capture.row import SentFields, address, plain_request, read_fields
from hookbin.capture.services import CaptureServices
from hookbin.errors import HookbinError
from hookbin.models.bins import Bin
from hookbin.models.request_target import PREFIX
from hookbin.wire.exchange import Exchange
from hookbin.wire.head import Head
from hookbin.wire.lane import Taker

logger = logging.getLogger("hookbin")

_PLAIN_TARGET = re.compile(PREFIX + r"([a-z0-9_-]{1,63})(?:[/?#]|\Z)")
"""A bin's address in origin form without escapes."""


class CaptureLane:
    """A `wire.lane.Lane` to the bins."""

    def __init__(self, services: CaptureServices) -> None:
        self._services = services

    def taker_of(self, head: Head) -> Taker | None:
        services = self._services
        match = _PLAIN_TARGET.match(head.target)
        bin = None if match is None else services.bins.find(match[1])
        if bin is None or bin.verify is not None or services.webhooks.forwards_of(bin.id):
            return None
        plan = services.plans.of(bin)
        if not plan.plain or plan.base.delay_ms or plan.base.fault is not None:
            return None
        if (head.length or 0) > services.settings.max_body or services.stopping.is_set():
            return None
        fields = read_fields(head.pairs, head.named)
        if fields.attempt_id is not None or fields.flags:
            return None
        return partial(self._take, bin, plan.base, fields)

    def _take(
        self, bin: Bin, answer: PreparedAnswer, fields: SentFields, exchange: Exchange, head: Head, body: bytes
    ) -> None:
        services = self._services
        request = plain_request(
            bin,
            received_at=services.clock.now(),
            method=head.method,
            target=head.target,
            http_version=head.http_version,
            scheme="http",
            client=address(*exchange.client) if exchange.client else None,
            fields=fields,
            body=body,
            status=answer.status,
        )
        outcome = _Outcome(exchange, answer)
        try:
            services.requests.add_plain(request, bin, outcome)
        except HookbinError as error:
            outcome.set_exception(error)


class _Outcome(Struct):
    """Answers when the writer says what came of the row. An exchange whose sender is gone hears nothing."""

    exchange: Exchange
    answer: PreparedAnswer

    def done(self) -> bool:
        return False

    def set_result(self, _: None) -> None:
        answer = self.answer
        self.exchange.answer(status=answer.status, fields=answer.fields, body=answer.body)

    def set_exception(self, error: Exception) -> None:
        if not isinstance(error, HookbinError):
            logger.error("a capture could not be written", exc_info=error)
            error = HookbinError("hookbin has made a mistake; its log says which")
        self.answer = refusal(error)
        self.set_result(None)
