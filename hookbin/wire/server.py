"""The server's side of HTTP/1.1: one connection, one request at a time.

A protocol for asyncio that uvicorn is given as `http=`; of uvicorn's own it uses the request-response cycle alone.
What it holds itself to, and why:

- Framing (RFC 9112, 6): where a body ends is said once and in one way, or the message is refused. Two readings of one
  message are two requests from one (request smuggling), so what is doubtful is a 400 and the end of the connection.
- A head stays bytes until it is whole (`received`). `MAX_HEAD` bytes and `MAX_FIELDS` fields are the most: a 431.
- Bytes behind a message are held, unread, until its answer is out. What follows may be no HTTP: then the request
  is answered first, and that is refused afterwards.
- Pipelining (9.3.2) and backpressure: the next request is begun when the last answer has gone below the transport's
  high-water mark, and meanwhile nothing is read. So a connection holds what came in one piece, and one answer.
- Who closes while bytes are unread resets the connection, and the peer may never see its answer (9.6). So what is
  refused gets the lingering close (`farewell`).
- Slow senders (slowloris) and readers that read nothing are timed out (`patience`).
- A sender that has closed its side still gets the answer of a bin. Anybody else who does so has hung up.
- At the stop each connection ends with the answer that it waits for, whatever else was sent on it.
- Nothing of a request refers to itself: its exchange holds the connection, and not the cycle, whose scope holds it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, cast

import msgspec
import uvicorn
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from hookbin.wire.connections import Connections
from hookbin.wire.cycle import Cycle
from hookbin.wire.exchange import Exchange
from hookbin.wire.farewell import Farewell
from hookbin.wire.flow import Flow
from hookbin.wire.head import Head, read_request_line
from hookbin.wire.lane import MAX_LANE_BODY, Lane, Taker
from hookbin.wire.message import FieldsTooLarge, MessageBroken, MessageReader
from hookbin.wire.patience import Owed, Patience
from hookbin.wire.received import Received
from hookbin.wire.refusals import (
    BROKEN_BODY,
    FULL,
    LARGE_TRAILERS,
    TIMED_OUT,
    MessageRefused,
    Refusal,
    malformed,
    too_large,
    without_end,
)
from hookbin.wire.scope import scope_of

HALF_CLOSED_SECONDS = 5.0
"""What an answer may take whose sender has closed its side of the connection."""
_LOGGER = logging.getLogger("uvicorn.error")
_BINS = b"/b/"


class _Phase(Enum):
    """Where the connection stands."""

    HEAD = auto()
    """The next request is awaited, or some of its head has come."""
    BODY = auto()
    ANSWER = auto()
    """The request is whole and its answer is not out."""
    OVER = auto()
    """Nothing that comes is read any more."""


class WireProtocol(asyncio.Protocol):
    """One connection, as uvicorn's `Server` makes them. `refused` is told of what was refused, and of its peer."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        watch: Connections,
        lane: Lane | None = None,
        refused: Callable[[Refusal, tuple[str, int] | None], None] | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self.client: tuple[str, int] | None = None
        self._config = config
        self._state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._watch = watch
        self._lane = lane
        self._refused = refused
        self._reader = MessageReader()
        self._held = Received()
        self._phase = _Phase.HEAD
        self._advancing = False
        self._requests = 0
        self._keep_alive = True
        self._head: Head | None = None
        """Of the request that is under way, as are the next three."""
        self._exchange: Exchange | None = None
        """None once its answer was given."""
        self._cycle: Cycle | None = None
        """None for one that goes by the lane."""
        self._taker: Taker | None = None
        """Who takes it when it is whole, if it goes by the lane, and `_lane_body` is the body that it waits for."""
        self._lane_body: list[bytes] = []
        self._idle_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patience = Patience()
        self._moved = False
        """Some of a body has come since the last look."""
        self._unsent = 0
        """Bytes that waited to be read by the peer at the last look."""
        self._farewell: Farewell | None = None

    # What the transport calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._state.connections.add(cast(Any, self))
        self._transport = transport
        self._flow = Flow(transport)
        self._server = get_local_addr(transport)
        self.client = get_remote_addr(transport)
        if not self._watch.admit(cast(Any, self._state.connections), self._loop):
            self._close(FULL)

    def data_received(self, data: bytes) -> None:
        if self._farewell is not None:
            self._farewell.hear(data)
        elif self._phase is _Phase.BODY:
            self._read_body(data)
            self._advance()
        elif self._phase is not _Phase.OVER:
            self._held.add(data)
            self._advance()

    def eof_received(self) -> bool:
        """True keeps a connection open whose sender has said all and still listens (half-closed).

        Only for the answer of a bin, and not for long: one that has gone altogether looks the same.
        """
        if self._phase is not _Phase.ANSWER or not cast(Head, self._head).target.startswith(_BINS):
            return False
        if self._cycle is not None and self._cycle.response_started:
            return False
        if not self._held:
            self._end_keep_alive()
        self._loop.call_later(HALF_CLOSED_SECONDS, self._transport.close)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(cast(Any, self))
        if self._taker is not None:
            self._leave_lane()
        if self._cycle is not None:
            self._loop.call_soon(_disconnect, self._cycle)  # behind the taking of what came of the body just now
        self._phase = _Phase.OVER
        self._flow.resume_writing()
        self._reader.close()
        self._held.take()
        self._cycle = self._exchange = None
        if self._timer is not None:
            self._timer.cancel()
        if self._farewell is not None:
            self._farewell.end()

    def pause_writing(self) -> None:
        self._flow.pause_writing()

    def resume_writing(self) -> None:
        self._flow.resume_writing()
        self._advance()

    # What uvicorn and `Connections` call

    def shutdown(self) -> None:
        """Close, or end with the answer to the request that is there."""
        if self._exchange is None:
            self._close()
            return
        if self._taker is not None:
            self._leave_lane()
        self._end_keep_alive()

    def looked_at(self) -> None:
        """Time out what has been owed for too long; called `LOOKS` times in the time that a peer has."""
        unsent = self._transport.get_write_buffer_size()
        moved = self._moved or unsent != self._unsent
        self._moved, self._unsent = False, unsent
        owed = self._owed()
        if not self._patience.is_over(owed, request=self._requests, moved=moved):
            return
        match owed:
            case Owed.HEAD:
                self._refuse(without_end(self._held.take()))
            case Owed.BODY:
                cast(Exchange, self._exchange).timed_out = True
                self._break_off_body(TIMED_OUT)
            case Owed.READING:
                self._transport.abort()
            case _:
                self._close()

    def _owed(self) -> Owed | None:
        if self._flow.write_paused:
            return Owed.READING
        if self._phase is _Phase.HEAD:
            return Owed.HEAD if self._held else Owed.REQUEST if self._idle_since is None else None
        if self._phase is not _Phase.BODY or self._transport.is_closing():
            return None
        if self._exchange is None:
            return Owed.REST
        started = self._cycle is not None and self._cycle.response_started
        return None if started or self._flow.read_paused else Owed.BODY

    # What an `Exchange` calls

    def answer(self, exchange: Exchange, *, status: int, fields: bytes, body: bytes) -> None:
        if self._exchange is not exchange:
            return
        cycle = self._cycle
        if cycle is not None:
            cycle.response_started = cycle.response_complete = True
            cycle.waiting_for_100_continue = False
            cycle.message_event.set()
        lines = [STATUS_LINE[status], *(b"%b: %b\r\n" % field for field in self._state.default_headers), fields]
        lines.append(b"\r\n" if self._keep_alive else b"connection: close\r\n\r\n")
        if cast(Head, self._head).method != "HEAD":
            lines.append(body)
        self._transport.write(b"".join(lines))
        if not self._keep_alive:
            self._transport.close()
        self._answered()

    def break_off(self, exchange: Exchange) -> None:
        if self._exchange is exchange:
            self._give_up_answer()
            self._transport.abort()

    def drop(self, exchange: Exchange, *, last_words: bytes, reset: bool) -> None:
        if self._exchange is not exchange:
            return
        self._give_up_answer()
        if reset:
            _reset(self._transport)
        else:
            self._close(last_words)

    def _give_up_answer(self) -> None:
        self._exchange = None
        self._phase = _Phase.OVER
        if self._cycle is not None:
            self._cycle.disconnected = self._cycle.response_complete = True

    # One request after the other

    def _advance(self) -> None:
        """Begin what is held, a request at a time, as long as the answer before has gone out."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._phase is _Phase.HEAD and self._held and not self._flow.write_paused:
                if not self._begin():
                    break
        except MessageRefused as refused:
            self._refuse(refused.refusal)
        finally:
            self._advancing = False
        early = self._phase is _Phase.ANSWER and bool(self._held)
        self._flow.hold(early or (self._phase is _Phase.HEAD and self._flow.write_paused))

    def _begin(self) -> bool:
        """Whether a head was whole. Raises `MessageRefused`."""
        whole = self._held.take_head()
        if whole is None:
            return False
        self._idle_since = None
        head = self._read_head(whole)
        self._requests += 1
        self._head, self._keep_alive, self._cycle = head, head.keep_alive, None
        self._exchange = Exchange(head.target, head.pairs, self)
        self._phase = _Phase.BODY
        self._taker = self._taker_of(head)
        if self._taker is None:
            self._start_cycle()
        if self._reader.whole:
            self._end_request()
        elif self._held:
            self._read_body(self._held.take())
        return True

    def _read_head(self, whole: bytes) -> Head:
        line = read_request_line(whole)
        if line is None:
            raise MessageRefused(malformed(whole + self._held.take(), size=len(whole)))
        try:
            return self._reader.read_head(line, whole)
        except MessageBroken as broken:
            raise MessageRefused(malformed(whole + self._held.take(), size=len(whole), otherwise=str(broken))) from None
        except FieldsTooLarge:
            raise MessageRefused(too_large(whole + self._held.take())) from None

    def _read_body(self, data: bytes) -> None:
        last_words = b""
        try:
            self._held.add(self._reader.read_body(data))
        except MessageBroken:
            last_words = BROKEN_BODY
        except FieldsTooLarge:
            last_words = LARGE_TRAILERS
        body = self._reader.take_body()
        if body:
            self._moved = True
            self._pass_on(body)
        if last_words:
            self._break_off_body(last_words)
        elif self._reader.whole:
            self._end_request()

    def _pass_on(self, body: bytes) -> None:
        cycle = self._cycle
        if self._taker is not None:
            self._lane_body.append(body)
        elif cycle is not None and self._exchange is not None:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self._flow.pause_reading()
            cycle.message_event.set()

    def _end_request(self) -> None:
        """The message is whole."""
        exchange, cycle = self._exchange, self._cycle
        if exchange is None:
            self._rest()
            return
        self._phase = _Phase.ANSWER
        exchange.trailers = self._reader.trailers
        if self._taker is not None:
            take, self._taker = self._taker, None
            take(exchange, cast(Head, self._head), self._take_lane_body())
        elif cycle is not None:
            cycle.more_body = False
            cycle.message_event.set()

    def _answered(self) -> None:
        """The whole answer was given to the transport."""
        self._state.total_requests += 1
        self._exchange = None
        if self._transport.is_closing():
            self._phase = _Phase.OVER
            return
        self._flow.resume_reading()
        if self._phase is _Phase.ANSWER:
            self._rest()
            self._advance()

    def _rest(self) -> None:
        """Between two requests. The timer is moved when it runs out, and not with each request."""
        self._phase = _Phase.HEAD
        self._cycle = None
        self._idle_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._config.timeout_keep_alive, self._end_rest)

    def _end_rest(self) -> None:
        self._timer = None
        if self._idle_since is None:
            return
        left = self._idle_since + self._config.timeout_keep_alive - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._end_rest)
        elif not self._held:
            self._close()

    # The two ways of a request

    def _taker_of(self, head: Head) -> Taker | None:
        if self._lane is None or head.length is None or head.length > MAX_LANE_BODY or head.expects_continue:
            return None
        return self._lane.taker_of(head)

    def _take_lane_body(self) -> bytes:
        body = b"".join(self._lane_body)
        self._lane_body = []
        return body

    def _leave_lane(self) -> None:
        """Give the application what the lane waited for, as much as has come of it."""
        self._taker, body = None, self._take_lane_body()
        self._start_cycle()
        if body:
            self._pass_on(body)

    def _start_cycle(self) -> None:
        head, exchange = cast(Head, self._head), cast(Exchange, self._exchange)
        state = self._app_state.copy()
        self._cycle = Cycle(
            scope=cast(Any, scope_of(head, exchange, config=self._config, server=self._server, state=state)),
            transport=self._transport,
            flow=self._flow,
            logger=_LOGGER,
            access_logger=_LOGGER,
            access_log=False,
            default_headers=self._state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=head.expects_continue,
            keep_alive=self._keep_alive,
            on_response=self._answered,
        )
        task = self._loop.create_task(self._cycle.run_asgi(self._config.loaded_app))
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    # The end of a connection

    def _end_keep_alive(self) -> None:
        self._keep_alive = False
        if self._cycle is not None:
            self._cycle.keep_alive = False

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what could not be begun with, and tell of it once no more of it comes."""

        def report(received: bytes) -> None:
            if self._refused is not None:
                self._refused(msgspec.structs.replace(refusal, received=received), self.client)

        self._say_farewell(refusal.answer, received=refusal.received, ended=report)

    def _break_off_body(self, last_words: bytes) -> None:
        """Read no further, and tell the application that no more will come, as when the sender hangs up."""
        if self._taker is not None:
            self._leave_lane()
        self._phase = _Phase.OVER
        self._loop.call_soon(self._end_body, self._cycle, last_words)  # behind the taking of what came of it just now

    def _end_body(self, cycle: Cycle | None, last_words: bytes) -> None:
        if cycle is None or cycle.response_started or self._transport.is_closing():
            self._close()
        else:
            self._exchange = None
            self._say_farewell(last_words)
        if cycle is not None:
            _disconnect(cycle)

    def _say_farewell(
        self, last_words: bytes, *, received: bytes = b"", ended: Callable[[bytes], None] | None = None
    ) -> None:
        self._phase = _Phase.OVER
        self._flow.hold(False)
        self._farewell = Farewell(self._transport, received=received, ended=ended)
        self._farewell.say(last_words, loop=self._loop)

    def _close(self, last_words: bytes = b"") -> None:
        self._phase = _Phase.OVER
        if last_words:
            self._transport.write(last_words)
        self._transport.close()


def _disconnect(cycle: Cycle) -> None:
    """Tell the application that its peer is gone."""
    if not cycle.response_complete:
        cycle.disconnected = True
    cycle.message_event.set()


def _reset(transport: asyncio.Transport) -> None:
    """Close without the usual farewell: a linger time of 0 makes a RST of it (`socket(7)`, SO_LINGER)."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
