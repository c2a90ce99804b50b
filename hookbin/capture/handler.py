"""The capture path: whatever arrives under `/b/` is drained, committed and then answered.

It stands in front of the router (see `app`). Nothing is awaited before the body is in, so that a
sender that posts and hangs up is not lost; nothing is looked up that memory does not hold; and
the answer goes out after the commit.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

from starlette.types import Receive, Scope, Send

from hookbin.answers.plan import Plan, Prepared, choose, compile_plan, failed, prepare, rendered
from hookbin.capture.faults import Faults, pause
from hookbin.capture.read_body import MemoryBudget, ReceivedBody, drain, linger
from hookbin.capture.services import CaptureServices
from hookbin.capture.signature_check import UNCHECKED, check_signature
from hookbin.conditions.matching import Incoming
from hookbin.errors import BinNotFound, HookbinError, Overloaded, SenderTimedOut, ShuttingDown
from hookbin.models.answers import BinResponse
from hookbin.models.bins import Bin
from hookbin.models.common import Headers
from hookbin.models.request_target import PREFIX
from hookbin.models.requests import CapturedRequest
from hookbin.models.webhooks import Webhook
from hookbin.names import is_bin_name
from hookbin.problems import problem_response, status_of
from hookbin.signatures.scheme import SignedRequest
from hookbin.store.sequences import SequencePosition
from hookbin.templating.rendering import Rendered, RenderJob, TemplateRequest
from hookbin.wire.exchange import exchange_of
from hookbin.wire.head import Pairs

_NO_ROOM = "more large bodies come in at once than the server holds; send it again in a second"
_STOPPING = "hookbin is stopping and kept what had come; send it again in a moment"
MAX_RENDERED = 1024 * 1024
"""Bytes of a body that a template is given."""
_TOO_LARGE = BinResponse(status=413, body="the body is larger than this bin keeps; what fits was kept\n")


class Capture:
    """The ASGI application behind every bin's URL."""

    def __init__(self, services: CaptureServices) -> None:
        self._services = services
        self._plans: dict[str, tuple[BinResponse, Plan]] = {}
        self._too_large = prepare(_TOO_LARGE)
        self._faults = Faults(services.stopping)
        self.room = MemoryBudget()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        drained = await drain(receive, limit=self._services.settings.max_body, room=self.room)
        if drained.refused:
            await self._refuse(scope, receive, send, unread=drained.unread)
            return
        try:
            bin = await self._bin(scope["path"])
            plan = self._plan(bin)
            if plan.plain or drained.truncated or drained.incomplete:
                answer = self._too_large if drained.truncated else plan.base
                await self._keep(scope, drained, bin, answer)
            else:
                answer = await self._chosen(plan, scope, drained, bin)
        except HookbinError as error:
            await problem_response(error)(scope, receive, send)
            return
        finally:
            incomplete, unread = drained.incomplete, drained.unread
            self.room.give(drained.reserved)
            del drained  # what waits or hangs holds no body
        if incomplete:
            if self._services.stopping.is_set():
                await problem_response(ShuttingDown(_STOPPING))(scope, receive, send)
            return
        if answer.delay_ms:
            await pause(answer.delay_ms / 1000, unless=self._services.stopping)
        if answer.fault is not None:
            await self._faults.give(answer, scope, receive, send)
        elif unread:
            await self._answer_unread(receive, send, status=answer.status, headers=answer.headers, body=answer.body)
        elif not exchange_of(scope).answer(status=answer.status, fields=answer.fields, body=answer.body):
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def _chosen(self, plan: Plan, scope: Scope, drained: ReceivedBody, bin: Bin) -> Prepared:
        """The answer that fits the request, once that is kept, and with it the place in the sequence it took."""
        incoming = _incoming(scope, drained)
        with self._services.bins.next_position(bin) as position:
            answer = choose(plan, incoming, random=random.random, take_position=position.take)
            if answer.template is not None:
                answer = await self._rendered(answer, answer.template.body, incoming, cors=plan.cors)
            await self._keep(scope, drained, bin, answer, position=position.taken)
        return answer

    async def _rendered(self, answer: Prepared, source: str, incoming: Incoming, *, cors: bool) -> Prepared:
        if len(incoming.body) > MAX_RENDERED:
            return failed(answer, f"it is given no body over {MAX_RENDERED:,} bytes", cors=cors)
        try:
            result = await self._services.templates.do(RenderJob(source=source, request=_asked(incoming)))
        except asyncio.CancelledError:
            result = Rendered(error="hookbin was stopping")  # uvicorn waits no longer; there is time to keep what came
        if result.text is None:
            return failed(answer, result.error or "", cors=cors)
        return rendered(answer, result.text, cors=cors)

    async def _keep(
        self,
        scope: Scope,
        drained: ReceivedBody,
        bin: Bin,
        answer: Prepared,
        *,
        position: SequencePosition | None = None,
    ) -> None:
        request = self._request(scope, drained, bin, answer)
        forward = self._services.forwarding.of_capture(request)
        await self._services.requests.add(request, bin, position=position, forward=forward)

    async def _bin(self, path: str) -> Bin:
        name = path[len(PREFIX) :].partition("/")[0]
        bin = self._services.bins.find(name)
        if bin is not None:
            return bin
        settings = self._services.settings
        if not (settings.creates_bins and is_bin_name(name)):
            raise BinNotFound("no bin has this address; POST /bins makes one")
        return await self._services.bins.ensure(name, max_requests=settings.max_requests, max_age=settings.max_age)

    def _plan(self, bin: Bin) -> Plan:
        known = self._plans.get(bin.id)
        if known is None or known[0] is not bin.response:
            if len(self._plans) > 10_000:
                self._plans.clear()
            known = self._plans[bin.id] = (bin.response, compile_plan(bin.response))
        return known[1]

    def _request(self, scope: Scope, drained: ReceivedBody, bin: Bin, answer: Prepared) -> CapturedRequest:
        exchange = exchange_of(scope)
        target = exchange.target.decode("latin-1")
        named = dict(scope["headers"])
        declared = named.get(b"content-length")
        content_type = named.get(b"content-type")
        client = scope["client"]
        now = self._services.clock.now()
        attempt_id, webhook = self._sent_by_us(named)
        judged = UNCHECKED
        if webhook is not None or bin.verify is not None:
            arrived = SignedRequest(named, drained.body, scope["scheme"], target)
            whole = not (drained.truncated or drained.incomplete)
            judged = check_signature(self._services, bin, webhook, arrived, whole=whole, now=now)
        return CapturedRequest(
            bin_id=bin.id,
            received_at=now,
            method=scope["method"],
            target=target,
            http_version=scope["http_version"],
            scheme=scope["scheme"],
            client=address(*client) if client else None,
            content_type=content_type.decode("latin-1") if content_type is not None else None,
            size=len(drained.body),
            truncated=drained.truncated,
            incomplete=drained.incomplete,
            declared_size=_declared(declared),
            answer_status=_answered_incomplete(scope) if drained.incomplete else answer.said_status,
            answer_rule=answer.rule,
            answer_delay_ms=answer.delay_ms,
            answer_fault=None if drained.incomplete else answer.fault,
            answer_error=answer.error,
            attempt_id=attempt_id,
            signature=judged.state,
            signature_scheme=judged.scheme,
            signature_reason=judged.reason,
            note=None,
            pinned=False,
            trailers=_decoded(exchange.trailers),
            headers=_decoded(exchange.headers),
            body=drained.body,
        )

    def _sent_by_us(self, named: dict[bytes, bytes]) -> tuple[str | None, Webhook | None]:
        """The attempt and its webhook, when one of our own attempts that is under way sent this."""
        header = named.get(b"hookbin-attempt-id")
        if header is None:
            return None, None
        attempt_id = header.decode("latin-1")
        webhook = self._services.attempts.webhook_of(attempt_id)
        return (None if webhook is None else attempt_id), webhook

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, *, unread: bool) -> None:
        response = problem_response(Overloaded(_NO_ROOM))
        if not unread:
            await response(scope, receive, send)
            return
        body = bytes(response.body)
        await self._answer_unread(receive, send, status=response.status_code, headers=response.raw_headers, body=body)

    async def _answer_unread(
        self, receive: Receive, send: Send, *, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Answer while the request's body is still on its way."""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await linger(receive, seconds=self._services.settings.sender_timeout)
        await send({"type": "http.response.body", "body": b""})


def _incoming(scope: Scope, drained: ReceivedBody) -> Incoming:
    return Incoming(
        method=scope["method"],
        path=f"/{scope['path'][len(PREFIX) :].partition('/')[2]}",
        query=scope["query_string"].decode("latin-1"),
        headers=scope["headers"],
        body=drained.body,
    )


def _asked(incoming: Incoming) -> TemplateRequest:
    return TemplateRequest(
        method=incoming.method,
        path=incoming.path,
        query=incoming.query_string,
        headers=[(name, value) for name, values in incoming.headers.items() for value in values],
        body=incoming.body,
    )


def _answered_incomplete(scope: Scope) -> int | None:
    """What the server has said to the sender of half a request: nothing, or that it waits no longer."""
    return status_of(SenderTimedOut) if exchange_of(scope).timed_out else None


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _decoded(pairs: Pairs) -> Headers:
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]) if pairs else ()


def _declared(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 19 else None
