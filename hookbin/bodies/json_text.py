"""JSON read token by token: laid out with every token as it was written, or the place where it breaks."""

from __future__ import annotations

import re
from typing import Protocol

from msgspec import Struct

from hookbin.bodies.budget import Budget

_TOKEN = re.compile(
    r"[ \t\n\r]*+(?:"
    r'("[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+")'
    r"|((?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?|true|false|null)(?![-+.0-9A-Za-z_]))"
    r"|([][{}:,]))"
)
"""RFC 8259. The quantifiers give nothing back, so time is linear."""
_BLANK = re.compile(r"[ \t\n\r]*+")
_OPEN_STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+')
_OPEN_SCALAR = re.compile(r"[-+.0-9a-zA-Z]{1,400}\Z")
_LONGEST_ESCAPE = len("\\u00e9")
_STRING, _SCALAR = "string", "scalar"
_KINDS = {1: _STRING, 2: _SCALAR}
"""By the group of `_TOKEN` that matched; a sign is a kind of its own."""

# What the reader waits for, and what it waits for after that.
_ANY, _ELEMENT, _MEMBER, _NAME, _COLON, _AFTER = "value", "element", "member", "name", "colon", "after"
_STEPS: dict[tuple[str, str], str] = {
    **{(state, kind): _AFTER for state in (_ANY, _ELEMENT) for kind in (_STRING, _SCALAR)},
    **{(state, "{"): _MEMBER for state in (_ANY, _ELEMENT)},
    **{(state, "["): _ELEMENT for state in (_ANY, _ELEMENT)},
    (_MEMBER, _STRING): _COLON,
    (_NAME, _STRING): _COLON,
    (_COLON, ":"): _ANY,
    (_MEMBER, "}"): _AFTER,
    (_ELEMENT, "]"): _AFTER,
}
_WAITS_FOR = {
    _ANY: "a value",
    _ELEMENT: "a value or `]`",
    _MEMBER: "a name in double quotes or `}`",
    _NAME: "a name in double quotes",
    _COLON: "`:`",
}
_CLOSES = {"{": "}", "[": "]"}
_EVERY = 512
"""Tokens between two looks at the time."""


class Layout(Struct, frozen=True, kw_only=True):
    """`text` is laid out up to `most` characters behind those skipped, `cut` when there is more of it.

    `broken` is `(place, message)` of the first error; `read` counts the characters that were
    understood, and `stopped` is True when time or the number of tokens ended the reading.
    """

    text: str
    cut: bool
    read: int
    depth: int
    broken: tuple[int, str] | None = None
    stopped: bool = False


def lay_out(
    text: str, *, budget: Budget, most: int, skip: int = 0, whole: bool = True, most_tokens: int | None = None
) -> Layout:
    """One JSON value. `whole` is False when `text` is only the beginning, so that its end is no error."""
    page = _Page(most, skip=skip)
    reader = Tokens(text, page)
    stopped = False
    while not stopped and reader.step():
        stopped = reader.count == most_tokens or (reader.count % _EVERY == 0 and budget.spent())
    return Layout(
        text="".join(page.pieces),
        cut=page.full,
        read=reader.blank_end(),
        depth=reader.depth,
        broken=None if stopped else reader.broken(whole),
        stopped=stopped,
    )


class Taker(Protocol):
    """Who takes the tokens; `depth` counts the brackets that are open behind each."""

    def write(self, word: str, kind: str, depth: int) -> None: ...


class Tokens:
    """Goes through the tokens, without recursion, for as long as each stands where it may."""

    def __init__(self, text: str, taker: Taker) -> None:
        self._taker = taker
        self.count = 0
        self.depth = 0
        self._text = text
        self._place = 0
        self._state = _ANY
        self._open: list[str] = []

    def step(self) -> bool:
        """Read the next token; False when there is none that may stand here."""
        match = _TOKEN.match(self._text, self._place)
        if match is None or match.lastindex is None:
            return False
        word = match[match.lastindex]
        kind = _KINDS.get(match.lastindex, word)
        state = self._after(kind) if self._state == _AFTER else _STEPS.get((self._state, kind))
        if state is None:
            return False
        if kind in _CLOSES:
            self._open.append(word)
            self.depth = max(self.depth, len(self._open))
        elif kind in ("}", "]"):
            self._open.pop()
        self._taker.write(word, kind, len(self._open))
        self._state, self._place = state, match.end()
        self.count += 1
        return True

    def _after(self, kind: str) -> str | None:
        """What follows a value: a comma, or the end of what it stands in."""
        if not self._open:
            return None
        if kind == ",":
            return _NAME if self._open[-1] == "{" else _ANY
        return _AFTER if kind == _CLOSES[self._open[-1]] else None

    def blank_end(self) -> int:
        """Where the next token would begin."""
        blank = _BLANK.match(self._text, self._place)
        return blank.end() if blank else self._place

    def broken(self, whole: bool) -> tuple[int, str] | None:
        """Where and why it could not go on; None when it came to the end."""
        at = self.blank_end()
        done = self._state == _AFTER and not self._open and at == len(self._text)
        if done or (not whole and _cut_off(self._text, at, self._state)):
            return None
        return at, _complaint(self._text, at, self._state, self._open)


class _Page:
    """Tokens written over lines with two blanks a level, from behind the first `skip` characters until it is full."""

    def __init__(self, most: int, *, skip: int) -> None:
        self._skip = skip
        self.pieces: list[str] = []
        self.full = False
        self._left = most
        self._opened = False

    def write(self, word: str, kind: str, depth: int) -> None:
        if self.full:
            return
        if kind in ("}", "]"):
            before = "" if self._opened else "\n" + "  " * depth
        elif self._opened:
            before = "\n" + "  " * (depth - (kind in _CLOSES))
        else:
            before = ""
        after = ": " if kind == ":" else ",\n" + "  " * depth if kind == "," else word
        piece = before + after
        self._opened = kind in _CLOSES
        if self._skip:
            left_out = min(self._skip, len(piece))
            self._skip -= left_out
            piece = piece[left_out:]
        if len(piece) > self._left:
            self.full = True
            piece = piece[: self._left]
        self._left -= len(piece)
        self.pieces.append(piece)


def _cut_off(text: str, at: int, state: str) -> bool:
    """Whether what stands at `at` may be right, and only lacks its end."""
    if at == len(text):
        return True
    if text[at] == '"' and state in (_ANY, _ELEMENT, _MEMBER, _NAME):
        string = _OPEN_STRING.match(text, at)
        return string is not None and len(text) - string.end() < _LONGEST_ESCAPE
    return state in (_ANY, _ELEMENT) and _OPEN_SCALAR.match(text, at) is not None


def _complaint(text: str, at: int, state: str, stack: list[str]) -> str:
    if at >= len(text):
        return f"it ends too early; {len(stack)} brackets are still open" if stack else "it ends too early"
    sign = text[at]
    if sign == '"' and not _TOKEN.match(text, at):
        return _string_complaint(text, at)
    if sign == "'":
        return "single quotes; JSON has double quotes only"
    if text.startswith(("//", "/*"), at):
        return "a comment; JSON has none"
    if sign in "}]" and state in (_ANY, _NAME) and stack and sign == _CLOSES[stack[-1]]:
        return f"a comma before `{sign}`; JSON has no trailing commas"
    word = re.compile(r"[-+.\w]{1,40}").match(text, at)
    if word and word[0].lstrip("-+") in ("NaN", "Infinity", "undefined", "None", "True", "False"):
        return f"`{word[0]}` is not JSON"
    if state == _AFTER:
        return f"`,` or `{_CLOSES[stack[-1]]}` should stand here" if stack else "nothing may follow the value"
    return f"{_WAITS_FOR[state]} should stand here"


def _string_complaint(text: str, at: int) -> str:
    string = _OPEN_STRING.match(text, at)
    end = string.end() if string else at
    if end >= len(text):
        return "this string does not end"
    if text[end] == "\\":
        return f"this string has an escape that JSON does not know, {end - at} characters further on"
    return f"this string has the control character U+{ord(text[end]):04X}, {end - at} characters further on"
