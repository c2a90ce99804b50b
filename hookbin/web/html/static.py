"""Static files: each under the version of them all, so that a browser keeps it for good, and one sheet of styles."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from hookbin.web.html import assets

SHEETS = ("tokens", "base", "patterns", "words", "controls", "panels", "code", "forms", "print")
"""The styles that every page has, in their order. They are served as one: each file would be a round trip that the
first paint waits for."""
COMMON = "css/common.css"
_VERSION = re.compile(r"v-[0-9a-f]{12}/")
_NEEDLESS = re.compile(r"/\*.*?\*/\s*|(?<=\n)[ \t]+", re.DOTALL)
_FOR_GOOD = "public, max-age=31536000, immutable"


def _version(folder: Path) -> str:
    """Changes when any of the files does."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


BASE = f"/static/v-{_version(assets.folder('static'))}"
"""What the pages put before the path of a static file. A module imports its neighbours by it too."""


class StaticApp(StaticFiles):
    """Serves a file under `BASE`, to be kept for good, and under any other version or none, to be asked for anew."""

    def __init__(self) -> None:
        folder = assets.folder("static")
        super().__init__(directory=folder)
        sheets = "".join((folder / f"css/{name}.css").read_text() for name in SHEETS)
        self._common = _NEEDLESS.sub("", sheets).encode()
        self._etag = f'"{hashlib.sha256(self._common).hexdigest()[:32]}"'

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = _VERSION.match(path.replace("\\", "/"))
        path = path[found.end() :] if found else path
        response = self._sheet(scope) if path.replace("\\", "/") == COMMON else await super().get_response(path, scope)
        if scope["path"].startswith(f"{BASE}/") and response.status_code < 400:
            response.headers["cache-control"] = _FOR_GOOD
        return response

    def _sheet(self, scope: Scope) -> Response:
        headers = {"etag": self._etag}
        if self._etag in Headers(scope=scope).get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self._common, media_type="text/css", headers=headers)
