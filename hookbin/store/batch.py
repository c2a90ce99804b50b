"""One group commit, as one synchronous function on the writing thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain, groupby
from typing import Any, TypeAlias, TypeVar

from hookbin.errors import StorageFailed

T = TypeVar("T")
Statement: TypeAlias = tuple[str, Sequence[Any]]
Work: TypeAlias = Statement | Callable[[sqlite3.Connection], T]
Result: TypeAlias = T | Exception

_ROWS_AT_ONCE = (64, 16, 4, 1)
"""Rows that one statement inserts: few sizes, so that SQLite finds each statement prepared."""
_STORAGE_ERRORS = (sqlite3.OperationalError, sqlite3.InternalError)


def commit(connection: sqlite3.Connection, batch: Sequence[Work[Any]]) -> list[Result[Any]]:
    """Write the whole batch in one transaction; the result, or the error, of each in its order.

    A failure that belongs to one piece of work (a constraint, a wrong type) undoes the batch,
    which is then done again piece by piece, so that only the culprit gets the error. A failure
    of the storage (disk full, I/O error) is everyone's: nothing of the batch is kept.
    """
    try:
        try:
            return _in_transaction(connection, _together, batch)
        except _STORAGE_ERRORS:
            raise
        except Exception:
            return _in_transaction(connection, _one_by_one, batch)
    except Exception as error:
        failure = StorageFailed(f"the database could not be written ({error}); free some space, then send it again")
        return [failure] * len(batch)


def _in_transaction(
    connection: sqlite3.Connection,
    write: Callable[[sqlite3.Connection, Sequence[Work[Any]]], list[Result[Any]]],
    batch: Sequence[Work[Any]],
) -> list[Result[Any]]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = write(connection, batch)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _together(connection: sqlite3.Connection, batch: Sequence[Work[Any]]) -> list[Result[Any]]:
    results: list[Result[Any]] = []
    for sql, group in groupby(batch, key=_sql):
        if sql is None:
            results.extend(work(connection) for work in group if callable(work))
        else:
            params = [work[1] for work in group if not callable(work)]
            _insert(connection, sql, params)
            results.extend([None] * len(params))
    return results


def _insert(connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run `INSERT … VALUES (?, …)` for all rows with as few calls as there may be.

    `executemany` gives the interpreter's lock away and takes it back once a row, and each time
    the event loop may hold it for long; a statement of many rows does so once.
    """
    more = f", ({', '.join('?' * len(rows[0]))})"
    done = 0
    for size in _ROWS_AT_ONCE:
        statement = sql + more * (size - 1)
        while len(rows) - done >= size:
            connection.execute(statement, list(chain.from_iterable(rows[done : done + size])))
            done += size


def _one_by_one(connection: sqlite3.Connection, batch: Sequence[Work[Any]]) -> list[Result[Any]]:
    results: list[Result[Any]] = []
    for work in batch:
        connection.execute("SAVEPOINT one")
        try:
            results.append(_run(connection, work))
        except _STORAGE_ERRORS:
            raise
        except Exception as error:
            connection.execute("ROLLBACK TO one")
            results.append(error)
        connection.execute("RELEASE one")
    return results


def _run(connection: sqlite3.Connection, work: Work[Any]) -> Any:
    if callable(work):
        return work(connection)
    connection.execute(*work)
    return None


def _sql(work: Work[Any]) -> str | None:
    return None if callable(work) else work[0]
