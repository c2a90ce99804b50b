"""The file that keeps room on the disk, so that what makes room can be written when it is full."""

from __future__ import annotations

import os
from pathlib import Path


class Ballast:
    """Kept beside the database, also while hookbin does not run. It takes no more than half of what is free.

    One step of deleting needs some of it in the log, and the log needs some to get into the database.
    """

    def __init__(self, database: Path, *, size: int) -> None:
        file = database.resolve()
        self.path = file.with_name(file.name + ".ballast")
        self._size = size
        self.is_short = size > 0
        """Whether there was no room for all of it."""

    def keep(self) -> None:
        """Take as much room as there is, and no more than is wanted."""
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError:
            return
        try:
            kept = os.fstat(file).st_size
            disk = os.fstatvfs(file)
            wanted = min(self._size, (kept + disk.f_bavail * disk.f_frsize) // 2)
            if wanted > kept:
                os.posix_fallocate(file, 0, wanted)
            self.is_short = max(wanted, kept) < self._size
        except OSError:  # somebody else was faster, or the file system can't
            self.is_short = True
        finally:
            os.close(file)

    def release(self) -> bool:
        """Give the room away; returns whether there was some."""
        self.is_short = True
        try:
            kept = self.path.stat().st_size
            os.truncate(self.path, 0)
        except OSError:
            return False
        return kept > 0
