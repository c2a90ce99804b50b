"""The database's files changed from outside while hookbin runs: nothing is acknowledged, and nothing made worse."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hookbin.store.connections import migrate, migrations
from tests.support import Server


def remove(database: Path) -> None:
    database.unlink()


def replace(database: Path) -> None:
    other = database.with_name("other.db")
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        migrate(connection, migrations())
    os.replace(other, database)


def make_read_only(database: Path) -> None:
    database.chmod(0o400)


def truncate_log(database: Path) -> None:
    os.truncate(f"{database}-wal", 0)


def remove_log(database: Path) -> None:
    os.remove(f"{database}-wal")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (remove, "is gone"),
        (replace, "another file"),
        (make_read_only, "made read-only"),
        (truncate_log, "was truncated"),
        (remove_log, "is gone"),
    ],
)
def test_nothing_is_acknowledged_once_the_files_were_changed(
    start_server: Callable[..., Server], harm: Callable[[Path], None], said: str
) -> None:
    server = start_server()
    server.post("/bins", {"name": "joe"})
    for _ in range(3):
        assert server.call("POST", "/b/joe", b"x" * 10_000).status_code == 200
    harm(server.database)
    for _ in range(5):
        refused = server.call("POST", "/b/joe", b"lost?")
        assert (refused.status_code, refused.json()["code"]) == (507, "database_lost")
        assert said in refused.json()["detail"]
    ready = server.request("GET", "/readyz")
    assert (ready.status_code, ready.json()["detail"]) == (503, refused.json()["detail"])
    assert server.request("DELETE", "/bins/joe").status_code == 507
    page = server.call("GET", "/ui/?show=problems", accept="text/html")
    assert page.status_code == 507 or said in page.text
    for path in ("/bins/joe/requests", "/events", "/deliveries", "/ui/bins/joe", "/bins/joe/requests?q=x"):
        assert server.call("GET", path, accept="text/html").status_code in (200, 507)
    assert server.stop() == 0
    assert server.log().count(said) == 1
    assert "Traceback" not in server.log()
    server.database.chmod(0o600) if server.database.exists() else None
    server.start()
    assert server.get("/readyz") == {"status": "ok"}
    assert server.call("POST", "/bins", b"{}").status_code == 201
    with closing(sqlite3.connect(server.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_database_that_was_moved_away_is_whole_and_goes_on_when_it_is_back(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server()
    server.post("/bins", {"name": "joe"})
    server.call("POST", "/b/joe", b"kept")
    away = tmp_path / "away.db"
    os.replace(server.database, away)
    assert server.call("POST", "/b/joe").status_code == 507
    with closing(sqlite3.connect(f"file:{away}?immutable=1", uri=True)) as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (1,)
    os.replace(away, server.database)
    assert server.call("POST", "/b/joe", b"again").status_code == 200
    assert server.get("/readyz") == {"status": "ok"}
    server.kill()
    server.start()
    assert server.get("/bins/joe")["request_count"] == 2


def test_a_database_behind_a_link_is_watched_where_it_is(start_server: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "linked.db").symlink_to(tmp_path / "elsewhere" / "real.db")
    server = start_server("--ballast", "1000000", name="linked.db")
    assert server.call("POST", "/b/joe").status_code == 200
    assert (tmp_path / "elsewhere" / "real.db.ballast").stat().st_size == 1_000_000
    truncate_log(tmp_path / "elsewhere" / "real.db")
    assert server.call("POST", "/b/joe").json()["code"] == "database_lost"


def test_a_database_that_was_truncated_takes_nothing_more_and_one_that_sqlite_made_smaller_does(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    server.post("/bins", {"name": "joe"})
    with closing(sqlite3.connect(server.database, isolation_level=None)) as connection:
        sizes = []
        for statements in ("CREATE TABLE padding AS SELECT randomblob(500000)", "DROP TABLE padding; VACUUM"):
            connection.executescript(f"{statements}; PRAGMA wal_checkpoint")
            sizes.append(server.database.stat().st_size)
            assert server.call("POST", "/b/joe", b"kept").status_code == 200
        assert sizes[1] < sizes[0]

    os.truncate(server.database, 8192)
    for _ in range(3):
        refused = server.call("POST", "/b/joe", b"lost?")
        assert (refused.status_code, refused.json()["code"]) == (507, "database_lost")
        assert "was truncated" in refused.json()["detail"]
    assert server.request("GET", "/readyz").status_code == 503
    assert server.stop() == 0
