"""What bins answered before their response was changed: the last few of each bin."""

from __future__ import annotations

import msgspec

from hookbin.models.answers import BinResponse
from hookbin.models.bins import Bin
from hookbin.models.requests import RequestSummary
from hookbin.store.database import Database
from hookbin.store.transaction import Transaction

MAX_PAST = 20
"""Responses of one bin that are kept beside the one it has."""


def keep(transaction: Transaction, bin: Bin, *, now: int) -> None:
    """Inside the transaction that changes it: keep the response that answered up to now."""
    encoded = msgspec.json.encode(bin.response).decode()
    kept = (bin.key, transaction.last_seq, encoded, now)
    transaction.execute("REPLACE INTO past_responses (bin, upto, response, changed_at) VALUES (?, ?, ?, ?)", kept)
    older = "SELECT upto FROM past_responses WHERE bin = ?1 ORDER BY upto DESC LIMIT 1 OFFSET ?2"
    transaction.execute(
        f"UPDATE past_responses SET response = NULL WHERE bin = ?1 AND upto <= ({older})", (bin.key, MAX_PAST)
    )
    older = older.replace("?2", "?2 + 1")
    transaction.execute(f"DELETE FROM past_responses WHERE bin = ?1 AND upto <= ({older})", (bin.key, MAX_PAST))


def changed(transaction: Transaction, bin: Bin, *, now: int) -> None:
    """Note that the newest change of the bin's response is in force by now."""
    newest = "SELECT max(upto) FROM past_responses WHERE bin = ?1"
    transaction.execute(
        f"UPDATE past_responses SET changed_at = ?2 WHERE bin = ?1 AND upto = ({newest})", (bin.key, now)
    )


async def response_to(database: Database, bin: Bin, request: RequestSummary) -> BinResponse | None:
    """The response that the bin had when it captured that request.

    None when it is not kept any more, and when it was changed while that came: then nobody knows which it got.
    """
    of_bin = "FROM past_responses WHERE bin = ? AND"
    meanwhile = f"SELECT 1 {of_bin} upto < ? AND changed_at >= ? LIMIT 1"
    if await database.read(meanwhile, (bin.key, request.seq, request.received_at)):
        return None
    rows = await database.read(f"SELECT response {of_bin} upto >= ? ORDER BY upto LIMIT 1", (bin.key, request.seq))
    if not rows:
        return bin.response
    return None if rows[0][0] is None else msgspec.json.decode(rows[0][0], type=BinResponse)
