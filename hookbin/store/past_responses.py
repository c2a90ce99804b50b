"""What bins answered before their response was changed: the last few of each bin."""

from __future__ import annotations

import msgspec

from hookbin.models.answers import BinResponse
from hookbin.models.bins import Bin
from hookbin.store.database import Database
from hookbin.store.transaction import Transaction

MAX_PAST = 20
"""Responses of one bin that are kept beside the one it has."""


def keep(transaction: Transaction, bin: Bin) -> None:
    """Inside the transaction that changes it: keep the response that answered up to now."""
    encoded = msgspec.json.encode(bin.response).decode()
    transaction.execute("REPLACE INTO past_responses VALUES (?, ?, ?)", (bin.key, transaction.last_seq, encoded))
    older = "SELECT upto FROM past_responses WHERE bin = ?1 ORDER BY upto DESC LIMIT 1 OFFSET ?2"
    transaction.execute(
        f"UPDATE past_responses SET response = NULL WHERE bin = ?1 AND upto <= ({older})", (bin.key, MAX_PAST)
    )
    older = older.replace("?2", "?2 + 1")
    transaction.execute(f"DELETE FROM past_responses WHERE bin = ?1 AND upto <= ({older})", (bin.key, MAX_PAST))


async def response_to(database: Database, bin: Bin, seq: int) -> BinResponse | None:
    """The response that the bin had when it captured that request; None when it is not kept any more."""
    rows = await database.read(
        "SELECT response FROM past_responses WHERE bin = ? AND upto >= ? ORDER BY upto LIMIT 1", (bin.key, seq)
    )
    if not rows:
        return bin.response
    return None if rows[0][0] is None else msgspec.json.decode(rows[0][0], type=BinResponse)
