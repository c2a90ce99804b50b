"""A copy of the database, made while it is written to; one at a time."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from hookbin.errors import BackupUnderWay, StorageFailed
from hookbin.store.connections import read_only
from hookbin.text import size_text

MIN_SPARE = 64 * 1024 * 1024
"""Bytes that a backup leaves free on the disk, for the captures that come meanwhile."""


class Backups:
    """Makes them, each a file without a name beside the database, gone when it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._under_way = False

    async def make(self) -> BinaryIO:
        """All that is committed now. Call `end` once it was read. Raises `BackupUnderWay` and `StorageFailed`."""
        if self._under_way:
            raise BackupUnderWay("another backup is being made or downloaded; ask again when it is done")
        self._under_way = True
        try:
            return await asyncio.to_thread(copy, self._path)
        except (OSError, sqlite3.Error) as error:
            self._under_way = False
            raise StorageFailed(
                f"the backup could not be written: {getattr(error, 'strerror', None) or error}"
            ) from error
        except BaseException:
            self._under_way = False
            raise

    def end(self, backup: BinaryIO) -> None:
        """Give its room back, once it was read or nobody reads it any more; a second time changes nothing."""
        if not backup.closed:
            backup.close()
            self._under_way = False


def copy(path: Path) -> BinaryIO:
    """The database as it is at one moment, in one file without a log beside it."""
    needed, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    if free < needed + MIN_SPARE:
        raise StorageFailed(
            f"a backup needs {size_text(needed)} of room beside the database; {size_text(free)} is free"
        )
    target = path.with_name(path.name + ".backup")
    target.unlink(missing_ok=True)  # of a hookbin that was killed meanwhile
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(read_only(path), uri=True)) as source, closing(sqlite3.connect(target)) as made:
            source.backup(made)  # in one step: in several, each commit would make it begin anew
            made.execute("PRAGMA journal_mode = DELETE")
        return target.open("rb")
    finally:
        target.unlink()
