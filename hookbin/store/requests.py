"""Captured requests: written once, read back by bin or by number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from hookbin.bodies.limits import HEADLINE
from hookbin.clock import MAX_SEQ, seq_id
from hookbin.errors import TooManyPinned
from hookbin.models.announcements import RequestChanged
from hookbin.models.bins import Bin
from hookbin.models.common import Headers
from hookbin.models.requests import CapturedRequest, Malformed, Opening, RequestSummary
from hookbin.store.database import Database, Outcome
from hookbin.store.publishing import Publication, insert, usable_ids
from hookbin.store.readers import Row
from hookbin.store.sequences import SequencePosition
from hookbin.store.transaction import Transaction, insert_into

_FIELDS = [field for field in RequestSummary.__struct_fields__ if field != "bin_id"]
SUMMARY = ", ".join(_FIELDS)
FULL = f"{SUMMARY}, bins.id, trailers, headers, body"
"""What `request_from_row` takes."""
_ZERO = ("truncated", "incomplete", "answer_delay_ms")
_CHOSEN = (
    *_ZERO,
    *("answer_rule", "answer_fault", "answer_error", "attempt_id", "signature_scheme", "signature_reason"),
    *("note", "pinned", "malformed", "flags", "trailers"),
)
"""What most captures have nothing in: they are written without, which saves half of the values to bind."""
_PLAIN = [field for field in _FIELDS[1:] if field not in _CHOSEN]
_chosen_values, _plain_values = attrgetter(*_CHOSEN), attrgetter(*_PLAIN)
_NOTHING = (False, False, 0, None, None, None, None, None, None, None, False, None, (), ())
_INSERT_PLAIN = insert_into("requests", ["seq", *_PLAIN, "bin", "headers", "body"], zero=_ZERO)
_INSERT = insert_into("requests", ["seq", *_CHOSEN, *_PLAIN, "bin", "headers", "body"])
_COUNT_POSITION = "UPDATE bins SET sequence_position = sequence_position + 1 WHERE key = ? AND sequence_run = ?"
"""A run that is over, since the response was changed meanwhile, is not counted on."""
MAX_PINNED = 100
"""Requests of one bin that can be pinned: what is pinned is never trimmed."""
_encode = msgspec.json.Encoder().encode
_decode_headers = msgspec.json.Decoder(Headers).decode
_decode_malformed = msgspec.json.Decoder(Malformed).decode
_decode_flags = msgspec.json.Decoder(tuple[str, ...]).decode


_OPENING = f"headers, CASE WHEN size <= {HEADLINE} THEN body ELSE x'' END"
"""The body is not even read where it is large."""


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
        sql, params = _insertion(request, bin)
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

    def add_plain(self, request: CapturedRequest, bin: Bin, outcome: Outcome[None]) -> None:
        """The same for one that has nothing of `_CHOSEN`, without awaiting: `outcome` is told after the commit."""
        params = _plain_params(request, bin)
        self._database.insert_soon(_INSERT_PLAIN, params, row=request, size=request.size, outcome=outcome)

    async def get(self, seq: int) -> CapturedRequest | None:
        rows = await self._database.read(
            f"SELECT {FULL} FROM shown_requests JOIN shown_bins AS bins ON bins.key = bin WHERE seq = ?",
            (seq,),
        )
        return request_from_row(rows[0]) if rows else None

    async def openings(self, seqs: Sequence[int]) -> dict[int, Opening]:
        """What each of them begins with, of those that are there."""
        marks = ", ".join("?" * len(seqs))
        rows = await self._database.read(f"SELECT seq, {_OPENING} FROM requests WHERE seq IN ({marks})", tuple(seqs))
        return {seq: _opening(*row) for seq, *row in rows}

    async def body_length(self, seq: int) -> int | None:
        """Bytes that are kept of a body; None if there is no such request."""
        rows = await self._database.read("SELECT length(body) FROM requests WHERE seq = ?", (seq,))
        return rows[0][0] if rows else None

    async def body_piece(self, seq: int, start: int, *, size: int) -> bytes:
        """Up to `size` bytes of a body; none if it is gone. SQLite goes through all of it each time."""
        rows = await self._database.read(
            "SELECT substr(body, ?, ?) FROM requests WHERE seq = ?", (start + 1, size, seq)
        )
        return rows[0][0] if rows else b""

    async def edit(self, seq: int, change: Callable[[RequestSummary], RequestSummary]) -> RequestSummary | None:
        """Write the note and the pin that `change` makes of it, inside one transaction; None if there is none.

        Raises `TooManyPinned`.
        """

        def edit_note_and_pin(transaction: Transaction) -> RequestSummary | None:
            tables = "shown_requests JOIN shown_bins AS bins ON bins.key = bin"
            sql = f"SELECT {SUMMARY}, bins.id, bin FROM {tables} WHERE seq = ?"
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
            ((headers, body),) = transaction.execute(f"SELECT {_OPENING} FROM requests WHERE seq = ?", (seq,))
            transaction.announce(
                RequestChanged(request=after, opening=_opening(headers, body), pinned=after.pinned - before.pinned)
            )
            return after

        return await self._database.transact(edit_note_and_pin)

    async def of_attempts(self, attempt_ids: Sequence[str]) -> dict[str, list[RequestSummary]]:
        """The captures of each attempt, oldest first: none, one, or more when it was repeated after a crash."""
        found: dict[str, list[RequestSummary]] = {id: [] for id in attempt_ids}
        summary = ", ".join(f"r.{field}" for field in _FIELDS)
        marks = ", ".join("?" * len(attempt_ids))
        rows = await self._database.read(
            f"SELECT bins.id, {summary} FROM shown_requests r JOIN shown_bins AS bins ON bins.key = bin"
            f" WHERE attempt_id IN ({marks}) ORDER BY seq",
            tuple(attempt_ids),
        )
        for bin_id, *fields in rows:
            request = summary_from_row(tuple(fields), bin_id=bin_id)
            found[request.attempt_id or ""].append(request)
        return found

    async def list(self, bin: Bin, *, limit: int, before: int | None) -> list[RequestSummary]:
        """Return a bin's requests, the newest first, those with a `seq` under `before` only."""
        rows = await self._database.read(
            f"SELECT {SUMMARY} FROM shown_requests WHERE bin = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (bin.key, MAX_SEQ if before is None else before, limit),
        )
        return [summary_from_row(row, bin_id=bin.id) for row in rows]


def _insertion(request: CapturedRequest, bin: Bin) -> tuple[str, tuple[object, ...]]:
    """The statement, and its values behind the number."""
    params = _plain_params(request, bin)
    chosen = _chosen_values(request)
    return (_INSERT_PLAIN, params) if chosen == _NOTHING else (_INSERT, (*_encoded(chosen), *params))


def _plain_params(request: CapturedRequest, bin: Bin) -> tuple[object, ...]:
    return (*_plain_values(request), bin.key, _encode(request.headers), request.body)


def _encoded(chosen: tuple[Any, ...]) -> tuple[object, ...]:
    """The values of `_CHOSEN` as they are written."""
    *values, malformed, flags, trailers = chosen
    return (
        *values,
        None if malformed is None else _encode(malformed).decode(),
        _encode(flags).decode() if flags else None,
        _encode(trailers) if trailers else None,
    )


def _forward(transaction: Transaction, forward: Publication, *, request_id: str) -> None:
    """Write what is forwarded of a request, unless all its targets were taken away meanwhile."""
    if usable_ids(transaction, [delivery.webhook_id for delivery in forward.deliveries]):
        event = msgspec.structs.replace(forward.event, request_id=request_id)
        insert(transaction, msgspec.structs.replace(forward, event=event))


def _check_room_for_pin(transaction: Transaction, bin: int) -> None:
    ((pinned,),) = transaction.execute("SELECT count(*) FROM requests WHERE bin = ? AND pinned", (bin,))
    if pinned >= MAX_PINNED:
        raise TooManyPinned(f"{MAX_PINNED} requests of this bin are pinned, as many as can be; unpin one first")


def _opening(headers: bytes, body: bytes) -> Opening:
    return Opening(headers=_decode_headers(headers), body=body)


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
