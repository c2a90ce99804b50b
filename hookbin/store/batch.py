"""One group commit, as one synchronous function on the writing thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Generic, TypeAlias, TypeVar

from msgspec import Struct

from hookbin.errors import StorageFailed
from hookbin.models.announcements import Announcement, LogRow
from hookbin.store.transaction import Transaction

T = TypeVar("T")


class Insert(Struct, frozen=True):
    """One row of the log to be written, by an `INSERT` whose first value is its number; `params` are the others."""

    sql: str
    params: Sequence[Any]
    row: LogRow


class Grouped(Struct, Generic[T], frozen=True):
    """Work that a batch does in one go with all other work of its kind: `together` gives the result of each item.

    In a batch it may be done before or after work of other kinds that is grouped, or that only inserts: the kind
    of a lower `rank` first.
    """

    together: Callable[[Transaction, Sequence[Any]], list[T]]
    item: Any
    rank: int


class Freeing(Generic[T]):
    """Work that makes room, now or by what follows from it: on a full disk it gets the room that is kept for it."""

    def __init__(self, work: Callable[[Transaction], T]) -> None:
        self._work = work

    def __call__(self, transaction: Transaction) -> T:
        return self._work(transaction)


Work: TypeAlias = Insert | Grouped[T] | Callable[[Transaction], T]
Result: TypeAlias = T | Exception

FINISHING, PUBLISHING = 0, 1
"""Ranks of grouped work: what ended before what is new, since it may disable a webhook that gets nothing then."""
_WORKS_ERRORS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.NotSupportedError)
"""Those of SQLite that belong to one piece of work; all others are the storage's."""


class Committed(Struct, frozen=True):
    """What a batch led to."""

    results: list[Result[Any]]
    """The result, or the error, of each piece of work in the batch's order."""
    announcements: Sequence[Announcement]
    """What was written, in the order in which it was: rows of the log in that of their numbers."""
    last_seq: int
    """The log's last number by now."""
    failure: StorageFailed | None = None
    """Why nothing of it was kept."""


def commit(
    connection: sqlite3.Connection,
    batch: Sequence[Work[Any]],
    last_seq: int,
    *,
    before_sync: Callable[[], None] = lambda: None,
) -> Committed:
    """Write the whole batch in one transaction; its rows of the log get the numbers behind `last_seq`.

    `before_sync` is called when all is written, and nothing but the disk is waited for.

    A failure that belongs to one piece of work (a constraint, a wrong type) undoes the batch,
    which is then done again piece by piece, so that only the culprit gets the error. A failure
    of the storage (disk full, I/O error) is everyone's: nothing of the batch is kept. Either way
    a number is kept only by a row that is: there are no gaps, and none is given twice.
    """
    try:
        try:
            return _in_transaction(connection, _together, batch, last_seq, before_sync)
        except Exception as error:
            if _is_of_storage(error):
                raise
            return _in_transaction(connection, _one_by_one, batch, last_seq, before_sync)
    except Exception as error:
        failure = StorageFailed(f"the database could not be written ({error}); free some space, then send it again")
        return failed(batch, last_seq, failure)


def failed(batch: Sequence[Work[Any]], last_seq: int, failure: StorageFailed) -> Committed:
    """The same error for everyone."""
    return Committed([failure] * len(batch), (), last_seq, failure)


def _in_transaction(
    connection: sqlite3.Connection,
    write: Callable[[Transaction, Sequence[Work[Any]]], list[Result[Any]]],
    batch: Sequence[Work[Any]],
    last_seq: int,
    before_sync: Callable[[], None],
) -> Committed:
    transaction = Transaction(connection, last_seq=last_seq)
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = write(transaction, batch)
        before_sync()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return Committed(results, transaction.announcements, transaction.last_seq)


def _together(transaction: Transaction, batch: Sequence[Work[Any]]) -> list[Result[Any]]:
    results: list[Result[Any]] = [None] * len(batch)
    kinds = [_kind(work) for work in batch]
    if len(set(kinds)) == 1 and kinds[0] is not None:
        return list(_run_alike(transaction, batch))
    for alone, places in groupby(range(len(batch)), key=lambda place: kinds[place] is None):
        if alone:
            for place in places:
                results[place] = _run(transaction, batch[place])
        else:
            _by_kind(transaction, batch, kinds, results, places)
    return results


def _by_kind(
    transaction: Transaction,
    batch: Sequence[Work[Any]],
    kinds: Sequence[object],
    results: list[Result[Any]],
    places: Iterable[int],
) -> None:
    alike: dict[object, list[int]] = {}
    for place in places:
        alike.setdefault(kinds[place], []).append(place)
    for group in sorted(alike.values(), key=lambda group: _rank(batch[group[0]])):
        done = _run_alike(transaction, [batch[place] for place in group])
        for place, result in zip(group, done, strict=True):
            results[place] = result


def _one_by_one(transaction: Transaction, batch: Sequence[Work[Any]]) -> list[Result[Any]]:
    results: list[Result[Any]] = []
    for work in batch:
        mark = transaction.mark
        transaction.execute("SAVEPOINT one")
        try:
            results.append(_run(transaction, work))
        except Exception as error:
            if _is_of_storage(error):
                raise
            transaction.execute("ROLLBACK TO one")
            transaction.forget_since(mark)
            results.append(error)
        transaction.execute("RELEASE one")
    return results


def _is_of_storage(error: Exception) -> bool:
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, _WORKS_ERRORS)


def _run(transaction: Transaction, work: Work[Any]) -> Any:
    return _run_alike(transaction, [work])[0]


def _run_alike(transaction: Transaction, works: Sequence[Work[Any]]) -> Sequence[Any]:
    """Run work of one kind together; or one piece of work that has no kind."""
    first = works[0]
    if isinstance(first, Insert):
        transaction.record(*[work.row for work in works])  # type: ignore[union-attr]
        transaction.insert_rows(first.sql, [(work.row.seq, *work.params) for work in works])  # type: ignore[union-attr]
        return [None] * len(works)
    if isinstance(first, Grouped):
        return first.together(transaction, [work.item for work in works])  # type: ignore[union-attr]
    return [work(transaction) for work in works]  # type: ignore[operator]


def _kind(work: Work[Any]) -> object:
    """What it has in common with the work that it is done together with; None for what is done alone."""
    if isinstance(work, Insert):
        return work.sql
    return work.together if isinstance(work, Grouped) else None


def _rank(work: Work[Any]) -> int:
    return work.rank if isinstance(work, Grouped) else 0
