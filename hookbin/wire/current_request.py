"""The request that a connection is in: which way it goes, by the lane or to the application, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.protocols.utils import get_remote_addr

from hookbin.wire.application import Application, Cycle
from hookbin.wire.exchange import Exchange
from hookbin.wire.farewell import reset_connection
from hookbin.wire.flow import Flow
from hookbin.wire.head import Head, Pairs
from hookbin.wire.lane import MAX_LANE_BODY, Lane, Taker

_BINS = "/b/"


class CurrentRequest:
    """One object a connection, for one request after the other. Their exchanges answer through it."""

    def __init__(self, application: Application, lane: Lane | None, transport: asyncio.Transport, flow: Flow) -> None:
        self.client = get_remote_addr(transport)
        self.keep_alive = True
        """Its answer leaves the connection open."""
        self.exchange: Exchange | None = None
        """None once its answer was given."""
        self._application = application
        self._lane = lane
        self._transport = transport
        self._flow = flow
        self._head: Head | None = None
        self._cycle: Cycle | None = None
        """None for one that goes by the lane."""
        self._taker: Taker | None = None
        """Who takes it when it is whole, if it goes by the lane, and `_waiting` is the body that it waits for."""
        self._waiting: list[bytes] = []
        self._answered: Callable[[], None] | None = None

    # What the protocol calls

    def begin(self, head: Head, answered: Callable[[], None]) -> None:
        """`answered` is called when the whole answer was given to the transport."""
        self.keep_alive = head.keep_alive
        self.exchange = exchange = Exchange(head.target, head.pairs, self)
        self._head, self._answered = head, answered
        self._taker = self._taker_of(head)
        if self._taker is None:
            self._start_cycle(head, exchange)

    def take_whole(self, head: Head, body: bytes, answered: Callable[[], None]) -> None:
        """The same for one of which all is there."""
        self.begin(head, answered)
        take, exchange, self._taker = self._taker, self.exchange, None
        if take is not None and exchange is not None:
            take(exchange, head, body)
            return
        if body:
            self.pass_on(body)
        self.end([])

    @property
    def awaits_bin(self) -> bool:
        """A bin answers it, and has not begun to."""
        return self._head is not None and self._head.target.startswith(_BINS) and not self.answer_begun

    @property
    def answer_begun(self) -> bool:
        """The application has begun to answer."""
        return self._cycle is not None and self._cycle.response_started

    def pass_on(self, body: bytes) -> None:
        """Give it some of its body."""
        cycle = self._cycle
        if self._taker is not None:
            self._waiting.append(body)
        elif cycle is not None and self.exchange is not None:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self._flow.pause_reading()
            cycle.message_event.set()

    def end(self, trailers: Pairs) -> None:
        """It is whole."""
        exchange, head = self.exchange, self._head
        if exchange is None or head is None:
            return
        exchange.trailers = trailers
        if self._taker is not None:
            take, self._taker = self._taker, None
            take(exchange, head, self._take_waiting())
        elif self._cycle is not None:
            self._cycle.end_body()

    def end_keep_alive(self) -> None:
        self.keep_alive = False
        if self._cycle is not None:
            self._cycle.keep_alive = False

    def leave_lane(self) -> None:
        """Give the application what the lane waits for, as much as has come of it."""
        if self._taker is None or self._head is None or self.exchange is None:
            return
        self._taker, body = None, self._take_waiting()
        self._start_cycle(self._head, self.exchange)
        if body:
            self.pass_on(body)

    def hang_up(self) -> None:
        """Tell the application that its peer is gone."""
        self.exchange = None
        if self._cycle is not None:
            self._cycle.disconnect()

    def lose(self, loop: asyncio.AbstractEventLoop) -> None:
        """Its connection is gone."""
        self.leave_lane()
        if self._cycle is not None:
            loop.call_soon(self._cycle.disconnect)  # behind the taking of what came of the body just now
        self.finish()

    def finish(self) -> None:
        """Let go of all of it: its cycle leads to the exchange, and that back to here."""
        self._cycle = self._head = self._taker = self.exchange = self._answered = None

    # What an exchange calls

    def answer(self, exchange: Exchange, *, status: int, fields: bytes, body: bytes) -> None:
        if self.exchange is not exchange:
            return
        if self._cycle is not None:
            self._cycle.settle()
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        lines = [STATUS_LINE[status], self._application.default_lines(), fields, end]
        if cast(Head, self._head).method != "HEAD":
            lines.append(body)
        self._transport.write(b"".join(lines))
        if not self.keep_alive:
            self._transport.close()
        self._end_answer()

    def break_off(self, exchange: Exchange) -> None:
        if self._give_up(exchange):
            self._transport.abort()

    def drop(self, exchange: Exchange, *, last_words: bytes, reset: bool) -> None:
        if not self._give_up(exchange):
            return
        if reset:
            reset_connection(self._transport)
            return
        if last_words:
            self._transport.write(last_words)
        self._transport.close()

    def _give_up(self, exchange: Exchange) -> bool:
        """Whether its answer was still to come; now none will."""
        if self.exchange is not exchange:
            return False
        self.exchange = None
        if self._cycle is not None:
            self._cycle.disconnected = self._cycle.response_complete = True
        return True

    # Its two ways

    def _taker_of(self, head: Head) -> Taker | None:
        if self._lane is None or head.length is None or head.length > MAX_LANE_BODY or head.expects_continue:
            return None
        return self._lane.taker_of(head)

    def _take_waiting(self) -> bytes:
        body = b"".join(self._waiting)
        self._waiting = []
        return body

    def _start_cycle(self, head: Head, exchange: Exchange) -> None:
        self._cycle = self._application.begin(head, exchange, keep_alive=self.keep_alive, answered=self._end_answer)

    def _end_answer(self) -> None:
        answered, self.exchange = self._answered, None
        if answered is not None:
            answered()
