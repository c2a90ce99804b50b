"""The examples of docs/bins.md and docs/cli.md do what stands there.

Blocks, by their language:
- `json`: a bin is made of it, which must succeed. If a block of `answers` follows, its lines are requests to that bin.
- `answers`: `METHOD TARGET [Name: value; …] BODY -> OUTCOME TEXT`, headers and body left out or not. The target is
  what follows the bin's URL; the outcome is a status, or one of `reset`, `closed`, `garbage`, `hangs`,
  `truncated`; the text must stand in the body of the answer.
- `sh`: run by `sh`, all of the page in order against one server, which stands in for localhost:8090; lines of
  `hookbin` in this process. If a block of `text` follows, its lines must come in what was printed, in their order.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from hookbin.models.answers import AnswerRule, BinHandshake, BinResponse, Chance, SequenceStep, When
from hookbin.models.bins import Verify
from hookbin.shapes.bins import NewBin, NewTarget
from hookbin.shapes.requests import NewReplay, RequestChange
from hookbin.web.api.filtering import FilterQuery
from hookbin.web.api.requests import DeleteQuery
from hookbin.web.api.wait import WaitQuery
from tests.support import PATIENCE, ROOT, Server
from tests.test_client import hookbin
from tests.wire import connected, parsed

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(
    r"(?P<method>[A-Z]+) (?P<target>\S+)(?: \[(?P<headers>[^]]+)\])?(?: (?P<body>.+?))?"
    r" -> (?P<outcome>\w+)(?: (?P<text>.+))?"
)
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("bins.md", "cli.md")}
PAGE = PAGES["bins.md"]


class Example(NamedTuple):
    """A block, and the one that shows what comes of it."""

    line: int
    language: str
    content: str
    outcome: str | None


def examples(page: str = PAGE) -> Iterator[Example]:
    blocks = list(BLOCK.finditer(page))
    for block, after in zip_longest(blocks, blocks[1:]):
        shows = {"json": "answers", "sh": "text"}.get(block[1])
        if shows is not None:
            outcome = after[2] if after is not None and after[1] == shows else None
            yield Example(page[: block.start()].count("\n") + 1, block[1], block[2], outcome)


def of(language: str) -> list[Any]:
    return [pytest.param(each, id=f"line-{each.line}") for each in examples() if each.language == language]


@pytest.mark.parametrize("example", of("json"))
def test_a_bin_answers_as_the_page_says(server: Server, example: Example) -> None:
    made = server.post("/bins", msgspec.json.decode(example.content))

    assert made.status_code == 201, made.text
    for line in (example.outcome or "").splitlines():
        found = LINE.fullmatch(line)
        assert found is not None, line
        assert got(server, made.json()["id"], **found.groupdict()) == found["outcome"], line


def got(
    server: Server, bin: str, *, method: str, target: str, headers: str | None, body: str | None, outcome: str,
    text: str | None,
) -> str:  # fmt: skip
    """What the request came to, if the answer has the text in it."""
    content = (body or "").encode()
    fields = [f"{method} /b/{bin}{target} HTTP/1.1", "Host: localhost"]
    fields += [field.strip() for field in (headers or "").split(";") if field.strip()]
    fields += ["Connection: close", f"Content-Length: {len(content)}", "", ""]
    with connected(server) as connection:
        connection.sendall("\r\n".join(fields).encode() + content)
        connection.settimeout(0.3 if outcome == "hangs" else PATIENCE)
        try:
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        except TimeoutError:
            return "hangs"
        except ConnectionResetError:
            return "reset"
    return said(answer, text or "")


def said(answer: bytes, text: str) -> str:
    if not answer:
        return "closed"
    if not answer.startswith(b"HTTP/"):
        return "garbage"
    wire = parsed(answer)
    assert text in wire.body.decode(), wire
    return "truncated" if len(wire.body) < int(wire.header("content-length") or 0) else str(wire.status)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_the_page_print_what_it_says(
    server: Server, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for example in (each for each in examples(PAGES[page]) if each.language == "sh"):
        script = here(server, example.content)
        rest = "".join(map(partial(printed, server), commands(script)))
        for line in here(server, example.outcome or "").splitlines():
            assert line in rest, f"line {example.line}: {line!r} does not come in {rest!r}"
            rest = rest.partition(line)[2]


def commands(script: str) -> list[str]:
    """What starts with hookbin line by line, anything else as a whole."""
    return script.splitlines() if script.startswith("hookbin ") else [script]


def printed(server: Server, script: str) -> str:
    if script.startswith("hookbin "):
        _, *arguments = shlex.split(script)
        code, out, err = hookbin(*arguments, server=server)
        assert code == 0, f"{script}: {err}"
        return out
    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{script}: {done.stderr}"
    return done.stdout


def here(server: Server, text: str) -> str:
    return text.replace("localhost:8090", f"localhost:{server.port}")


OPTIONS = (NewBin, NewTarget, NewReplay, RequestChange, FilterQuery, WaitQuery, DeleteQuery)
ANSWERS = (BinResponse, SequenceStep, Chance, AnswerRule, When, BinHandshake, Verify)


def test_every_option_of_a_bin_is_on_the_page() -> None:
    options = {name for shape in OPTIONS + ANSWERS for name in shape.__struct_encode_fields__} - {"cursor"}

    assert {option for option in options if not re.search(rf"[`\"]{option}\b", PAGE)} == set()


def test_every_example_is_found() -> None:
    assert PAGE.count("```") == 2 * len(BLOCK.findall(PAGE))
    assert len(of("json")) > 10
