"""Both ends of one attempt compared: what was sent, what was captured, and what became of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hookbin.delivery.error_classes import ERROR_CLASSES
from hookbin.models.deliveries import Attempt, AttemptSummary, ErrorClass
from hookbin.models.requests import CapturedRequest, RequestSummary
from hookbin.shapes import comparison
from hookbin.shapes.comparison import Comparison, Message

_SHOWN = 12
"""Bytes shown from where two bodies begin to differ."""


class FirstDifference(Struct, frozen=True, kw_only=True):
    """The first place at which the bodies of the two ends differ."""

    offset: int
    sent: str
    received: str
    """The next bytes at each end, escaped; empty where it has ended."""


class Remark(Struct, frozen=True):
    """A sentence on what one end does not know of the other."""

    text: str
    warns: bool = True


def compare(attempt: Attempt, request: CapturedRequest, *, sent: bytes) -> Comparison:
    """What was sent, compared with one capture of it; `sent` is the event's body."""
    return comparison.compare(
        Message(
            method=attempt.method,
            target=target_of(attempt.url),
            headers=attempt.request_headers,
            body=sent,
            masked=True,
        ),
        Message(method=request.method, target=request.target, headers=request.headers, body=request.body),
    )


def target_of(url: str) -> str:
    """What of a URL stands in the first line of a request (RFC 9112, 3.2.1)."""
    after = url.partition("://")[2].partition("#")[0]
    host = min((place for mark in "/?" if (place := after.find(mark)) >= 0), default=len(after))
    target = after[host:]
    return target if target.startswith("/") else f"/{target}"


def header_words(found: Comparison) -> str:
    """How the headers arrived, in a sentence."""
    marks = [line.mark for line in found.headers]
    told = [f"{marks.count(mark)} {mark}" for mark in ("added", "changed", "missing") if mark in marks]
    same = marks.count("same")
    alike = "1 header arrived as it was sent" if same == 1 else f"{same} headers arrived as they were sent"
    order = "in their order" if found.in_order else "in another order"
    return f"{alike}, {order}" + (f"; {', '.join(told)}" if told else "") + "."


def first_difference(found: Comparison, *, sent: bytes, received: bytes) -> FirstDifference | None:
    offset = found.first_difference
    if offset is None:
        return None
    return FirstDifference(offset=offset, sent=_bytes(sent, offset), received=_bytes(received, offset))


def _bytes(body: bytes, offset: int) -> str:
    """As a Python literal has them: readable where they are ASCII, exact where not."""
    return repr(body[offset : offset + _SHOWN])[2:-1] + ("…" if len(body) > offset + _SHOWN else "")


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
