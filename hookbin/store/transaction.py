"""What work can do inside a batch: run statements, take numbers of the log, say what is announced after the commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from msgspec.structs import force_setattr

from hookbin.models.announcements import Announcement, LogRow

_ROWS_AT_ONCE = (64, 16, 4, 1)
"""Rows that one statement inserts: few sizes, so that SQLite finds each statement prepared."""


def insert_into(table: str, columns: Sequence[str], *, zero: Sequence[str] = ()) -> str:
    """The statement that `Transaction.insert_rows` takes, for rows with a value for each of these columns.

    Those of `zero` get a 0, without a value to bind: `sqlite3` takes five times as long for a None or a False
    as for an integer, since it looks for an adapter first.
    """
    values = ", ".join([*"?" * len(columns), *"0" * len(zero)])
    return f"INSERT INTO {table} ({', '.join([*columns, *zero])}) VALUES ({values})"


class Transaction:
    """One transaction of the writer, handed to the work that runs in it; SQLite is spoken to through it alone.

    What is numbered and announced here counts only once it is committed: after a rollback to a `mark`
    the numbers are given again.
    """

    __slots__ = ("_connection", "announcements", "last_seq")

    def __init__(self, connection: sqlite3.Connection, *, last_seq: int) -> None:
        self._connection = connection
        self.last_seq = last_seq
        """The last number that was given."""
        self.announcements: list[Announcement] = []
        """What the listeners are told after the commit, in the order in which it was written."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, params)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> sqlite3.Cursor:
        return self._connection.executemany(sql, rows)

    def insert_rows(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run `INSERT … VALUES (?, …)` for all rows with as few calls as there may be."""
        self.run_with_rows(sql + "{more}", rows)

    def run_with_rows(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement that has `VALUES (?, …){more}` for all rows, with as few calls as there may be.

        `executemany` gives the interpreter's lock away and takes it back once a row, and each time
        the event loop may hold it for long; a statement of many rows does so once.
        """
        done = 0
        for size in _ROWS_AT_ONCE:
            while len(rows) - done >= size:
                statement = _statement(sql, size)
                self._connection.execute(statement, list(chain.from_iterable(rows[done : done + size])))
                done += size

    def record(self, *rows: LogRow) -> None:
        """Give rows of the log their numbers, and announce them; whoever calls this writes them next.

        Nobody else has seen a row of that number yet, so it is filled in where it stands.
        """
        for seq, row in enumerate(rows, self.last_seq + 1):
            force_setattr(row, "seq", seq)
        self.last_seq += len(rows)
        self.announcements += rows

    def announce(self, *rows: Announcement) -> None:
        """Tell of what stands beside the log: settings, and rows that were changed or deleted."""
        self.announcements += rows

    @property
    def mark(self) -> tuple[int, int]:
        return self.last_seq, len(self.announcements)

    def forget_since(self, mark: tuple[int, int]) -> None:
        """Take back what was numbered and announced since then; the statements are the caller's to undo."""
        self.last_seq, announced = mark
        del self.announcements[announced:]


@lru_cache(maxsize=256)
def _statement(sql: str, rows: int) -> str:
    head, _, tail = sql.partition("{more}")
    return head + f", {head[head.rindex('(') :]}" * (rows - 1) + tail
