"""Whether the database's files are still those that were opened, whole and writable."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from hookbin.store.connections import LOG_LIMIT


class FileWatch:
    """Looks at the file and its write-ahead log. SQLite itself goes on writing into a file that is nobody's any more.

    A look is two calls of stat, so it is taken before each batch, which then harms nothing, and once more
    before what was committed is acknowledged.
    """

    def __init__(self, path: Path, *, whole_size: Callable[[], int]) -> None:
        """`whole_size` is asked for the bytes that SQLite takes the database for, once the file has got smaller."""
        self._path = path
        self._whole_size = whole_size
        self._log_path = Path(f"{path.resolve()}-wal")  # SQLite puts it beside the file that a link leads to
        file = os.stat(path)
        self._file, self._file_size = _identity(file), file.st_size
        self._is_cut = False
        """The file was truncated. It stays so: what SQLite writes next can make it as long as before."""
        self._log = _identity(os.stat(self._log_path)) if self._log_path.exists() else None
        """None on a file system that can't have one."""
        self._log_size = 0
        """Bytes that the log had when it was last seen well; it shrinks by itself to `LOG_LIMIT` at least."""

    def complaint(self) -> str | None:
        """What is wrong with the files, and what to do, as one sentence; None while all is well."""
        return self._file_complaint() or self.log_complaint()

    def _file_complaint(self) -> str | None:
        try:
            file = os.stat(self._path)
        except OSError as error:
            return f"the database {self._path} is gone ({error.strerror}); put it back, or restart hookbin"
        if _identity(file) != self._file:
            return f"another file was put in the place of the database {self._path}; put it back, or restart hookbin"
        if not file.st_mode & 0o222:
            return f"the database {self._path} was made read-only; make it writable"
        if file.st_size < self._file_size:  # by a VACUUM from outside, or without SQLite's knowing
            self._is_cut = self._is_cut or file.st_size < self._whole_size()
        self._file_size = file.st_size
        if self._is_cut:
            return f"the database {self._path} was truncated; stop hookbin and put a copy in its place"
        return None

    def log_complaint(self) -> str | None:
        """The same about the write-ahead log alone."""
        if self._log is None:
            return None
        try:
            log = os.stat(self._log_path)
        except OSError as error:
            return f"{self._log_path} is gone ({error.strerror}), and with it the newest rows; restart hookbin"
        if _identity(log) != self._log or log.st_size < min(self._log_size, LOG_LIMIT):
            return f"{self._log_path} was truncated or replaced, and with it the newest rows; restart hookbin"
        self._log_size = log.st_size
        return None

    def forget_log_size(self) -> None:
        """Take the log as it is from now on: it was emptied on purpose."""
        self._log_size = 0


def _identity(file: os.stat_result) -> tuple[int, int]:
    return file.st_dev, file.st_ino
