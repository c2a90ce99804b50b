"""One connection to a receiver: a request goes out over it, the answer is read from it, then the next.

It never sends anything twice, and takes nothing for an answer that came before a request was handed over.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import cast

from hookbin.models.deliveries import MAX_RAW, Certificate, ErrorClass
from hookbin.wire import failure
from hookbin.wire.answer import AnswerReader
from hookbin.wire.evidence import Evidence, Phase
from hookbin.wire.failure import Failure
from hookbin.wire.tls import TlsLayer

PIECE_BYTES = 256 * 1024
"""How much of a request body is handed over at a time."""
MAX_BUFFERED = 256 * 1024
"""Bytes of an answer's body that wait to be read; then no more is taken in."""
MAX_IDLE_SECONDS = 4.0
"""How long an idle connection is kept: common receivers close theirs after 5 s."""
RAW_SECONDS = 0.5
"""How long more is waited for of what is no HTTP, so that there is something to show."""
_SALVAGED = 16


class ClientConnection(asyncio.Protocol):
    """Opened by `open`; `exchange`, `read` to the end of the answer, then `release` or `close`."""

    def __init__(self, sock: socket.socket, place: str) -> None:
        """`place` is the destination's host and port, to speak of it."""
        self._sock = sock
        self._place = place
        self._transport: asyncio.Transport
        self._tls: TlsLayer | None = None
        self._reader: AnswerReader | None = None
        self._evidence: Evidence | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._early = b""
        self._is_full = False
        self._is_whole = True
        self._is_idle = False
        self._tls_error: ssl.SSLError | None = None
        self._idle_since = 0.0
        self._idle_limit = MAX_IDLE_SECONDS
        self._deadline: float | None = None
        """When the loop's clock says that the exchange has taken too long."""
        self._timer: asyncio.TimerHandle | None = None
        self.is_open = False
        self.address = ""
        self.tls_version: str | None = None
        self.certificate: Certificate | None = None

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await self._loop.create_connection(lambda: self, sock=self._sock)
        except BaseException:
            self._sock.close()
            raise

    def close(self) -> None:
        """End it at once."""
        self.is_open = False
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()

    def limit(self, seconds: float) -> None:
        """Let whoever waits until the next `release` get `TimeoutError` once so much time is over.

        The timer is moved when it runs out, and not with each request.
        """
        self._deadline = self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)

    async def secure(self, layer: TlsLayer) -> None:
        """Begin TLS. Raises `ssl.SSLError`, and `ConnectionError` when the peer ends the connection."""
        self._tls = layer
        while True:
            try:
                done = layer.handshake()
            finally:
                self._transport.write(layer.to_send())
            if done:
                break
            await self._wait()
            if not self.is_open:
                raise ConnectionResetError
        self.tls_version, self.certificate = layer.version, layer.certificate
        self._take_in(b"")  # what came with the last bytes of the handshake

    async def exchange(self, method: str, head: bytes, body: bytes, evidence: Evidence) -> AnswerReader:
        """Hand the request over, once, and wait for the head of its answer. Raises `Failure`."""
        if not evidence.reused:
            self._check_silence()
        reader = self._reader = AnswerReader(method)
        self._evidence = evidence
        self._is_idle = False
        evidence.phase = Phase.EXCHANGING
        evidence.handed_over = True
        if len(body) <= PIECE_BYTES:
            self._write(head + body)
        else:
            self._write(head)
            await self._send_pieces(reader, body)
        if self._is_whole:
            evidence.sent = evidence.monotonic()
        while reader.status is None and reader.error is None:
            await self._wait()
        if reader.error is not None:
            raise await self._failure(reader, evidence)
        return reader

    async def read(self) -> bytes:
        """The next piece of the answer's body; nothing at its end."""
        reader = self._reader
        assert reader is not None
        while not reader.body and not reader.is_done:
            await self._wait()
        piece, reader.body = bytes(reader.body), b""
        if not reader.is_done:
            self._transport.resume_reading()
        return piece

    @property
    def note(self) -> str | None:
        """What was odd about the answer."""
        assert self._reader is not None
        return "; ".join(self._reader.notes) or None

    def release(self, now: float) -> bool:
        """End the exchange; whether another can follow on this connection."""
        reader, self._reader, self._evidence, self._deadline = self._reader, None, None, None
        assert reader is not None
        self._is_idle, self._idle_since = True, now
        if reader.idle_limit is not None:
            self._idle_limit = min(MAX_IDLE_SECONDS, reader.idle_limit)
        return reader.is_done and reader.keeps and self._is_whole and self.is_open

    def is_usable(self, now: float) -> bool:
        """Whether it is open at this moment, was idle for a short time only, and nothing came meanwhile."""
        return self.is_open and now - self._idle_since < self._idle_limit and self._is_silent()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._tls is None:
            self._take_in(data)
        elif not self._tls.is_ready:
            self._tls.take_in(data)
            self._wake()
        else:
            self._take_in_secret(data)

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._salvage()
        self._end()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._wake()

    # Inside

    def _take_in_secret(self, data: bytes) -> None:
        assert self._tls is not None
        try:
            plain, ended = self._tls.decrypt(data)
        except ssl.SSLError as error:
            self._tls_error = error
            plain, ended = b"", True
        if answer := self._tls.to_send():
            self._transport.write(answer)
        self._take_in(plain)
        if ended:
            self._end()

    def _take_in(self, data: bytes) -> None:
        reader, evidence = self._reader, self._evidence
        if not data:
            return
        if reader is None or evidence is None:
            self._early = (self._early + data)[:MAX_RAW]
            if self._is_idle:
                self.close()
            return
        if evidence.first_byte is None:
            evidence.first_byte = evidence.monotonic()
        reader.feed(data)
        if reader.is_done:
            if evidence.last_byte is None:
                evidence.last_byte = evidence.monotonic()
        elif len(reader.body) > MAX_BUFFERED:
            self._transport.pause_reading()
        self._wake()

    def _end(self) -> None:
        """No more comes, or it could not be read."""
        self.is_open = False
        reader, evidence = self._reader, self._evidence
        if reader is not None and evidence is not None and not reader.is_done:
            reader.end()
            if reader.status is not None:
                evidence.last_byte = evidence.monotonic()
        self._wake()

    def _salvage(self) -> bool:
        """Read what has come, such as an early answer before the reset that refused the rest; whether the end came."""
        with suppress(OSError):
            for _ in range(_SALVAGED):
                if not (data := self._sock.recv(MAX_RAW)):
                    return True
                self.data_received(data)
        return False

    def _is_silent(self) -> bool:
        """One look at the descriptor: nothing to be read, not even that it was closed."""
        if self._early or (self._tls is not None and self._tls.has_more):
            return False
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _check_silence(self) -> None:
        """Whoever speaks before it is asked does not speak HTTP.

        What can be read of a new connection by TLS may be its session tickets (RFC 8446, 4.6.1), so it is read:
        only what was said inside counts; or that the peer refuses our certificate, or that we show none (4.4.2.4).
        """
        if self._tls is None and self.is_open and self._is_silent():
            return
        has_ended = self._salvage()
        if self._tls is not None and self.is_open and not has_ended and not self._early:
            return
        if self._tls_error is not None:
            raise failure.no_tls(self._tls_error, self._place)
        if self._early:
            detail = f"{self._place} spoke before it was asked, as no receiver of HTTP does"
            raise Failure(ErrorClass.PROTOCOL_ERROR, detail, raw=self._early)
        raise Failure(ErrorClass.CONNECTION_RESET, f"{self._place} closed the connection before it was asked anything")

    def _write(self, data: bytes) -> None:
        self._transport.write(data if self._tls is None else self._tls.encrypt(data))

    async def _send_pieces(self, reader: AnswerReader, body: bytes) -> None:
        """Until it is out, or an answer says that it need not go on."""
        for start in range(0, len(body), PIECE_BYTES):
            if self._is_answered(reader):
                self._is_whole = False
                return
            self._write(body[start : start + PIECE_BYTES])
            while self._is_full and not self._is_answered(reader):
                await self._wait()

    def _is_answered(self, reader: AnswerReader) -> bool:
        if not self.is_open or reader.is_done or reader.error is not None or len(reader.body) > MAX_BUFFERED:
            return True
        return reader.status is not None and reader.status >= 300

    async def _failure(self, reader: AnswerReader, evidence: Evidence) -> Failure:
        if self._tls_error is not None:
            return failure.no_tls(self._tls_error, self._place)
        if reader.error is ErrorClass.CONNECTION_RESET:
            detail = self._cut_off(reader, reused=evidence.reused)
            return Failure(ErrorClass.CONNECTION_RESET, detail, raw=reader.raw or None)
        assert reader.error is not None
        found = Failure(reader.error, reader.detail)
        try:
            async with asyncio.timeout(RAW_SECONDS):
                while self.is_open and len(reader.raw) < MAX_RAW:
                    await self._wait()
        except TimeoutError:
            pass
        found.raw = reader.raw
        return found

    def _cut_off(self, reader: AnswerReader, *, reused: bool) -> str:
        if reader.raw:
            return f"{self._place} closed the connection within the first line of its answer"
        if reused:
            return "the receiver closed the kept connection"
        return f"{self._place} closed the connection without an answer"

    async def _wait(self) -> None:
        """Until something happens. Raises `TimeoutError` when the time is over."""
        if self._deadline is not None and self._timer is None:
            raise TimeoutError
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _look_at_deadline(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(TimeoutError())
