"""A disk that is full, on a small file system of its own: what is refused, what still works, and what it says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import Server, eventually

SIZE = "48m"
BODY = b"x" * 300_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    (folder / "others").write_bytes(bytes(8_000_000))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(server: Server, bin: str) -> None:
    """Capture until there is no room, and have others take what is left."""
    assert any(server.call("POST", f"/b/{bin}", BODY).status_code == 507 for _ in range(200))
    with suppress(OSError), (server.database.parent / "others").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert any(server.call("POST", f"/b/{bin}", b"small").status_code == 507 for _ in range(2_000))


def test_deleting_trimming_and_shrinking_work_on_a_full_disk(disk: Path) -> None:
    with Server(disk / "hookbin.db", "--ballast", "64000000") as server:
        names = ("one", "all", "bin", "shrunk", "undoable")
        for name in names:
            server.post("/bins", {"name": name})
        for name in names:
            for _ in range(5):
                server.call("POST", f"/b/{name}", BODY)
        fill(server, "rest")
        for path in ("/bins/undoable/requests", "/bins/undoable"):
            assert server.request("DELETE", path, params={"undo": 1}).status_code == 200
        newest = server.get("/bins/one/requests")["data"][0]["id"]
        assert server.request("DELETE", f"/requests/{newest}").status_code == 204
        assert server.request("DELETE", "/bins/all/requests").status_code == 200
        assert server.request("DELETE", "/bins/bin").status_code == 204
        assert server.patch("/bins/shrunk", {"max_requests": 1}).status_code == 200
        eventually(lambda: server.get("/bins/shrunk")["request_count"] == 1)
        assert server.call("POST", "/b/one", BODY).status_code == 200


def test_room_can_be_made_after_a_restart_on_a_full_disk(disk: Path) -> None:
    with Server(disk / "hookbin.db", "--ballast", "64000000") as server:
        fill(server, "rest")
        server.kill()
        server.start()
        assert server.request("DELETE", "/bins/rest/requests").status_code == 200
        assert server.call("POST", "/b/rest", BODY).status_code == 200


def test_it_is_not_ready_from_a_write_that_failed_on_until_one_succeeds(disk: Path) -> None:
    with Server(disk / "hookbin.db", "--ballast", "64000000") as server:
        fill(server, "rest")
        for _ in range(5):
            answer = server.request("GET", "/readyz")
            assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
            assert "disk is full" in answer.json()["detail"]
        assert server.metric("writes_failing") == 1
        assert "disk is full" in server.call("GET", "/ui/?show=problems").text
        assert server.log().count("disk is full") == 1
        (disk / "others").unlink()
        assert server.get("/readyz") == {"status": "ok"}
        assert server.metric("writes_failing") == 0
        assert server.call("POST", "/b/rest", b"small").status_code == 200
