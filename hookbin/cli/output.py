"""What the commands print: a line a row or JSON, and never a control character that a stranger sent."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from hookbin.client.sending import told
from hookbin.logs import printable
from hookbin.text import size_text, wire

Row = Mapping[str, Any]


def print_row(row: Row, line: Callable[[Row], str], *, as_json: bool) -> None:
    """To stdout, at once."""
    click.echo(json.dumps(row) if as_json else line(row))  # json.dumps leaves ASCII only


def say(text: str) -> None:
    """To stderr: progress, and what went wrong."""
    click.echo("\n".join(map(printable, text.splitlines())), err=True)


def request_line(row: Row) -> str:
    if row["malformed"] is not None:
        said = f"no HTTP: {row['malformed']['reason']}"
    else:
        said = f"{row['method']} {wire(row['target'])}"
    answer = row["answer"] or {"status": None, "fault": "no answer"}
    outcome = _painted(answer["status"], str(answer["status"] or answer["fault"]))
    signature = "" if row["signature"]["state"] == "unchecked" else f"signature {row['signature']['state']}"
    more = [
        size_text(row["size"]),
        wire(row["content_type"] or ""),
        signature,
        row.get("headline") or "",
        row["note"] or "",
    ]
    return _line(row["received_at"], row["id"], said, outcome, *more)


def event_line(row: Row) -> str:
    return _line(row["created_at"], row["id"], f"event {row['type']}", size_text(row["size"]))


def attempt_line(row: Row) -> str:
    return _line(row["started_at"], row["delivery_id"], _painted(row["status"], told(row)))


def delivery_line(row: Row) -> str:
    tries = f"{row['attempt_count']} attempt{'' if row['attempt_count'] == 1 else 's'}"
    following = f"next at {row['next_attempt_at']}" if row["next_attempt_at"] else ""
    names = (row["event_type"], row["webhook_name"], row["destination"])
    return _line(row["created_at"], row["id"], row["state"], tries, *names, following)


def message_lines(headers: list[list[str]], body: Row | None) -> Iterator[str]:
    """Header fields as they came, then the body: its text, or of bytes their number."""
    yield from (f"    {printable(wire(name))}: {printable(wire(value))}" for name, value in headers)
    if body is None or not body["size"]:
        return
    yield ""
    if "text" in body:
        yield from ("    " + printable(line) for line in body["text"].replace("\r\n", "\n").split("\n"))
    else:
        yield f"    {size_text(len(base64.b64decode(body['base64'])))} that are no text"
    if body["truncated"]:
        yield f"    … of {size_text(body['size'])}"


def _line(time: str, *parts: str) -> str:
    safe = (part if isinstance(part, _Painted) else printable(part) for part in parts if part)
    return "  ".join((f"{time[:23]}Z", *safe))


class _Painted(str):
    """Has no control characters but those of its colour."""


def _painted(status: int | None, text: str) -> _Painted:
    """Green for a 2xx, else red; plain unless a terminal reads it, and for `NO_COLOR` (no-color.org)."""
    safe = printable(text)
    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return _Painted(safe)
    return _Painted(click.style(safe, fg="green" if status is not None and 200 <= status < 300 else "red"))
