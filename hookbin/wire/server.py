"""The server's side of HTTP/1.1: one connection, one request at a time.

A protocol for asyncio that uvicorn is given as `http=`. It says when what is read; where a request goes and how it
is answered stands in `current_request`.
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
- Nothing of a request refers to itself once it is over: `CurrentRequest` lets go of the cycle, whose scope holds the
  exchange that answers through it.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any, cast

import uvicorn
from msgspec.structs import replace
from uvicorn.server import ServerState

from hookbin.wire.application import Application
from hookbin.wire.connections import Connections, Waiting
from hookbin.wire.current_request import CurrentRequest
from hookbin.wire.exchange import Exchange
from hookbin.wire.farewell import Farewell
from hookbin.wire.flow import Flow
from hookbin.wire.head import read_whole
from hookbin.wire.keep_alive import KeepAlive
from hookbin.wire.lane import Lane
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
    Refused,
    with_fields,
    without_end,
)

HALF_CLOSED_SECONDS = 5.0
"""What an answer may take whose sender has closed its side of the connection."""


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
    """One connection, as uvicorn's `Server` makes them."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        watch: Connections,
        lane: Lane | None = None,
        lane_port: int | None = None,
        refused: Refused | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._state = server_state
        self._config = config
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._watch = watch
        self._lane = lane
        self._lane_port = lane_port
        """The port whose connections have the lane; None for any."""
        self._refused = refused
        self._reader = MessageReader()
        self._held = Received()
        self._phase = _Phase.HEAD
        self._advancing = False
        self._requests = 0
        self._keep_alive = KeepAlive(self._loop, seconds=config.timeout_keep_alive)
        self._patience = Patience(seconds=watch.patience)
        self._farewell: Farewell | None = None

    # What the transport calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._state.connections.add(cast(Any, self))
        self._transport = transport
        self._flow = Flow(transport)
        application = Application(self._config, self._state, self._app_state, transport=transport, flow=self._flow)
        has_lane = self._lane_port is None or (application.server or ("", 0))[1] == self._lane_port
        self._request = CurrentRequest(application, self._lane if has_lane else None, transport, self._flow)
        self.address = self._request.client[0] if self._request.client else ""
        self._opened = self._loop.time()
        if not self._watch.admit(self, cast(Any, self._state.connections), self._loop):
            self._close(FULL)

    def data_received(self, data: bytes) -> None:
        if self._phase is _Phase.HEAD and not self._held.size and self._begin_whole(data):
            return
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

        Only for the answer of a bin, and not for long: one that has gone altogether looks the same; or for a refusal.
        """
        if self._farewell is not None and self._farewell.gathering:
            self._farewell.stop_gathering()
            return True
        if self._phase is not _Phase.ANSWER or not self._request.awaits_bin:
            return False
        if not self._held.size:
            self._request.end_keep_alive()
        self._loop.call_later(HALF_CLOSED_SECONDS, self._transport.close)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(cast(Any, self))
        self._watch.leave(self)
        self._request.lose(self._loop)
        self._phase = _Phase.OVER
        self._flow.resume_writing()
        self._reader.close()
        self._held.take()
        self._keep_alive.end()
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
        if self._request.exchange is None:
            self._close()
            return
        self._request.leave_lane()
        self._request.end_keep_alive()

    @property
    def waits_since(self) -> Waiting | None:
        if self._owed() in (Owed.HEAD, Owed.BODY):
            return True, self._opened
        is_idle = self._phase is _Phase.HEAD and not self._flow.write_paused
        return (False, self._keep_alive.since or self._opened) if is_idle else None

    def give_way(self) -> None:
        if self._owed() is Owed.BODY:
            self._break_off_body(FULL)
        else:
            self._close(FULL if self._held.size else b"")

    def looked_at(self) -> None:
        """Time out what has been owed for too long; called `LOOKS` times in the time that a peer has."""
        owed = self._owed()
        if not self._patience.is_over(owed, request=self._requests, unsent=self._transport.get_write_buffer_size()):
            return
        match owed:
            case Owed.HEAD:
                self._refuse(without_end(self._held.take())).stop_gathering()
            case Owed.BODY:
                cast(Exchange, self._request.exchange).timed_out = True
                self._break_off_body(TIMED_OUT)
            case Owed.READING:
                self._transport.abort()
            case _:
                self._close()

    def _owed(self) -> Owed | None:
        if self._flow.write_paused:
            return Owed.READING
        if self._phase is _Phase.HEAD:
            return Owed.HEAD if self._held.size else None if self._keep_alive.since is not None else Owed.REQUEST
        if self._phase is not _Phase.BODY or self._transport.is_closing():
            return None
        if self._request.exchange is None:
            return Owed.REST
        return None if self._request.answer_begun or self._flow.read_paused else Owed.BODY

    # One request after the other

    def _advance(self) -> None:
        """Begin what is held, a request at a time, as long as the answer before has gone out."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._phase is _Phase.HEAD and self._held.size and not self._flow.write_paused:
                if not self._begin():
                    break
        except MessageRefused as refused:
            self._refuse(refused.refusal)
        finally:
            self._advancing = False
        early = self._phase is _Phase.ANSWER and self._held.size > 0
        self._flow.hold(early or (self._phase is _Phase.HEAD and self._flow.write_paused))

    def _begin_whole(self, data: bytes) -> bool:
        """Whether `data` was one plain request and nothing else, as most that comes is."""
        message = None if self._flow.write_paused else read_whole(data)
        if message is None:
            return False
        self._begin_request(_Phase.ANSWER)
        self._request.take_whole(*message, self._answered)
        return True

    def _begin_request(self, phase: _Phase) -> None:
        self._keep_alive.stop()
        self._requests += 1
        self._phase = phase

    def _begin(self) -> bool:
        """Whether a head was whole. Raises `MessageRefused`."""
        head = self._held.take_head(self._reader)
        if head is None:
            return False
        self._begin_request(_Phase.BODY)
        self._request.begin(head, self._answered)
        if self._reader.whole:
            self._end_request()
        elif self._held.size:
            self._read_body(self._held.take(self._reader.left))
        return True

    def _read_body(self, data: bytes) -> None:
        last_words = b""
        try:
            rest = self._reader.read_body(data)
            if rest:
                self._held.add(rest)
        except MessageBroken:
            last_words = BROKEN_BODY
        except FieldsTooLarge:
            last_words = LARGE_TRAILERS
        body = self._reader.take_body()
        if body:
            self._patience.came += len(body)
            self._request.pass_on(body)
        if last_words:
            self._break_off_body(last_words)
        elif self._reader.whole:
            self._end_request()

    def _end_request(self) -> None:
        """The message is whole."""
        if self._request.exchange is None:
            self._rest()
        else:
            self._phase = _Phase.ANSWER
            self._request.end(self._reader.trailers)

    def _answered(self) -> None:
        """The whole answer was given to the transport."""
        self._state.total_requests += 1
        if self._transport.is_closing():
            self._phase = _Phase.OVER
            return
        if self._flow.read_paused:
            self._flow.resume_reading()
        if self._phase is _Phase.ANSWER:
            self._rest()
            if self._held.size or self._flow.write_paused:
                self._advance()

    def _rest(self) -> None:
        """Between two requests."""
        self._phase = _Phase.HEAD
        self._request.finish()
        self._keep_alive.start(self._end_rest)

    def _end_rest(self) -> None:
        if not self._held.size:
            self._close()

    # The end of a connection

    def _refuse(self, refusal: Refusal) -> Farewell:
        """Tell of what could not be begun with, once its rest has come, and then answer it."""
        farewell = self._begin_farewell()

        def answer(fields: bytes) -> None:
            farewell.say(with_fields(refusal.answer, fields))

        def tell(received: bytes) -> None:
            if self._refused is None:
                answer(b"")
            else:
                self._refused(replace(refusal, received=received), self._request.client, answer)

        farewell.gather(refusal.received, tell)
        return farewell

    def _break_off_body(self, last_words: bytes) -> None:
        """Read no further, and tell the application that no more will come, as when the sender hangs up."""
        self._request.leave_lane()
        self._phase = _Phase.OVER
        self._loop.call_soon(self._end_body, last_words)  # behind the taking of what came of it just now

    def _end_body(self, last_words: bytes) -> None:
        exchange = self._request.exchange
        if exchange is None or self._request.answer_begun or self._transport.is_closing():
            self._close()
        else:
            self._begin_farewell().say(with_fields(last_words, exchange.refusal_fields))
        self._request.hang_up()

    def _begin_farewell(self) -> Farewell:
        self._phase = _Phase.OVER
        self._flow.hold(False)
        self._farewell = farewell = Farewell(self._transport, self._loop)
        return farewell

    def _close(self, last_words: bytes = b"") -> None:
        self._phase = _Phase.OVER
        if last_words:
            self._transport.write(last_words)
        self._transport.close()
