"""What is said to a peer whose message is not taken, and what is told of it to the owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from hookbin.errors import HeadTooLarge, HookbinError, MalformedRequest, Overloaded, SenderTimedOut
from hookbin.problems import problem_answer, status_of
from hookbin.wire.head import MAX_FIELDS, MAX_HEAD, NO_REQUEST
from hookbin.wire.malformed import find_fault

MAX_KEPT = 256 * 1024
"""Bytes of a refused message that are told of."""


class Refusal(Struct, frozen=True, kw_only=True):
    """A message that was answered by the protocol itself and reached nobody."""

    status: int
    reason: str
    offset: int
    """The byte of the message at which it went wrong."""
    received: bytes
    """The message from its first byte, as far as it came and is kept."""
    answer: bytes


Refused: TypeAlias = Callable[[Refusal, tuple[str, int] | None, Callable[[bytes], None]], None]
"""Is told of a refusal and its peer, and calls the last, with more header lines, when the peer can be answered."""


class MessageRefused(Exception):
    """Ends a message and its connection."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def last_answer(error: HookbinError) -> bytes:
    """The error as a whole answer, behind which the connection is closed."""
    answer = problem_answer(error)
    fields = (b"%b: %b\r\n" % field for field in (*answer.headers, (b"connection", b"close")))
    return b"".join((STATUS_LINE[answer.status], *fields, b"\r\n", answer.body))


def with_fields(answer: bytes, fields: bytes) -> bytes:
    """A whole answer with more header lines."""
    status_line, end, rest = answer.partition(b"\r\n")
    return b"".join((status_line, end, fields, rest))


TIMED_OUT = last_answer(SenderTimedOut("the rest of the request did not come in time; send it again, without a pause"))
FULL = last_answer(
    Overloaded("more connections are open than the server takes, or takes of one peer; send it again in a second")
)
BROKEN_BODY = last_answer(MalformedRequest("a chunk of the body is not as RFC 9112, 7.1 has it; what came was cut off"))
LARGE_TRAILERS = last_answer(
    HeadTooLarge(f"the trailers are more than {MAX_FIELDS:,}, or longer than {MAX_HEAD // 1024} KiB; send fewer")
)


def malformed(received: bytes, *, size: int, otherwise: str = NO_REQUEST) -> Refusal:
    """For a message that is no HTTP; its head, or as much of it as came, is `size` bytes long."""
    fault = find_fault(received[:size], otherwise=otherwise)
    return _refusal(MalformedRequest(f"{fault.reason} (byte {fault.offset:,})"), fault.reason, fault.offset, received)


def too_large(received: bytes) -> Refusal:
    reason = f"the request line and headers are longer than {MAX_HEAD // 1024} KiB, or more than {MAX_FIELDS:,} fields"
    return _refusal(HeadTooLarge(f"{reason}; send less"), reason, min(len(received), MAX_HEAD), received)


def without_end(received: bytes) -> Refusal:
    """For a head whose rest did not come in time."""
    reason = "the head did not come to its end in time"
    return Refusal(
        status=status_of(SenderTimedOut), reason=reason, offset=len(received), received=received, answer=TIMED_OUT
    )


def _refusal(error: HookbinError, reason: str, offset: int, received: bytes) -> Refusal:
    return Refusal(
        status=status_of(type(error)),
        reason=reason,
        offset=offset,
        received=received[:MAX_KEPT],
        answer=last_answer(error),
    )
