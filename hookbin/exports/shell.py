"""Any bytes as words of a POSIX shell script: nothing in them is ever run, and the script stays printable."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Iterator

LITERAL = 64 * 1024
"""Bytes that stand in the script as text or octal; Linux takes 128 KiB for one argument. More goes as base64."""
MAX_WORD = 128 * 1024 - 1
"""Bytes that Linux takes for one word of a command: MAX_ARG_STRLEN, execve(2), without the NUL behind it."""
_LINE = 60
_OCTAL = [f"\\{byte:03o}" for byte in range(256)]
_PRINTED = [chr(byte) if 32 <= byte < 127 and chr(byte) not in "'\\%" else _OCTAL[byte] for byte in range(256)]


def script(comments: Iterable[str], words: Iterable[str], *, body: bytes | None) -> bytes:
    """A command, with the body on its standard input if there is one to pipe."""
    lines = ["#!/bin/sh", *as_comments(comments)]
    if body is not None:
        lines += _into_pipe(body)
    lines.append(" \\\n  ".join(words))
    if body is not None:
        lines += _here_document(body)
    return ("\n".join(lines) + "\n").encode()


def refusal(sentence: str) -> list[str]:
    """The words of a command that says why it sends nothing, and fails."""
    return [f"echo {shlex.quote(sentence)} >&2; exit 1"]


def word(text: str) -> str:
    """Text of latin-1 as one word: quoted where a person can read it as UTF-8, else by printf. No NUL may be in it."""
    data = text.encode("latin-1")
    readable = as_readable(data)
    if readable is not None:
        return shlex.quote(readable)
    return f"\"$(printf '{printed(data)}')\""


def as_readable(data: bytes, *, lines: bool = False) -> str | None:
    """The text, when it is UTF-8 without characters that hide, reorder or move; `lines` lets tab and line feed pass."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    checked = text.replace("\n", "").replace("\t", "") if lines else text
    return text if checked.isprintable() else None


def printed(data: bytes) -> str:
    """For the format of printf between single quotes: octal escapes have three digits, so that none reads on.

    A `-` at the beginning is escaped too, or printf would take it for an option.
    """
    text = "".join([_PRINTED[byte] for byte in data])
    return f"{_OCTAL[45]}{text[1:]}" if text.startswith("-") else text


def _into_pipe(data: bytes) -> Iterator[str]:
    """The lines of a command that prints these bytes, to stand in front of `| …`."""
    if not data:
        yield "printf '' | \\"
    elif len(data) <= LITERAL:
        yield "{"
        for start in range(0, len(data), _LINE):
            yield f"  printf '{printed(data[start : start + _LINE])}'"
        yield "} | \\"
    else:
        yield "base64 -d <<'END_OF_BODY' | \\"


def _here_document(data: bytes) -> Iterator[str]:
    """What has to follow the whole command when `_into_pipe` announced it."""
    if len(data) > LITERAL:
        encoded = base64.b64encode(data).decode()
        for start in range(0, len(encoded), 4096):
            yield encoded[start : start + 4096]
        yield "END_OF_BODY"


def as_comments(sentences: Iterable[str]) -> Iterator[str]:
    """One line each, whatever is in them."""
    for sentence in sentences:
        yield "# " + "".join(character if character.isprintable() else "?" for character in sentence)
