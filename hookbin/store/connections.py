"""Opening the SQLite file: the lock, the migrations, the pragmas."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import aiosqlite

from hookbin.errors import StartError

T = TypeVar("T")
_BUSY_MS = 2_000
LOG_LIMIT = 64 * 1024 * 1024
"""Bytes to which SQLite shortens a longer write-ahead log once all of it is in the database."""
_HIGHEST_SEQ = (
    "SELECT max((SELECT seq FROM highest_seq), (SELECT ifnull(max(seq), 0) FROM requests),"
    " (SELECT ifnull(max(seq), 0) FROM events), (SELECT ifnull(max(seq), 0) FROM attempts))"
)


class LockFile:
    """Keeps a second hookbin off the same database for as long as this process lives."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        try:
            database.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StartError(f"can't write beside the database {database}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise StartError(
                f"the database {database} is in use by another hookbin (process {holder}); "
                "stop that one or choose another file with --database"
            ) from error
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes hold "the" lock."""
        os.close(self._file)


def open_writer(path: Path) -> tuple[sqlite3.Connection, int]:
    """The one connection that writes, with the schema brought up to date, and the log's highest number."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StartError(f"can't write the database {path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        migrate(connection, migrations())
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA secure_delete = FAST")
        (highest,) = connection.execute(_HIGHEST_SEQ).fetchone()
    except (StartError, sqlite3.Error) as error:
        connection.close()
        if isinstance(error, StartError):
            raise StartError(f"can't use the database {path}: {error.detail}") from error
        raise StartError(f"can't use the database {path}: {error}") from error
    return connection, highest


async def open_reader(path: Path) -> aiosqlite.Connection:
    """A connection that can only read, for queries: it neither writes nor checkpoints."""
    connection = await aiosqlite.connect(read_only(path), uri=True, isolation_level=None)
    await connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


class Examiner:
    """A connection that can only read, for functions that go through rows on a thread of its own.

    A read that nobody waits for any more goes on to its end, and the next one begins behind it.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(read_only(path), uri=True, isolation_level=None, check_same_thread=False)
        self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hookbin-examiner")

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, read, self._connection)

    def close(self) -> None:
        """Close it once the last read has ended, which is waited for."""
        self._thread.shutdown()
        self._connection.close()


def read_only(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


def migrations() -> list[tuple[int, str]]:
    """`(version, sql)` of every migration, in order."""
    folder = files("hookbin.store") / "migrations"
    scripts = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [(int(file.name[:4]), file.read_text("utf-8")) for file in scripts]


def migrate(connection: sqlite3.Connection, steps: Sequence[tuple[int, str]]) -> None:
    """Bring the schema to the newest version, each step in a transaction of its own."""
    newest = steps[-1][0]
    (current,) = connection.execute("PRAGMA user_version").fetchone()
    if current > newest:
        raise StartError(f"it is from a newer hookbin (schema {current}, this one knows {newest}); update hookbin")
    if current == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StartError("it is the database of another program; choose another file with --database")
    for version, sql in steps:
        if version > current:
            try:
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {version};\nCOMMIT;")
            except sqlite3.Error:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
