"""A database file looked at without changing it: whether it is sound, what it holds, what could be repaired and how."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from shlex import quote

from msgspec import Struct

from hookbin.errors import StartError
from hookbin.store.connections import migrations, read_only
from hookbin.text import size_text

MAX_COMPLAINTS = 20
"""Lines of SQLite's own complaints that are told."""
TABLES = ("bins", "requests", "webhooks", "events", "deliveries", "attempts")
_LEFT_OVER = {
    "deliveries of no event": "FROM deliveries WHERE event_id NOT IN (SELECT id FROM events)",
    "attempts of no delivery": "FROM attempts WHERE delivery_id NOT IN (SELECT id FROM deliveries)",
    "deliveries to no webhook": "FROM deliveries WHERE webhook_id NOT IN (SELECT id FROM webhooks)",
}
"""Rows that nothing leads to, by what they are."""
_RECOVER = (
    "with hookbin stopped, take the newest backup, or save what can be read:"
    " sqlite3 {path} .recover | sqlite3 {path}.saved"
)


class Finding(Struct, frozen=True, kw_only=True):
    """Something that is wrong, and what sets it right."""

    what: str
    repair: str


class Report(Struct, frozen=True, kw_only=True):
    """`counts` has the rows of each table that can be read, `notes` what is good to know and not wrong."""

    size: int
    schema: int
    counts: dict[str, int]
    notes: list[str]
    findings: list[Finding]


def examine(path: Path) -> Report:
    """Read all of it. Raises `StartError` for what is no database of hookbin."""
    if not path.is_file():
        raise StartError(f"there is no file {path}")
    newest = migrations()[-1][0]
    try:
        with closing(sqlite3.connect(read_only(path), uri=True)) as connection:
            (schema,) = connection.execute("PRAGMA user_version").fetchone()
            if schema == 0:
                raise StartError(f"{path} is no database of hookbin")
            counts = _counts(connection)
            findings = _unsound(connection, path) or _left_over(connection, path)
            return Report(
                size=path.stat().st_size,
                schema=schema,
                counts=counts,
                notes=_notes(connection, path, schema=schema, newest=newest),
                findings=findings,
            )
    except sqlite3.Error as error:
        raise StartError(
            f"{path} can't be read as a database: {error}; {_RECOVER.format(path=quote(str(path)))}"
        ) from error


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    found = {}
    for table in TABLES:
        try:
            (found[table],) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        except sqlite3.Error:  # what is corrupt is told by the check of the whole
            continue
    return found


def _unsound(connection: sqlite3.Connection, path: Path) -> list[Finding]:
    """What SQLite finds wrong with its pages and indexes."""
    try:
        rows = connection.execute(f"PRAGMA integrity_check({MAX_COMPLAINTS})").fetchall()
    except sqlite3.Error as error:
        rows = [(str(error),)]
    complaints = [line for (text,) in rows for line in str(text).splitlines() if line != "ok"]
    indexes_only = all(" index " in line for line in complaints)
    repair = (
        f"with hookbin stopped: sqlite3 {quote(str(path))} REINDEX"
        if indexes_only
        else _RECOVER.format(path=quote(str(path)))
    )
    return [Finding(what=line, repair=repair) for line in complaints]


def _left_over(connection: sqlite3.Connection, path: Path) -> list[Finding]:
    found = []
    for what, rows in _LEFT_OVER.items():
        (count,) = connection.execute(f"SELECT count(*) {rows}").fetchone()
        if count:
            repair = f'with hookbin stopped: sqlite3 {quote(str(path))} "DELETE {rows}"'
            found.append(Finding(what=f"{count} {what}", repair=repair))
    return found


def _notes(connection: sqlite3.Connection, path: Path, *, schema: int, newest: int) -> list[str]:
    notes = []
    if schema < newest:
        notes.append(f"schema {schema}; the next start brings it to {newest}")
    if schema > newest:
        notes.append(f"schema {schema} is of a newer hookbin; this one knows {newest} and will not open it")
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        notes.append(f"{size_text(log.stat().st_size)} stand in {log.name} and belong to it: keep the two together")
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    if pages * size > path.stat().st_size / 2:
        repair = f"with hookbin stopped, sqlite3 {quote(str(path))} VACUUM gives them back"
        notes.append(f"{size_text(pages * size)} of it are free; {repair}")
    return notes
