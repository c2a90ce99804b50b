"""`GET /backup`: all of the database, as one file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hookbin.errors import BackupUnderWay, StorageFailed
from hookbin.store.backup import Backups
from hookbin.web.rest.downloads import INERT, disposition
from hookbin.web.rest.route import Call, raises

PIECE = 256 * 1024


@raises(BackupUnderWay, StorageFailed)
async def backup(call: Call[None, None]) -> Response:
    """Download the database.

    All that is committed at one moment, as a SQLite file that `--database` takes: bins, requests, webhooks with their
    secrets, events, deliveries. One at a time; it needs as much room beside the database as that has.
    """
    return _Backup(await call.stores.backups.make(), call.stores.backups)


class _Backup(StreamingResponse):
    """Ends the backup when its reader has left."""

    def __init__(self, file: BinaryIO, backups: Backups) -> None:
        size = os.fstat(file.fileno()).st_size
        headers = {**INERT, "content-length": str(size), "content-disposition": disposition("hookbin.db")}
        super().__init__(_pieces(file, size, backups), media_type="application/octet-stream", headers=headers)
        self._file, self._backups = file, backups

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._backups.end(self._file)


async def _pieces(file: BinaryIO, size: int, backups: Backups) -> AsyncIterator[bytes]:
    """All of it; the backup has ended before its last piece goes out, so that whoever has that can ask for the next."""
    for start in range(0, size, PIECE):
        piece = await asyncio.to_thread(file.read, PIECE)
        if start + PIECE >= size:
            backups.end(file)
        yield piece
