"""The log: one line a record on stderr, as text or JSON, never with control characters in it."""

from __future__ import annotations

import codecs
import logging
import sys

import msgspec

from hookbin.clock import rfc3339

_escape = codecs.getencoder("unicode_escape")
_LEVELS = {"": logging.WARNING, "hookbin": logging.INFO}
"""By logger; the root's goes for every library's."""


class TextFormatter(logging.Formatter):
    """`2026-11-24T06:34:35.000000Z WARNING hookbin: message`."""

    def format(self, record: logging.LogRecord) -> str:
        message = printable(record.getMessage().strip())
        return f"{_time(record)} {record.levelname} {record.name}: {message}{self._trace(record)}"

    def _trace(self, record: logging.LogRecord) -> str:
        if not record.exc_info:
            return ""
        return "".join("\n  " + printable(line) for line in self.formatException(record.exc_info).splitlines())


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and `exception` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure(log_format: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.getLogger().handlers = [handler]
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)


def printable(text: str) -> str:
    """The text with everything that a terminal might act on written as an escape."""
    return "".join(char if char.isprintable() else _escape(char)[0].decode() for char in text)


def _time(record: logging.LogRecord) -> str:
    return rfc3339(round(record.created * 1_000_000))
