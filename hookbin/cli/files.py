"""Files that the commands write: under their name only when whole, with their progress on a terminal."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from hookbin.cli.options import FAILED, give_up, with_remote
from hookbin.client.remote import Remote
from hookbin.logs import printable
from hookbin.text import size_text


def save(server: str, token: str | None, path: str, file: str | None, /, **query: Any) -> None:
    """Write what the server gives at `path` to a file, or to stdout. Ends with exit code 1 when that fails."""

    def write_all(remote: Remote) -> None:
        with remote.download(path, **query) as response, _place(file) as place:
            size = response.headers.get("content-length")
            done = 0
            for piece in response.iter_bytes():
                place.write(_shown(piece) if place.isatty() else piece)
                done += len(piece)
                _tell_progress(done, size, last=False)
            _tell_progress(done, size, last=True)

    with_remote(server, token, write_all)


@contextmanager
def _place(file: str | None) -> Iterator[BinaryIO]:
    """Stdout, or what takes the name of the file once all is written."""
    named = None if file in (None, "-") else Path(file or "")
    try:
        if named is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            with _beside(named) as place:
                yield place
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up(f"can't write {named or 'standard output'}: {error.strerror or error}", code=FAILED)


@contextmanager
def _beside(final: Path) -> Iterator[BinaryIO]:
    """A file that takes the name of another at the end, and is taken away when that does not come. Raises `OSError`."""
    handle, made = tempfile.mkstemp(dir=final.parent, prefix=f".{final.name}.")
    try:
        with os.fdopen(handle, "wb") as place:
            yield place
            place.flush()
            os.fsync(place.fileno())
        os.replace(made, final)
    except BaseException:
        Path(made).unlink()
        raise


def _shown(piece: bytes) -> bytes:
    """What a terminal may be given of it."""
    return "\n".join(map(printable, piece.decode(errors="replace").split("\n"))).encode()


def _tell_progress(done: int, size: str | None, *, last: bool) -> None:
    if sys.stderr.isatty():
        of = f" of {size_text(int(size))}" if size is not None else ""
        click.echo(f"\r{size_text(done)}{of} ", nl=last, err=True)
