"""Static files: each under the version of them all, so that a browser keeps it for good, and one sheet of styles."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from hookbin.web.html import assets

SHEETS = ("tokens", "base", "patterns", "words", "controls", "panels", "code", "forms", "axis", "print")
"""The styles that every page has, in their order. They are served as one: each file would be a round trip that the
first paint waits for."""
COMMON = "css/common.css"
_VERSION = re.compile(r"v-[0-9a-f]{12}/")
_NEEDLESS = re.compile(r'("[^"]*")|/\*.*?\*/\s*|(?<=[{};,:(])\s+|\s+(?=\{)', re.DOTALL)
"""Comments and blanks in styles, but not those in a string."""
_FOR_GOOD = "public, max-age=31536000, immutable"


class VersionedFiles:
    """The static files of a folder, and the version of them all.

    In a checkout (`watched`) an edit shows on reload: whoever asks for the version looks at the files' times first,
    which takes half a millisecond. Those of an installed package never change.
    """

    def __init__(self, folder: Path, *, watched: bool) -> None:
        self.folder = folder
        self._watched = watched
        self._seen: list[tuple[str, int, int]] = []
        self._read()

    @property
    def base(self) -> str:
        """What the pages put before the path of a static file. A module imports its neighbours by it too."""
        if self._watched and self._look() != self._seen:
            self._read()
        return self._base

    def sheet(self, path: str) -> bytes | None:
        """The styles of that path, without what is needless in them."""
        return self._sheets.get(path)

    def _read(self) -> None:
        self._seen = self._look()
        digest = hashlib.sha256()
        for path, *_ in self._seen:
            digest.update(f"{Path(path).relative_to(self.folder).as_posix()}\n".encode() + Path(path).read_bytes())
        self._base = f"/static/v-{digest.hexdigest()[:12]}"
        styles = {path.stem: path.read_text() for path in (self.folder / "css").glob("*.css")}
        self._sheets = {f"css/{name}.css": _squeezed(text) for name, text in styles.items()}
        self._sheets[COMMON] = _squeezed("".join(styles[name] for name in SHEETS))

    def _look(self) -> list[tuple[str, int, int]]:
        """The path, time and size of each file."""
        paths = sorted(f"{folder}/{name}" for folder, _, names in os.walk(self.folder) for name in names)
        return [(path, stat.st_mtime_ns, stat.st_size) for path, stat in zip(paths, map(os.stat, paths), strict=True)]


class StaticApp(StaticFiles):
    """Serves a file to be kept for good under the version of them all, and under any other or none to be asked for."""

    def __init__(self, files: VersionedFiles) -> None:
        super().__init__(directory=files.folder)
        self._files = files

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = _VERSION.match(path.replace("\\", "/"))
        path = path[found.end() :] if found else path
        base = self._files.base
        sheet = self._files.sheet(path.replace("\\", "/"))
        is_read = sheet is not None and scope["method"] in ("GET", "HEAD")
        response = self._sheet(sheet or b"", scope) if is_read else await super().get_response(path, scope)
        if scope["path"].startswith(f"{base}/") and response.status_code < 400:
            response.headers["cache-control"] = _FOR_GOOD
        return response

    def _sheet(self, sheet: bytes, scope: Scope) -> Response:
        headers = {"etag": f'"{hashlib.sha256(sheet).hexdigest()[:32]}"'}
        if headers["etag"] in Headers(scope=scope).get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(sheet, media_type="text/css", headers=headers)


def _squeezed(styles: str) -> bytes:
    return _NEEDLESS.sub(lambda match: match[1] or "", styles).encode()


FILES = VersionedFiles(assets.folder("static"), watched=assets.in_checkout())
