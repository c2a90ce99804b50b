"""Starting: what is imported by then, and what is said of a database that can't be used."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hookbin.app import create_app
from hookbin.config import Settings
from hookbin.errors import StartError
from hookbin.exports.formats import BIN_FORMATS, REQUEST_FORMATS
from hookbin.web.routes import API, PAGES
from tests.support import ROOT, Server, SpawnedServer, eventually

BODIES = {
    "application/json": b'{"a": [1]}',
    "application/xml": b"<a><b/></a>",
    "application/x-www-form-urlencoded": b"a=1",
    "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
    "image/png": b"\x89PNG\r\n\x1a\n" + b"0" * 30,
    "application/x-protobuf": b"\x08\x01",
    "text/plain; charset=iso-2022-jp": b"\xff\x1b[31m",
    "text/plain": b"eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.YWE",
}


def test_everything_is_imported_before_the_first_request(tmp_path: Path) -> None:
    """What is imported later fails when no file can be opened any more."""
    with SpawnedServer(tmp_path / "hookbin.db", env={"PYTHONVERBOSE": "1"}) as server:
        begun = len(server.log())
        for media_type, body in BODIES.items():
            server.call("POST", "/b/all", body, content_type=media_type)
        server.patch("/bins/all", {"response": {"template": True, "body": "{{ request.json }}"}})
        server.call("POST", "/b/all", b"{}")
        webhook = server.register(f"{server.url}/b/all")
        server.register("https://localhost:9/")
        (delivery, *_) = eventually(lambda: server.deliveries(webhook=webhook["id"], state="succeeded"))
        rows = server.get("/bins/all/requests")["data"]
        for row in rows:
            server.request("GET", f"/ui/bins/all?request={row['id']}")
            server.get(f"/requests/{row['id']}/views")
        ids = {"bin": "all", "request": rows[-1]["id"], "other": rows[0]["id"], "webhook": webhook["id"]}
        ids |= {"delivery": delivery["id"], "event": delivery["event_id"], "view": "json", "number": "1"}
        for path in paths_of(ids):
            assert server.request("GET", path, timeout=30).status_code < 500, path
        for format in REQUEST_FORMATS:
            server.request("GET", f"/requests/{ids['request']}/export?format={format}")
        for format in BIN_FORMATS:
            server.request("GET", f"/bins/all/export?format={format}")
        server.request("GET", "/bins/all/requests?q=a&json=a=1&path=/x*")

        assert re.findall(r"^import '?([\w.]+)", server.log()[begun:], re.MULTILINE) == []


def paths_of(ids: dict[str, str]) -> list[str]:
    """Every GET that ends by itself."""
    api = [route.path for route in API if route.method == "GET" and not route.path.endswith(("/stream", "/wait"))]
    names = {"webhooks": "webhook", "deliveries": "delivery", "events": "event", "requests": "request"}
    pages = [(page.path, names.get((page.path.split("/") + [""])[2], "")) for page in PAGES]
    return [path.format_map(ids) for path in api] + [
        path.format_map({**ids, "id": ids.get(name, "")}) for path, name in pages
    ]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with something of each kind in it, closed."""
    path = tmp_path_factory.mktemp("filled") / "hookbin.db"
    with Server(path) as server:
        webhook = server.register(f"{server.url}/b/kept")
        for number in range(20):
            server.call("POST", "/b/kept", b"x" * 500, x_number=str(number))
        eventually(lambda: server.deliveries(webhook=webhook["id"], state="succeeded"))
        server.stop()
    return path


@pytest.mark.anyio
async def test_a_database_with_a_damaged_page_is_used_or_refused_with_a_cause(filled: Path, tmp_path: Path) -> None:
    path, whole = tmp_path / "hookbin.db", filled.read_bytes()  # noqa: ASYNC240
    causes = []
    for page in range(len(whole) // 4096):
        place = page * 4096
        path.write_bytes(whole[:place] + b"\xff" * 4096 + whole[place + 4096 :])
        for name in ("-wal", "-shm"):
            Path(f"{path}{name}").unlink(missing_ok=True)  # noqa: ASYNC240
        try:
            async with create_app(Settings(database=path, ballast=0)).running():
                pass
        except StartError as error:
            causes.append(error.detail)
    assert len(causes) > 2
    assert all("\n" not in cause and len(cause) > 20 for cause in causes)


def test_a_start_without_memory_is_told_in_a_line(filled: Path, tmp_path: Path) -> None:
    path = shutil.copy(filled, tmp_path / "hookbin.db")
    program = (
        "import sqlite3, sys; sqlite3.connect(':memory:').execute('PRAGMA hard_heap_limit = 40000')\n"
        "from hookbin.cli.main import main; main(['serve', '--port', '0', '--database', sys.argv[1]])"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, cwd=ROOT)

    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.startswith("hookbin could not start: ")
    assert ended.stderr.count("\n") == 1
