"""One group commit, as one synchronous function on the writing thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, Generic, TypeAlias, TypeVar

from hookbin.errors import StorageFailed

T = TypeVar("T")
Statement: TypeAlias = tuple[str, Sequence[Any]]
Work: TypeAlias = Statement | Callable[[sqlite3.Connection], T]
Result: TypeAlias = T | Exception


class Grouped(Generic[T]):
    """Work that a batch does in one go with all other work of its kind: `together` gives the result of each item.

    In a batch it may be done before or after work of other kinds that is grouped, or that only inserts: the kind
    of a lower `rank` first.
    """

    __slots__ = ("item", "rank", "together")

    def __init__(self, together: Callable[[sqlite3.Connection, Sequence[Any]], list[T]], item: Any, rank: int) -> None:
        self.together = together
        self.item = item
        self.rank = rank

    def __call__(self, connection: sqlite3.Connection) -> T:
        return self.together(connection, [self.item])[0]


_ROWS_AT_ONCE = (64, 16, 4, 1)
"""Rows that one statement inserts: few sizes, so that SQLite finds each statement prepared."""
FINISHING, PUBLISHING = 0, 1
"""Ranks of grouped work: what ended before what is new, since it may disable a webhook that gets nothing then."""
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
    results: list[Result[Any]] = [None] * len(batch)
    for alone, places in groupby(range(len(batch)), key=lambda place: _kind(batch[place]) is None):
        if alone:
            for place in places:
                results[place] = _run(connection, batch[place])
        else:
            _by_kind(connection, batch, results, list(places))
    return results


def _by_kind(
    connection: sqlite3.Connection, batch: Sequence[Work[Any]], results: list[Result[Any]], places: Sequence[int]
) -> None:
    kinds: dict[object, list[int]] = {}
    for place in places:
        kinds.setdefault(_kind(batch[place]), []).append(place)
    for alike in sorted(kinds.values(), key=lambda alike: _rank(batch[alike[0]])):
        first = batch[alike[0]]
        if isinstance(first, Grouped):
            done = first.together(connection, [batch[place].item for place in alike])  # type: ignore[union-attr]
            for place, result in zip(alike, done, strict=True):
                results[place] = result
        else:
            insert_rows(connection, first[0], [batch[place][1] for place in alike])  # type: ignore[index]


def insert_rows(connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run `INSERT … VALUES (?, …)` for all rows with as few calls as there may be."""
    run_with_rows(connection, sql + "{more}", rows)


def run_with_rows(connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement that has `VALUES (?, …){more}` for all rows, with as few calls as there may be.

    `executemany` gives the interpreter's lock away and takes it back once a row, and each time
    the event loop may hold it for long; a statement of many rows does so once.
    """
    done = 0
    for size in _ROWS_AT_ONCE:
        while len(rows) - done >= size:
            statement = _statement(sql, len(rows[0]), size)
            connection.execute(statement, list(chain.from_iterable(rows[done : done + size])))
            done += size


@lru_cache(maxsize=256)
def _statement(sql: str, columns: int, rows: int) -> str:
    return sql.replace("{more}", f", ({', '.join('?' * columns)})" * (rows - 1))


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


def _kind(work: Work[Any]) -> object:
    """What it has in common with the work that it is done together with; None for what is done alone."""
    if isinstance(work, Grouped):
        return work.together
    return None if callable(work) else work[0]


def _rank(work: Work[Any]) -> int:
    return work.rank if isinstance(work, Grouped) else 0
