"""Where the pages come from: the wheel, installed somewhere else, has them in it; in a checkout they are edited."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hookbin.web.html.static import FILES
from tests.support import ROOT, eventually, free_port


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that it was installed into."""
    target = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return target


@contextmanager
def serving(installed: Path, database: Path) -> Iterator[str]:
    """The URL of a server that runs from there and from nowhere else."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "hookbin", "--port", str(port), "--database", str(database)],
        cwd=database.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://localhost:{port}"
    try:
        eventually(lambda: process.poll() is not None or _answers(url))
        assert process.poll() is None
        yield url
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_the_wheel_holds_every_migration_template_and_static_file(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (("templates", "hookbin/templates"), ("static", "hookbin/static"), ("hookbin", "hookbin")):
        files = [path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file()]
        shipped = {f"{inside}/{path}" for path in files if "__pycache__" not in path.parts}
        assert shipped
        assert shipped <= names, shipped - names


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"hookbin"}


def test_the_installed_package_serves_its_pages_and_what_they_load(installed: Path, tmp_path: Path) -> None:
    with serving(installed, tmp_path / "hookbin.db") as url:
        page = httpx.get(f"{url}/ui/", trust_env=False, verify=False)
        assert page.status_code == 200
        assert "hookbin" in page.text
        for file in (ROOT / "static").rglob("*.*"):
            path = file.relative_to(ROOT).as_posix()
            served = httpx.get(f"{url}/{path}", trust_env=False, verify=False).content
            assert served == (FILES.sheet(path.removeprefix("static/")) or file.read_bytes())
        assert httpx.post(f"{url}/b/joe", trust_env=False, verify=False).status_code == 200


def test_an_edit_in_a_checkout_shows_on_reload(tmp_path: Path) -> None:
    for name in ("hookbin", "templates", "static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    with serving(tmp_path, tmp_path / "hookbin.db") as url:

        def loaded() -> tuple[str, ...]:
            """The page, and the style and module that it names."""
            page = httpx.get(f"{url}/ui/", trust_env=False, verify=False).text
            named = [re.findall(rf'"(/static/v-[^"]+/{file})"', page)[0] for file in ("css/common.css", "js/app.js")]
            return page, *(httpx.get(url + path, trust_env=False, verify=False).text for path in named)

        assert not any("edited" in text for text in loaded())
        for file, edit in (("css/words.css", "\n.edited {}\n"), ("js/app.js", "\n// edited\n")):
            with (tmp_path / "static" / file).open("a") as opened:
                opened.write(edit)
        base = tmp_path / "templates/base.html"
        base.write_text(base.read_text().replace('name="robots"', 'name="edited"'))
        assert all("edited" in text for text in loaded())


def test_the_installed_command_tells_its_version(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(installed / "bin" / "hookbin"), "--version"],
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("hookbin ")


def test_pytest_finds_the_installed_plugin(installed: Path, tmp_path: Path) -> None:
    test = "def test_it(hookbin):\n    import hookbin as package\n    print(package.__file__, hookbin.bin().url)\n"
    (tmp_path / "test_it.py").write_text(test)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-sq"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{installed}/hookbin/__init__.py http://localhost:")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, verify=False).status_code == 200
    except httpx.TransportError:
        return False
