"""A disk that fails to sync: nothing is acknowledged meanwhile, and what an error answered may be there or not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support import ROOT, eventually, free_port

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int fails(void) { const char *flag = getenv("SYNC_FAILS"); return flag && access(flag, F_OK) == 0; }
int fsync(int fd) { if (fails()) { errno = EIO; return -1; } return ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd); }
int fdatasync(int fd) {
  if (fails()) { errno = EIO; return -1; }
  return ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is here to make syncs fail with")
def test_what_is_acknowledged_beside_failing_syncs_is_there_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "shim.c").write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "shim.so", tmp_path / "shim.c", "-ldl"], check=True)
    flag, port = tmp_path / "fails", free_port()
    url = f"http://localhost:{port}"
    options = ["--port", str(port), "--database", str(tmp_path / "hookbin.db")]
    shim = {"LD_PRELOAD": str(tmp_path / "shim.so"), "SYNC_FAILS": str(flag), "HOOKBIN_BALLAST": "0"}
    with httpx.Client(base_url=url, trust_env=False, verify=False) as client:

        def begun(environment: dict[str, str]) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "hookbin", "serve", *options]
            nowhere = subprocess.DEVNULL
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=nowhere, stderr=nowhere)
            eventually(lambda: _status(client, "/healthz") == 200)
            return process

        def posted(*bodies: str) -> list[int]:
            return [client.post("/b/synced", content=body).status_code for body in bodies]

        process = begun(shim)
        try:
            assert posted("a", "b") == [200, 200]
            flag.touch()
            assert posted("c", "d", "e") == [507, 507, 507]
            assert _status(client, "/readyz") == 503
            flag.unlink()
            assert posted("f") == [200]
            assert _status(client, "/readyz") == 200
        finally:
            process.kill()
            process.wait()
        process = begun({})
        try:
            rows = client.get("/bins/synced/requests").json()["data"]
            kept = {client.get(f"/requests/{row['id']}/body").text for row in rows}
        finally:
            process.kill()
            process.wait()
    assert {"a", "b", "f"} <= kept <= set("abcdef")


def _status(client: httpx.Client, path: str) -> int | None:
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return None
