"""The log: one line a record, and nothing in it that a terminal acts on."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable

import pytest

from hookbin.logs import JsonFormatter, TextFormatter, printable
from tests.support import Server, eventually
from tests.wire import exchange


def record(message: str, *, failed: bool = False) -> logging.LogRecord:
    info = None
    if failed:
        try:
            raise ValueError("\x1b[31mred")
        except ValueError:
            info = sys.exc_info()
    return logging.LogRecord("hookbin", logging.WARNING, __file__, 1, message, None, info)


def test_a_line_of_text_has_time_level_logger_and_message() -> None:
    line = TextFormatter().format(record("it rains"))

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z WARNING hookbin: it rains", line)


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\x1b[2J", "\x07", "\u202e", "\x85", "\x9b31m"])
def test_what_a_terminal_acts_on_is_written_as_an_escape(text: str) -> None:
    line = TextFormatter().format(record(f"x{text}x"))

    assert line.isprintable()
    assert printable("é☃") == "é☃"


def test_a_trace_stands_indented_below_its_line() -> None:
    first, *rest = TextFormatter().format(record("it broke", failed=True)).split("\n")

    assert first.endswith("it broke")
    assert rest[0] == "  Traceback (most recent call last):"
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


def test_a_line_of_json_is_one_object() -> None:
    line = json.loads(JsonFormatter().format(record("two\nlines", failed=True)))

    assert (line["level"], line["logger"], line["message"]) == ("warning", "hookbin", "two\nlines")
    assert "ValueError" in line["exception"]
    assert line["time"].endswith("Z")


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_server_logs_in_the_format_that_was_asked_for(start_server: Callable[..., Server], format: str) -> None:
    server = start_server("--log-format", format)
    exchange(server, b"nonsense\r\n\r\n")

    (line,) = eventually(lambda: [line for line in server.log().splitlines() if "400 for" in line])

    assert line.startswith("{") == (format == "json")
    if format == "json":
        assert json.loads(line)["level"] == "warning"
