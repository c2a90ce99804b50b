"""The connections that only read: for queries, for what has to be of one moment, and for going through rows."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import aiosqlite

from hookbin.errors import DatabaseUnreadable
from hookbin.store.connections import Examiner, open_reader

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]
READERS = 3
EXAMINERS = 2
_SNAPSHOT: ContextVar[tuple[Readers | None, aiosqlite.Connection | None]] = ContextVar("snapshot", default=(None, None))
"""The reader that a task holds, and of which database."""


class Readers:
    """`READERS` connections for queries, and `EXAMINERS` with a thread each; more reads than that wait in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readers: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._apart: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        """The reader of those whose reading may take long, one at a time, so that the others go on."""
        self._examiners: asyncio.LifoQueue[Examiner] = asyncio.LifoQueue()

    async def _open_readers(self) -> None:
        """Raises what opening does; then those that were opened by then are closed."""
        try:
            for _ in range(READERS):
                self._readers.put_nowait(await open_reader(self._path))
            self._apart.put_nowait(await open_reader(self._path))
            for _ in range(EXAMINERS):
                self._examiners.put_nowait(await asyncio.to_thread(Examiner, self._path))
        except BaseException:
            await self._close_readers(self._readers.qsize(), self._apart.qsize(), self._examiners.qsize())
            raise

    async def _close_readers(self, readers: int = READERS, apart: int = 1, examiners: int = EXAMINERS) -> None:
        """So many of them, each once its read has ended."""
        for _ in range(readers):
            await (await self._readers.get()).close()
        for _ in range(apart):
            await (await self._apart.get()).close()
        for _ in range(examiners):
            await asyncio.to_thread((await self._examiners.get()).close)

    @asynccontextmanager
    async def snapshot(self, *, apart: bool = False) -> AsyncIterator[None]:
        """Let all that this task reads within it be of one moment, so that an answer made of it agrees with itself.

        It keeps a reader from the others: read in it, and do the rest behind it. What takes long is read `apart`, by
        the one reader for that, in turn.
        """
        if self._held() is not None:
            yield
            return
        readers = self._apart if apart else self._readers
        connection = await readers.get()
        try:
            await _fetch(connection, "BEGIN")
            token = _SNAPSHOT.set((self, connection))
            try:
                yield
            finally:
                _SNAPSHOT.reset(token)
                if connection.in_transaction:  # a file that is corrupt ends it
                    await _fetch(connection, "ROLLBACK")
        finally:
            readers.put_nowait(connection)

    def _held(self) -> aiosqlite.Connection | None:
        """The reader that this task holds for a snapshot."""
        database, connection = _SNAPSHOT.get()
        return connection if database is self else None

    async def read(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """The rows that a query finds, as they are committed by now or were when the `snapshot` began."""
        if (held := self._held()) is not None:
            return await _fetch(held, sql, params)
        connection = await self._readers.get()
        try:
            return await _fetch(connection, sql, params)
        finally:
            self._readers.put_nowait(connection)

    async def examine(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run `read` on an examiner's own thread. Keep it short: there are `EXAMINERS` of them for everyone."""
        examiner = await self._examiners.get()
        try:
            return await examiner.run(read)
        except sqlite3.Error as error:
            raise _unreadable(error) from error
        finally:
            self._examiners.put_nowait(examiner)


async def _fetch(connection: aiosqlite.Connection, sql: str, params: Sequence[Any] = ()) -> list[Row]:
    try:
        return list(await connection.execute_fetchall(sql, params))  # type: ignore[arg-type]
    except sqlite3.Error as error:
        raise _unreadable(error) from error


def _unreadable(error: sqlite3.Error) -> DatabaseUnreadable:
    return DatabaseUnreadable(f"the database could not be read ({error}); see whether /readyz knows more")
