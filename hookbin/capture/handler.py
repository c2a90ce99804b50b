"""The capture path as an ASGI application: read the body, keep the request, then answer.

It stands in front of the router (see `app`), and its order is what it promises:

1. **The body comes before any other await.** A sender that posts and hangs up is gone by the time the event loop
   comes round again, and what it sent would be lost. Large bodies share one budget of memory, and each has a limit:
   over the budget is a 503 that keeps nothing, over the limit a 413 that keeps what fits (`truncated`).
2. **Memory knows the rest.** Bins, their compiled answers and the attempts under way are all held there, so a capture
   reads nothing from the file. Only a name's first request awaits: the bin is made (`auto_create`).
3. **The answer is chosen before the request is kept**, since the row tells of it; a place in a sequence is kept with
   the row or goes to the next request.
4. **Acknowledged means committed.** `RequestStore.add` returns after the commit of a batch that holds all that came
   meanwhile (group commit, see `store.database`): many senders share one fsync, and none is answered before it.
5. **Delays and faults come after the commit**, and whoever waits or hangs holds no body.

Half a request is kept too (`incomplete`): its sender hung up, fell silent until the server gave it a 408, or was cut
off by the server's stop. The first two get nothing from here, the last one a 503. A failed commit keeps nothing and
says so (507 or 503). Every refusal is a problem (RFC 9457).
"""

from __future__ import annotations

from msgspec import Struct
from starlette.types import Receive, Scope, Send

from hookbin.answers.plan import PreparedAnswer, refusal
from hookbin.capture.faults import Answering, Faults, pause
from hookbin.capture.read_body import MemoryBudget, ReceivedBody, linger, read_body
from hookbin.capture.render_answer import render_answer
from hookbin.capture.row import SentFields, address, captured_request, read_fields
from hookbin.capture.services import CaptureServices
from hookbin.capture.signature_check import UNCHECKED, check_signature
from hookbin.conditions.incoming import Incoming
from hookbin.errors import BinNotFound, HookbinError, Overloaded, ShuttingDown
from hookbin.models.bins import Bin
from hookbin.models.request_target import PREFIX
from hookbin.models.requests import CapturedRequest
from hookbin.models.webhooks import Webhook
from hookbin.names import is_bin_name
from hookbin.signatures.scheme import SignedRequest
from hookbin.signatures.verification import SignatureCheck
from hookbin.store.sequences import SequencePosition
from hookbin.wire.exchange import Exchange, exchange_of
from hookbin.wire.forwarded import HOST as FORWARDED_HOST
from hookbin.wire.forwarded import read_forwarded
from hookbin.wire.head import by_name

_NO_MEMORY = "more large bodies come in at once than the server holds; send it again in a second"
_STOPPING = "hookbin is stopping and kept what had come; send it again in a moment"


class _Arrival(Struct, frozen=True):
    """A request to a bin, and what came of its body."""

    bin: Bin
    body: ReceivedBody
    scope: Scope
    exchange: Exchange
    fields: SentFields


class Capture:
    """The ASGI application behind every bin's URL."""

    def __init__(self, services: CaptureServices) -> None:
        self._services = services
        self._faults = Faults(services.stopping)
        self.memory = MemoryBudget()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        exchange.refusal_fields = self._refusal_fields(scope["path"])
        answer, unread = await self._take_in(scope, receive, exchange)
        if answer is None:
            return
        if answer.delay_ms:
            await pause(answer.delay_ms / 1000, unless=self._services.stopping)
        if answer.fault is not None:
            await self._faults.give(answer.fault, Answering(answer, exchange, scope, receive, send))
        elif unread:
            await self._answer_unread(answer, receive, send)
        elif not exchange.answer(status=answer.status, fields=answer.fields, body=answer.body):
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def _take_in(self, scope: Scope, receive: Receive, exchange: Exchange) -> tuple[PreparedAnswer | None, bool]:
        """Keep the request. Its answer, None where nobody is left to hear one, and whether more of the body comes."""
        with self.memory.reserve() as memory:
            body = await read_body(receive, limit=self._services.settings.max_body, memory=memory)
            try:
                if body.refused:
                    raise Overloaded(_NO_MEMORY)
                bin = await self._bin(scope["path"])
                fields = read_fields(exchange.headers, by_name(exchange.headers))
                answer = await self._answer_and_keep(_Arrival(bin, body, scope, exchange, fields))
                if not body.incomplete:
                    return answer, body.unread
                if self._services.stopping.is_set():
                    raise ShuttingDown(_STOPPING)
            except HookbinError as error:
                return refusal(error, cors=bool(exchange.refusal_fields)), body.unread
        return None, False

    def _refusal_fields(self, path: str) -> bytes:
        bin = self._services.bins.find(_name_in(path))
        return b"" if bin is None else self._services.plans.of(bin).refusal_fields

    async def _bin(self, path: str) -> Bin:
        name = _name_in(path)
        bin = self._services.bins.find(name)
        if bin is not None:
            return bin
        settings = self._services.settings
        if not (settings.creates_bins and is_bin_name(name)):
            raise BinNotFound("no bin has this address; POST /bins makes one")
        return await self._services.bins.ensure(name, max_requests=settings.max_requests, max_age=settings.max_age)

    async def _answer_and_keep(self, arrival: _Arrival) -> PreparedAnswer:
        """The answer that fits the request, once both are kept."""
        plan = self._services.plans.of(arrival.bin)
        if arrival.body.truncated:
            return await self._keep(arrival, plan.too_large)
        if plan.plain or arrival.body.incomplete:
            return await self._keep(arrival, plan.base)
        incoming = Incoming(
            method=arrival.scope["method"],
            target=arrival.exchange.target,
            headers=arrival.fields.headers,
            body=arrival.body.body,
        )
        answer = plan.choose(incoming, random=self._services.random)
        if answer is not None:
            return await self._keep(arrival, await render_answer(answer, plan, incoming, self._services.templates))
        with self._services.bins.next_position(arrival.bin) as position:
            answer = await render_answer(plan.at(position.take()), plan, incoming, self._services.templates)
            return await self._keep(arrival, answer, position=position.taken)

    async def _keep(
        self, arrival: _Arrival, answer: PreparedAnswer, *, position: SequencePosition | None = None
    ) -> PreparedAnswer:
        request = self._row(arrival, answer)
        forward = self._services.forwarding.of_capture(request)
        await self._services.requests.add(request, arrival.bin, position=position, forward=forward)
        return answer

    def _row(self, arrival: _Arrival, answer: PreparedAnswer) -> CapturedRequest:
        bin, body, scope, exchange = arrival.bin, arrival.body, arrival.scope, arrival.exchange
        fields, now = arrival.fields, self._services.clock.now()
        webhook = None if fields.attempt_id is None else self._services.webhook_of(fields.attempt_id)
        return captured_request(
            bin,
            received_at=now,
            method=scope["method"],
            target=exchange.target,
            http_version=scope["http_version"],
            scheme=scope["scheme"],
            client=address(*scope["client"]) if scope["client"] else None,
            fields=fields,
            body=body.body,
            answer=answer,
            attempt_id=None if webhook is None else fields.attempt_id,
            signature=self._signature(arrival, webhook, now=now),
            trailers=tuple(exchange.trailers),
            truncated=body.truncated,
            incomplete=body.incomplete,
            timed_out=exchange.timed_out,
        )

    def _signature(self, arrival: _Arrival, webhook: Webhook | None, *, now: int) -> SignatureCheck:
        bin, body, scope = arrival.bin, arrival.body, arrival.scope
        if bin.verify is None and webhook is None:
            return UNCHECKED
        said = read_forwarded(scope["headers"])
        signed = SignedRequest(
            dict(scope["headers"]),
            body.body,
            scope["scheme"],
            arrival.exchange.target,
            public_url=self._services.settings.public_url_of_bins,
            forwarded_host=scope.get(FORWARDED_HOST),
            unproved=f"{said.scheme or scope['scheme']}://{said.host}" if said.host else None,
        )
        whole = not (body.truncated or body.incomplete)
        return check_signature(self._services, bin, webhook, signed, whole=whole, now=now)

    async def _answer_unread(self, answer: PreparedAnswer, receive: Receive, send: Send) -> None:
        """Answer while the request's body is still on its way."""
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
        await linger(receive, seconds=self._services.settings.sender_timeout)
        await send({"type": "http.response.body", "body": b""})


def _name_in(path: str) -> str:
    return path[len(PREFIX) :].partition("/")[0]
