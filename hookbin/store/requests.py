"""Captured requests: written once, read back by bin or by number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hookbin.clock import seq_id
from hookbin.errors import TooManyPinned
from hookbin.models.announcements import RequestChanged
from hookbin.models.bins import Bin
from hookbin.models.common import Headers
from hookbin.models.requests import CapturedRequest, Malformed, RequestSummary
from hookbin.store.database import Database, Row
from hookbin.store.publishing import Publication, insert, usable_ids
from hookbin.store.sequences import SequencePosition
from hookbin.store.transaction import Transaction

SUMMARY = (
    "seq, received_at, method, target, http_version, scheme, client, content_type, size, truncated, incomplete,"
    " declared_size, answer_status, answer_rule, answer_delay_ms, answer_fault, answer_error, attempt_id, signature,"
    " signature_scheme, signature_reason, note, pinned, malformed, flags"
)
FULL = f"{SUMMARY}, bins.id, trailers, headers, body"
"""What `request_from_row` takes."""
_FIELDS = SUMMARY.split(", ")
_PLAIN = (
    "received_at, method, target, http_version, scheme, client, content_type, size, truncated, incomplete,"
    " declared_size, answer_status, answer_delay_ms, attempt_id, signature, bin, headers, body"
)
_CHOSEN = (
    "answer_rule, answer_fault, answer_error, signature_scheme, signature_reason, note, pinned, malformed, flags,"
    " trailers"
)
"""What most captures have nothing in: they are written without, which saves a third of the values to bind."""
_INSERT_PLAIN = f"INSERT INTO requests (seq, {_PLAIN}) VALUES ({', '.join('?' * 19)})"
_INSERT = f"INSERT INTO requests (seq, {_CHOSEN}, {_PLAIN}) VALUES ({', '.join('?' * 29)})"
_COUNT_POSITION = "UPDATE bins SET sequence_position = sequence_position + 1 WHERE key = ? AND sequence_run = ?"
"""A run that is over, since the response was changed meanwhile, is not counted on."""
_NOTHING = (None, None, None, None, None, None, False, None, None, None)
MAX_PINNED = 100
"""Requests of one bin that can be pinned: what is pinned is never trimmed."""
_encode = msgspec.json.Encoder().encode
_decode_headers = msgspec.json.Decoder(Headers).decode
_decode_malformed = msgspec.json.Decoder(Malformed).decode
_decode_flags = msgspec.json.Decoder(tuple[str, ...]).decode


class RequestStore:
    """The requests of all bins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        request: CapturedRequest,
        bin: Bin,
        *,
        position: SequencePosition | None = None,
        forward: Publication | None = None,
    ) -> None:
        """Commit one captured request, with it the place in the sequence that answers it, and what is forwarded of it.

        What is forwarded is told the request's id, which is made of its number.
        """
        plain = (
            request.received_at,
            request.method,
            request.target,
            request.http_version,
            request.scheme,
            request.client,
            request.content_type,
            request.size,
            request.truncated,
            request.incomplete,
            request.declared_size,
            request.answer_status,
            request.answer_delay_ms,
            request.attempt_id,
            request.signature,
            bin.key,
            _encode(request.headers),
            request.body,
        )
        chosen = _chosen(request)
        sql, params = (_INSERT_PLAIN, plain) if chosen is None else (_INSERT, (*chosen, *plain))
        if position is None and forward is None:
            await self._database.insert(sql, params, row=request, size=request.size)
            return

        def add_with_what_follows(transaction: Transaction) -> None:
            transaction.record(request)
            transaction.execute(sql, (request.seq, *params))
            if position is not None:
                transaction.execute(_COUNT_POSITION, (bin.key, position.run))
            if forward is not None:
                _forward(transaction, forward, request_id=seq_id("req_", request.seq))

        size = request.size if forward is None else 2 * request.size
        await self._database.transact(add_with_what_follows, size=size)

    async def get(self, seq: int) -> CapturedRequest | None:
        rows = await self._database.read(
            f"SELECT {FULL} FROM requests JOIN bins ON bins.key = bin WHERE seq = ?",
            (seq,),
        )
        return request_from_row(rows[0]) if rows else None

    async def edit(self, seq: int, change: Callable[[RequestSummary], RequestSummary]) -> RequestSummary | None:
        """Write the note and the pin that `change` makes of it, inside one transaction; None if there is none.

        Raises `TooManyPinned`.
        """

        def edit_note_and_pin(transaction: Transaction) -> RequestSummary | None:
            sql = f"SELECT {SUMMARY}, bins.id, bin FROM requests JOIN bins ON bins.key = bin WHERE seq = ?"
            found = transaction.execute(sql, (seq,)).fetchone()
            if found is None:
                return None
            *row, bin_id, bin = found
            before = summary_from_row(tuple(row), bin_id=bin_id)
            after = change(before)
            if after.pinned > before.pinned:
                _check_room_for_pin(transaction, bin)
            sql = "UPDATE requests SET note = ?, pinned = ? WHERE seq = ?"
            transaction.execute(sql, (after.note, after.pinned, seq))
            transaction.announce(RequestChanged(request=after, pinned=after.pinned - before.pinned))
            return after

        return await self._database.transact(edit_note_and_pin)

    async def of_attempts(self, attempt_ids: Sequence[str]) -> dict[str, list[RequestSummary]]:
        """The captures of each attempt, oldest first: none, one, or more when it was repeated after a crash."""
        found: dict[str, list[RequestSummary]] = {id: [] for id in attempt_ids}
        summary = ", ".join(f"r.{field}" for field in _FIELDS)
        marks = ", ".join("?" * len(attempt_ids))
        rows = await self._database.read(
            f"SELECT bins.id, {summary} FROM requests r JOIN bins ON bins.key = bin"
            f" WHERE attempt_id IN ({marks}) ORDER BY seq",
            tuple(attempt_ids),
        )
        for bin_id, *fields in rows:
            request = summary_from_row(tuple(fields), bin_id=bin_id)
            found[request.attempt_id or ""].append(request)
        return found

    async def list(self, bin: Bin, *, limit: int, before: int | None) -> list[RequestSummary]:
        """The newest first, those with a `seq` under `before` only."""
        rows = await self._database.read(
            f"SELECT {SUMMARY} FROM requests WHERE bin = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (bin.key, before if before is not None else 2**63 - 1, limit),
        )
        return [summary_from_row(row, bin_id=bin.id) for row in rows]


def _chosen(request: CapturedRequest) -> tuple[object, ...] | None:
    """The values of `_CHOSEN`; None when there are none."""
    values = (
        request.answer_rule,
        request.answer_fault,
        request.answer_error,
        request.signature_scheme,
        request.signature_reason,
        request.note,
        request.pinned,
        None if request.malformed is None else _encode(request.malformed).decode(),
        _encode(request.flags).decode() if request.flags else None,
        _encode(request.trailers) if request.trailers else None,
    )
    return None if values == _NOTHING else values


def _forward(transaction: Transaction, forward: Publication, *, request_id: str) -> None:
    """Write what is forwarded of a request, unless all its targets were taken away meanwhile."""
    if usable_ids(transaction, [delivery.webhook_id for delivery in forward.deliveries]):
        event = msgspec.structs.replace(forward.event, request_id=request_id)
        insert(transaction, msgspec.structs.replace(forward, event=event))


def _check_room_for_pin(transaction: Transaction, bin: int) -> None:
    ((pinned,),) = transaction.execute("SELECT count(*) FROM requests WHERE bin = ? AND pinned", (bin,))
    if pinned >= MAX_PINNED:
        raise TooManyPinned(f"{MAX_PINNED} requests of this bin are pinned, as many as can be; unpin one first")


def summary_from_row(row: Row, *, bin_id: str) -> RequestSummary:
    return RequestSummary(bin_id=bin_id, **_summary_fields(row))


def request_from_row(row: Row) -> CapturedRequest:
    *summary, bin_id, trailers, headers, body = row
    return CapturedRequest(
        bin_id=bin_id,
        trailers=() if trailers is None else _decode_headers(trailers),
        headers=_decode_headers(headers),
        body=body,
        **_summary_fields(tuple(summary)),
    )


def _summary_fields(row: Row) -> dict[str, Any]:
    fields = dict(zip(_FIELDS, row, strict=True))
    for name in ("truncated", "incomplete", "pinned"):
        fields[name] = bool(fields[name])
    fields["malformed"] = None if fields["malformed"] is None else _decode_malformed(fields["malformed"])
    fields["flags"] = () if fields["flags"] is None else _decode_flags(fields["flags"])
    return fields
