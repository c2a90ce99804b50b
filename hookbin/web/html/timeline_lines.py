"""The timeline's lines: an attempt and the capture of it brought together on one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hookbin import clock
from hookbin.models.announcements import LogRow
from hookbin.models.deliveries import AttemptSummary, DeliveryState, Trigger
from hookbin.models.events import EventSummary
from hookbin.models.requests import RequestSummary
from hookbin.shapes.deliveries import AttemptRow, attempt_row
from hookbin.shapes.events import EventRow, event_row
from hookbin.shapes.requests import RequestRow, request_row


class TimelineLine(Struct, frozen=True, kw_only=True):
    """A line of the timeline: an event, or one side of a webhook call, or both when both are ours."""

    seq: int
    at: str
    event: EventRow | None = None
    attempt: AttemptRow | None = None
    request: RequestRow | None = None


_NO_ATTEMPT = AttemptSummary(
    delivery_id="",
    event_id="",
    event_type="",
    webhook_id="",
    webhook_name="",
    number=0,
    trigger=Trigger.AUTO,
    started_at=0,
    duration=0,
    delivery_state=DeliveryState.PENDING,
)
_NO_REQUEST = RequestSummary(
    bin_id="",
    received_at=0,
    method="",
    target="",
    http_version="",
    scheme="",
    client=None,
    size=0,
    answer_status=0,
)
_NO_EVENT = EventSummary(id="", type="", created_at=0, content_type="", size=0)
EMPTY = TimelineLine(
    seq=0, at="", event=event_row(_NO_EVENT), attempt=attempt_row(_NO_ATTEMPT), request=request_row(_NO_REQUEST)
)
"""What the rows in `<template>` elements are made from."""


def timeline_lines(rows: Sequence[LogRow]) -> list[TimelineLine]:
    """The log, newest first, with an attempt and the capture of it on one line: the newer one's."""
    places: dict[str, int] = {}
    lines: list[TimelineLine] = []
    for row in rows:
        line = _line(row)
        key = _attempt_of(row)
        if key is not None and key in places:
            other = lines[places[key]]
            if other.attempt is None or (other.request is None and line.attempt is None):
                lines[places[key]] = TimelineLine(
                    seq=other.seq,
                    at=other.at,
                    attempt=other.attempt or line.attempt,
                    request=other.request or line.request,
                )
                continue
        if key is not None:
            places[key] = len(lines)
        lines.append(line)
    return lines


def _line(row: LogRow) -> TimelineLine:
    if isinstance(row, RequestSummary):
        return TimelineLine(seq=row.seq, at=clock.rfc3339(row.received_at), request=request_row(row))
    if isinstance(row, AttemptSummary):
        return TimelineLine(seq=row.seq, at=clock.rfc3339(row.started_at), attempt=attempt_row(row))
    return TimelineLine(seq=row.seq, at=clock.rfc3339(row.created_at), event=event_row(row))


def _attempt_of(row: LogRow) -> str | None:
    if isinstance(row, AttemptSummary):
        return row.id
    return row.attempt_id if isinstance(row, RequestSummary) else None
