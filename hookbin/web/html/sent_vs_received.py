"""Both ends of one attempt held against each other: what was sent, what was captured, and what became of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hookbin.delivery.error_classes import ERROR_CLASSES
from hookbin.delivery.headers import MASK, is_secret
from hookbin.models.common import Headers
from hookbin.models.deliveries import Attempt, AttemptSummary, ErrorClass
from hookbin.models.requests import CapturedRequest, RequestSummary

_AROUND = 12
"""Bytes shown from where two bodies begin to differ."""
_STEP = 65_536


class HeaderLine(Struct, frozen=True, kw_only=True):
    """A header as it was sent and as it arrived; None where it was not."""

    name: str
    sent: str | None
    received: str | None
    received_name: str | None = None
    """Its name at the receiver, when that is written in another way."""

    @property
    def mark(self) -> str:
        if self.sent is None:
            return "added"
        if self.received is None:
            return "missing"
        if self.sent == MASK and is_secret(self.name):
            return "same"  # what was sent is not in the log
        return "same" if self.sent == self.received and self.received_name is None else "changed"


class Difference(Struct, frozen=True, kw_only=True):
    """The first place at which two bodies differ."""

    offset: int
    sent: str
    received: str
    """The next bytes at each end, escaped; empty where it has ended."""


class Comparison(Struct, frozen=True, kw_only=True):
    """What was sent, held against one capture of it."""

    headers: list[HeaderLine]
    in_order: bool
    """Whether the headers that arrived came in the order in which they were sent."""
    same_line: bool
    """Method and target alike."""
    difference: Difference | None
    """None when the bodies are equal."""

    @property
    def header_words(self) -> str:
        marks = [line.mark for line in self.headers]
        told = [f"{marks.count(mark)} {mark}" for mark in ("added", "changed", "missing") if mark in marks]
        same = marks.count("same")
        alike = "1 header arrived as it was sent" if same == 1 else f"{same} headers arrived as they were sent"
        order = "in their order" if self.in_order else "in another order"
        return f"{alike}, {order}" + (f"; {', '.join(told)}" if told else "") + "."

    @property
    def is_alike(self) -> bool:
        return self.in_order and self.same_line and all(line.mark == "same" for line in self.headers)


class Remark(Struct, frozen=True):
    """A sentence on what one end does not know of the other."""

    text: str
    warns: bool = True


def held(attempt: Attempt, request: CapturedRequest, *, sent: bytes) -> Comparison:
    """`sent` is the event's body."""
    lines, order = _lines(attempt.request_headers, request.headers)
    return Comparison(
        headers=lines,
        in_order=order == sorted(order),
        same_line=attempt.method == request.method and target_of(attempt.url) == request.target,
        difference=_difference(sent, request.body),
    )


def target_of(url: str) -> str:
    """What of a URL stands in the first line of a request (RFC 9112, 3.2.1)."""
    after = url.partition("://")[2].partition("#")[0]
    host = min((place for mark in "/?" if (place := after.find(mark)) >= 0), default=len(after))
    target = after[host:]
    return target if target.startswith("/") else f"/{target}"


def _lines(sent: Headers, received: Headers) -> tuple[list[HeaderLine], list[int]]:
    """Each header that was sent beside the one that arrived under its name, then those that came to it.

    Also the places at which those that were sent arrived.
    """
    rest = dict(enumerate(received))
    lines = []
    places = []
    for name, value in sent:
        same_name = [place for place, pair in rest.items() if pair[0].lower() == name.lower()]
        match = next((place for place in same_name if rest[place][1] == value), same_name[0] if same_name else None)
        if match is None:
            lines.append(HeaderLine(name=name, sent=value, received=None))
            continue
        places.append(match)
        arrived, received_value = rest.pop(match)
        other_name = None if arrived == name else arrived
        lines.append(HeaderLine(name=name, sent=value, received=received_value, received_name=other_name))
    return lines + [HeaderLine(name=name, sent=None, received=value) for name, value in rest.values()], places


def _difference(sent: bytes, received: bytes) -> Difference | None:
    if sent == received:
        return None
    least = min(len(sent), len(received))
    start = next((at for at in range(0, least, _STEP) if sent[at : at + _STEP] != received[at : at + _STEP]), least)
    offset = next((at for at in range(start, min(start + _STEP, least)) if sent[at] != received[at]), least)
    return Difference(offset=offset, sent=_bytes(sent, offset), received=_bytes(received, offset))


def _bytes(body: bytes, offset: int) -> str:
    """As a Python literal has them: readable where they are ASCII, exact where not."""
    return repr(body[offset : offset + _AROUND])[2:-1] + ("…" if len(body) > offset + _AROUND else "")


def of_captured(attempt: AttemptSummary, captures: Sequence[RequestSummary]) -> list[Remark]:
    """What is to be said of an attempt that is recorded and was captured by a bin of ours."""
    said = []
    if len(captures) > 1:
        said.append(
            Remark(
                f"The bin captured this attempt {len(captures)} times: it was sent again under the same ids, since the"
                " server had ended before its outcome was recorded, or its connection broke. A receiver knows the"
                " repeat by webhook-id."
            )
        )
    if attempt.error is not None:
        lost = _lost(attempt.error, captures[-1])
        said.append(Remark(f"The bin captured the request, but its answer was lost: {lost}"))
    elif len(captures) == 1 and captures[0].answer_status not in (None, attempt.status):
        said.append(Remark(f"The bin says that it answered {captures[0].answer_status}; {attempt.status} came back."))
    return said


def _lost(error: ErrorClass, capture: RequestSummary) -> str:
    lost = ERROR_CLASSES[error].lost
    if capture.answer_fault is not None:
        return f"{lost}, as the bin’s fault {capture.answer_fault!r} has it."
    if capture.incomplete:
        return f"{lost} before the whole body had arrived."
    if error is ErrorClass.TIMEOUT and capture.answer_delay_ms:
        return f"{lost} while the bin waited {capture.answer_delay_ms} ms to answer {capture.answer_status}."
    had = "" if capture.answer_status is None else f" The bin had {capture.answer_status} to answer."
    return f"{lost}.{had}"


def of_uncaptured(attempt: AttemptSummary, *, bin_name: str | None) -> Remark:
    """What is to be said of an attempt at a bin of ours that holds no request of it; None: there is no such bin."""
    if attempt.error is not None:
        may_have_come = ERROR_CLASSES[attempt.error].is_sent
        when = "it never arrived there" + (" whole, or is gone since" if may_have_come else "")
        return Remark(f"It was for a bin of this server, which holds no request of it: {when}.")
    if bin_name is None:
        gone = "there was none" if attempt.status == 404 else "it is deleted, with what it had captured"
        return Remark(f"It was for a bin of this server that is not there: {gone}.")
    if attempt.status is not None and attempt.status >= 400:
        return Remark(
            f"The bin {bin_name} holds no request of it: it was turned away before it was kept, or was deleted or"
            " trimmed since."
        )
    return Remark(f"The bin {bin_name} answered it, but holds it no longer: it was deleted or trimmed since.")


def of_unrecorded(number: int, *, captures: int, under_way: bool, pending: bool) -> Remark:
    """What is to be said of captures whose attempt is not in the log."""
    if under_way:
        return Remark(f"Attempt {number} is under way: the bin has captured it, its answer is awaited.", warns=False)
    times = "" if captures == 1 else f" {captures} times"
    follows = "It is sent again under the same ids." if pending else "Nothing more is planned for this delivery."
    return Remark(
        f"Attempt {number} was captured{times}, but its outcome was never recorded: the server ended in between."
        f" {follows}"
    )
