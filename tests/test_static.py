"""Static files: kept for good under their version, asked for anew without it, and never named otherwise by a page."""

from __future__ import annotations

import re

import pytest

from hookbin.web.html.static import FILES, SHEETS
from tests.support import ROOT, Server

BASE = FILES.base


@pytest.mark.parametrize("path", ["/js/app.js", "/css/common.css", "/css/overview.css", "/favicon.svg"])
def test_a_file_is_kept_for_good_under_its_version_and_asked_for_anew_without_it(server: Server, path: str) -> None:
    versioned = server.call("GET", BASE + path)
    assert versioned.status_code == 200
    assert "immutable" in versioned.headers["cache-control"]
    for base in ("/static", "/static/v-000000000000"):
        plain = server.call("GET", base + path)
        assert plain.content == versioned.content
        assert "immutable" not in plain.headers["cache-control"]
        again = server.call("GET", base + path, **{"if-none-match": plain.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_page_names_its_files_by_their_version_and_each_is_there(server: Server) -> None:
    for path in ("/ui/", "/ui/send", "/docs", "/ui/nothing-here"):
        html = server.request("GET", path, headers={"accept": "text/html"}).text
        named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html))
        assert named
        for file in named:
            assert file.startswith(BASE)
            assert server.call("GET", file).status_code == 200


def test_the_common_sheet_holds_every_rule_of_its_parts(server: Server) -> None:
    common = server.call("GET", f"{BASE}/css/common.css")
    assert common.headers["content-type"].startswith("text/css")
    rules = re.compile(r"[^{}]+\{")
    parts = "".join((ROOT / f"static/css/{name}.css").read_text() for name in SHEETS)
    without_comments = re.sub(r"/\*.*?\*/", "", parts, flags=re.DOTALL)
    tight = [re.sub(r"(?<=[,:(])\s+|\s+(?=\{)", "", rule).strip() for rule in rules.findall(without_comments)]
    assert rules.findall(common.text) == tight


@pytest.mark.parametrize("path", ["/static/v-000000000000/../app.py", f"{BASE}/none.css", f"{BASE}//etc/passwd"])
def test_nothing_else_is_served(server: Server, path: str) -> None:
    assert server.call("GET", path).status_code == 404


def test_no_template_and_no_script_names_a_static_file_otherwise() -> None:
    for file in (*(ROOT / "templates").glob("*.html"), *(ROOT / "static/js").glob("*.js")):
        assert "/static/" not in file.read_text(), file.name
