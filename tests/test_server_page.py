"""The page of the server itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hookbin.config import Settings
from hookbin.web.pages.server import in_force
from tests.support import Server


def test_every_setting_is_told_with_its_value_and_no_secret() -> None:
    secrets: Any = {"token": "x" * 20, "proxy": "http://user:password@127.0.0.1:3128"}
    told = {each.flag: each for each in in_force(Settings(**secrets, max_body=1024 * 1024, allow_target=("a", "b")))}

    assert told.keys() == {f"--{name.replace('_', '-')}" for name in Settings.__struct_fields__}
    assert told["--token"].value == told["--proxy"].value == "set"
    assert told["--max-body"].value == "1.0 MiB"
    assert told["--allow-target"].value == "a, b"
    assert (told["--max-body"].is_default, told["--port"].is_default) == (False, True)


def test_files_and_numbers_are_told(server: Server) -> None:
    server.request("POST", "/b/counted")
    page = server.request("GET", "/ui/server").text

    assert str(Path(server.database)) in page
    assert "Requests captured in bins</dt><dd>1</dd>" in page
    assert "this machine alone, without a token" in page


def test_a_token_is_told_also_where_no_one_else_gets_to(start_server: Callable[..., Server]) -> None:
    server = start_server("--token", "x" * 20)
    page = server.request("GET", "/ui/server", headers={"authorization": f"Bearer {'x' * 20}"}).text
    assert "this machine alone; all but the bins asks for the token" in page
