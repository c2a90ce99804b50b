"""The connection that writes, on its own thread: what stands around each batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hookbin.errors import DatabaseLost, StartError
from hookbin.store.ballast import Ballast
from hookbin.store.batch import Committed, Freeing, Work, commit, failed
from hookbin.store.connections import open_writer
from hookbin.store.file_watch import FileWatch


class Writer:
    """Made, used and closed on one thread. Raises `StartError` when the file can't be used."""

    def __init__(self, path: Path, *, ballast: int, before_sync: Callable[[], None]) -> None:
        """`before_sync` is called on that thread, see `batch.commit`."""
        self._before_sync = before_sync
        self._ballast = Ballast(path, size=ballast)
        try:
            opened = open_writer(path)
        except StartError:
            if not self._ballast.release():
                raise
            opened = open_writer(path)
        self._connection, self.last_seq = opened
        self._watch = FileWatch(path, whole_size=self._whole_size)
        if self._ballast.is_short:
            self._ballast.keep()

    def commit(self, batch: Sequence[Work[Any]], last_seq: int) -> Committed:
        """Commit a batch, unless the files are not those that were opened; see `batch.commit`."""
        committed = self._commit(batch, last_seq)
        if committed.failure is None:
            if self._ballast.is_short:
                self._ballast.keep()
        elif not isinstance(committed.failure, DatabaseLost) and any(isinstance(work, Freeing) for work in batch):
            return self._commit_freeing(batch, last_seq, committed)
        return committed

    def close(self) -> None:
        self._connection.close()

    @property
    def is_lost(self) -> bool:
        """Whether the files are others now. Then it is closed before the readers: the last one would clean up."""
        return self._watch.complaint() is not None

    def _commit(self, batch: Sequence[Work[Any]], last_seq: int) -> Committed:
        if (complaint := self._watch.complaint()) is not None:
            self._empty_log()
            return failed(batch, last_seq, DatabaseLost(complaint))
        committed = commit(self._connection, batch, last_seq, before_sync=self._before_sync)
        if committed.failure is None and (complaint := self._watch.complaint()) is not None:
            return failed(batch, committed.last_seq, DatabaseLost(complaint))
        return committed

    def _commit_freeing(self, batch: Sequence[Work[Any]], last_seq: int, before: Committed) -> Committed:
        """The work that makes room, in the room that was kept; for all else it stays with the failure of `before`."""
        self._ballast.release()
        committed = self._commit([work for work in batch if isinstance(work, Freeing)], last_seq)
        self._empty_log()
        self._ballast.keep()
        done = iter(committed.results)
        results = [next(done) if isinstance(work, Freeing) else before.failure for work in batch]
        return Committed(results, committed.announcements, committed.last_seq, before.failure)

    def _whole_size(self) -> int:
        ((size,),) = self._connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(size)

    def _empty_log(self) -> None:
        """Have all that is in the log in the file that was opened, wherever that is by now, if the log is whole.

        What is left behind can't get into another file of the same name then, when that is opened.
        """
        if self._watch.log_complaint() is None:
            with suppress(sqlite3.Error):  # it stays as it was
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._watch.forget_log_size()
