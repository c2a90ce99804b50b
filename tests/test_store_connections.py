"""Opening the file: the lock, the schema's version, the pragmas, and what is refused."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hookbin.errors import StartError
from hookbin.store.connections import LockFile, migrate, migrations, open_writer
from hookbin.store.database import Database
from tests.builders import open_stores
from tests.support import ROOT

NEWEST = migrations()[-1][0]
HOLD = """
import sys
from pathlib import Path
from hookbin.store.connections import LockFile
lock = LockFile(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hookbin.db"


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def pragma(connection: sqlite3.Connection, name: str) -> object:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return value


def make(path: Path, *statements: str) -> bytes:
    """A database with these statements in it; returns the file's bytes."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return path.read_bytes()


def refusal(path: Path) -> str:
    """Why the database there can't be opened."""

    async def open_it() -> None:
        await Database(path).open()

    with pytest.raises(StartError) as raised:
        asyncio.run(open_it())
    return raised.value.detail


def test_the_writer_waits_for_the_disk_at_each_commit(path: Path) -> None:
    connection, _ = open_writer(path)
    assert pragma(connection, "journal_mode") == "wal"
    assert pragma(connection, "synchronous") == 2
    assert pragma(connection, "busy_timeout") == 2_000
    connection.close()


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [version for version, _ in migrations()] == list(range(1, NEWEST + 1))


@pytest.mark.anyio
async def test_every_file_is_for_the_owner_alone(path: Path) -> None:
    async with open_stores(path) as stores:
        await stores.make_bin()
        assert modes(path.parent) == dict.fromkeys(
            ["hookbin.db", "hookbin.db-shm", "hookbin.db-wal", "hookbin.db.lock"], 0o600
        )


@pytest.mark.anyio
async def test_the_folder_is_made(tmp_path: Path) -> None:
    async with open_stores(tmp_path / "a" / "b" / "hookbin.db"):
        assert "hookbin.db" in modes(tmp_path / "a" / "b")


def test_a_file_from_a_newer_hookbin_is_left_as_it_is(path: Path) -> None:
    before = make(path, "CREATE TABLE future (a)", f"PRAGMA user_version = {NEWEST + 1}")
    assert "newer hookbin" in refusal(path)
    assert path.read_bytes() == before
    assert not path.with_name("hookbin.db-wal").exists()


def test_what_is_no_database_is_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"dear diary, " * 1_000)
    assert "not a database" in refusal(path)
    assert path.read_bytes() == b"dear diary, " * 1_000


def test_the_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    before = make(path, "CREATE TABLE songs (a)", "INSERT INTO songs VALUES (1)")
    assert "another program" in refusal(path)
    assert path.read_bytes() == before


def test_a_file_with_our_version_but_without_our_tables_is_refused(path: Path) -> None:
    make(path, "CREATE TABLE songs (a)", f"PRAGMA user_version = {NEWEST}")
    assert "can't use" in refusal(path)
    LockFile(path).release()


def test_a_database_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "can't write beside" in refusal(tmp_path / "file" / "hookbin.db")


def test_a_folder_as_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "can't write" in refusal(tmp_path / "folder")


def test_what_an_older_hookbin_kept_is_still_there(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, migrations()[:2])
    row = {"seq": 7, "bin": 1, "received_at": 2, "method": "PUT", "target": "/b/a", "http_version": "1.1"}
    row |= {"scheme": "http", "size": 1, "truncated": 0, "incomplete": 0, "answer_delay_ms": 0, "signature": "ok"}
    row |= {"note": "kept", "pinned": 1, "trailers": b"[]", "headers": b"[]", "body": b"x"}
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO requests ({', '.join(row)}) VALUES ({marks})", row)
    migrate(connection, migrations())
    assert connection.execute(f"SELECT {', '.join(row)} FROM requests").fetchone() == tuple(row.values())
    connection.close()


def test_a_migration_that_fails_leaves_the_old_version(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, [(1, "CREATE TABLE one (a);")])
    with pytest.raises(sqlite3.OperationalError):
        migrate(
            connection, [(1, ""), (2, "CREATE TABLE two (a);"), (3, "CREATE TABLE three (a); CREATE TABLE one (a);")]
        )
    assert pragma(connection, "user_version") == 2
    assert not connection.in_transaction
    assert connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall() == [("one",), ("two",)]
    connection.close()


def test_the_lock_refuses_a_second_process_and_names_the_first(path: Path) -> None:
    with Holding(path) as holder, pytest.raises(StartError) as raised:
        LockFile(path)
    assert f"process {holder.pid}" in raised.value.detail


def test_the_lock_is_free_after_a_kill(path: Path) -> None:
    with Holding(path) as holder:
        holder.kill()
        holder.wait()
        LockFile(path).release()


def test_a_locked_database_is_not_even_opened(path: Path) -> None:
    with Holding(path):
        assert "in use by another hookbin" in refusal(path)
    assert not path.exists()


class Holding:
    """A process that holds the lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(self._path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"held\n"
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
