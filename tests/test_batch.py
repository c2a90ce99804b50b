"""One group commit: who gets an error, and what is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hookbin.errors import StorageFailed
from hookbin.models.announcements import LogRow
from hookbin.models.requests import RequestSummary
from hookbin.store import batch
from hookbin.store.batch import Grouped, Insert, Work
from hookbin.store.transaction import Transaction
from tests.builders import a_bin, a_request

INSERT = "INSERT INTO things (seq, name) VALUES (?, ?)"
BIN = a_bin()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "batch.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE things (seq INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL)")
    yield connection
    connection.close()


def named(name: object) -> Insert:
    return Insert(INSERT, (name,), a_request(BIN))


def names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM things ORDER BY seq")]


def commit(connection: sqlite3.Connection, works: Sequence[Work[Any]], last_seq: int = 0) -> list[Any]:
    return batch.commit(connection, works, last_seq).results


def test_a_batch_is_one_transaction(connection: sqlite3.Connection) -> None:
    said: list[str] = []
    connection.set_trace_callback(said.append)
    commit(connection, [named("a"), named("b"), _inserting("c")])
    assert [line for line in said if line in ("BEGIN IMMEDIATE", "COMMIT")] == ["BEGIN IMMEDIATE", "COMMIT"]


def test_neighbours_with_the_same_sql_share_statements(connection: sqlite3.Connection) -> None:
    said: list[str] = []
    connection.set_trace_callback(said.append)
    commit(connection, [named(f"{number}") for number in range(64)])
    assert sum(line.startswith("INSERT") for line in said) == 1
    assert names(connection) == [f"{number}" for number in range(64)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 84, 85, 200])
def test_every_number_of_neighbours_is_written_once_and_in_order(connection: sqlite3.Connection, count: int) -> None:
    rows = [named(f"{number}") for number in range(count)]
    after = [named(f"after {number}") for number in range(count)]
    results = commit(connection, [*rows, _inserting("between"), *after])
    assert results == [*[None] * count, "between", *[None] * count]
    expected = [f"{number}" for number in range(count)]
    assert names(connection) == [*expected, "between", *[f"after {name}" for name in expected]]


def test_a_broken_constraint_hits_only_its_culprit(connection: sqlite3.Connection) -> None:
    results = commit(connection, [named("a"), named("a"), named(None), _inserting("b"), named("c")])
    assert results[0] is None
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert results[3:] == ["b", None]
    assert names(connection) == ["a", "b", "c"]


def test_a_value_that_sqlite_cannot_keep_hits_only_its_culprit(connection: sqlite3.Connection) -> None:
    results = commit(connection, [named("a"), named(object()), named(2**70), named("\ud800")])
    assert [isinstance(result, Exception) for result in results] == [False, True, True, True]
    assert names(connection) == ["a"]


def test_an_exception_in_a_work_function_hits_only_it_and_undoes_what_it_did(connection: sqlite3.Connection) -> None:
    error = ValueError("no")

    def fails(transaction: Transaction) -> None:
        _insert(transaction, "half")
        raise error

    results = commit(connection, [named("a"), fails, named("b")])
    assert results == [None, error, None]
    assert names(connection) == ["a", "b"]


def test_work_that_runs_twice_is_kept_once(connection: sqlite3.Connection) -> None:
    runs: list[str] = []

    def insert_b(transaction: Transaction) -> int:
        runs.append("run")
        _insert(transaction, "b")
        return len(runs)

    results = commit(connection, [named("a"), insert_b, named("a")])
    assert len(runs) == 2
    assert results[1] == 2
    assert names(connection) == ["a", "b"]


@pytest.mark.parametrize("first", ["a", "before"], ids=["alone", "with a culprit"])
def test_a_full_disk_fails_everyone_and_keeps_nothing(connection: sqlite3.Connection, first: str) -> None:
    commit(connection, [named("before")])
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    results = commit(connection, [named(first), named("x" * 100_000), _inserting("b")], 1)
    assert [type(result) for result in results] == [StorageFailed] * 3
    assert not connection.in_transaction
    assert names(connection) == ["before"]


def test_a_database_that_someone_else_holds_is_a_storage_failure(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    (result,) = commit(connection, [named("a")])
    assert isinstance(result, StorageFailed)
    other.execute("ROLLBACK")
    other.close()
    assert commit(connection, [named("a")]) == [None]


def test_a_damaged_file_is_a_storage_failure(connection: sqlite3.Connection, path: Path) -> None:
    commit(connection, [named(f"{number:0200d}") for number in range(500)])
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    damaged = sqlite3.connect(path, isolation_level=None)
    results = commit(damaged, [named("a"), named("b")])
    damaged.close()
    assert [type(result) for result in results] == [StorageFailed] * 2


def test_rows_are_numbered_and_announced_in_the_order_in_which_they_are_written(
    connection: sqlite3.Connection,
) -> None:
    rows = [a_request(BIN) for _ in range(4)]
    together = Grouped(_record, rows[1], 0)
    last = [Insert(INSERT, (name,), row) for name, row in (("a", rows[0]), ("b", rows[2]), ("c", rows[3]))]
    done = batch.commit(connection, [last[0], together, *last[1:]], 7)
    assert [row.seq for row in rows] == [8, 11, 9, 10]
    assert done.announcements == [rows[0], rows[2], rows[3], rows[1]]
    assert done.last_seq == 11


def test_numbers_of_what_is_not_kept_are_given_again(connection: sqlite3.Connection) -> None:
    done = batch.commit(connection, [named("a"), named("a"), _inserting("b"), named("c")], 0)
    assert connection.execute("SELECT seq, name FROM things").fetchall() == [(1, "a"), (2, "b"), (3, "c")]
    assert [row.seq for row in done.announcements if isinstance(row, RequestSummary)] == [1, 2, 3]
    assert done.last_seq == 3


def test_a_batch_that_fails_takes_no_number_and_announces_nothing(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = 1")
    done = batch.commit(connection, [named("a")], 5)
    assert (list(done.announcements), done.last_seq) == ([], 5)


def _record(transaction: Transaction, rows: Sequence[LogRow]) -> list[None]:
    transaction.record(*rows)
    return [None] * len(rows)


def _insert(transaction: Transaction, name: str) -> None:
    row = a_request(BIN)
    transaction.record(row)
    transaction.execute(INSERT, (row.seq, name))


def _inserting(name: str) -> Callable[[Transaction], str]:
    def insert(transaction: Transaction) -> str:
        _insert(transaction, name)
        return name

    return insert
