"""JSON that was laid out, as markup that folds: an object or list is a `<details>`, each line an element.

Works without JavaScript; `json_tree.js` finds in it, and copies values and paths. A number that is a time by its name
and size has that time beside it.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from hookbin.bodies.budget import Budget
from hookbin.clock import rfc3339
from hookbin.models.common import SECOND

MAX_FOLDS = 2_000
"""Objects and lists of one body that can be folded."""
MAX_DEPTH = 60
"""Levels of them."""
_LINE = re.compile(r'( *)(?:("(?:[^"\\]|\\.)*+")(: ))?(.*)')
_NUMBER = re.compile(r'"?(\d{9,16}(?:\.\d+)?)"?,?')
_TIME_NAME = re.compile(
    r"(?i:time|date|created|expir|epoch|(?:^|_)(?:at|ts|exp|iat|nbf|since|until|start|end|due)$)|[a-z]At$"
)
"""Names whose numbers are times."""
_YEARS = (946_684_800, 4_102_444_800)
"""From 2000 to 2100, in seconds."""
_KINDS = {'"': "s2", "t": "kc", "f": "kc", "n": "kc"}


def folded(text: str, budget: Budget) -> Markup:
    """`text` is laid out with one value a line and two blanks a level; what does not look so stays plain."""
    tree = _Tree()
    lines = text.split("\n")
    spent = False
    for place, line in enumerate(lines):
        spent = spent or (place % 256 == 255 and budget.spent())
        if spent:
            tree.add_plain(line)
        else:
            tree.add(line)
    return tree.closed()


class _Tree:
    """The markup up to a line."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._open: list[tuple[int, int]] = []
        """For each `<details>` that is open, where its `<summary>` stands and how many lines it holds."""
        self._folds = 0
        self._is_inline = False
        """Whether the last line was no block."""
        self._plain = 0
        """Brackets that are open and not folded: they stand with all they hold in one line's element."""

    def add(self, line: str) -> None:
        match = _LINE.fullmatch(line)
        assert match is not None
        blanks, name, colon, value = match.groups()
        if self._plain:
            self._plain += (value in ("{", "[")) - (value[:1] in ("}", "]"))
            self.pieces.append(f"\n{_escape(line)}{'' if self._plain else '</span>'}")
        elif value[:1] in ("}", "]"):
            self._close(blanks, value)
        else:
            key = "" if name is None else f'<span class="nt">{_escape(name)}</span>{colon}'
            self._count()
            if value in ("{", "["):
                self._begin(f"{blanks}{key}{value}")
            else:
                self._line(f'<span class="l">{blanks}{key}{_scalar(name, value)}</span>')

    def add_plain(self, line: str) -> None:
        self._line(f"<span>{_escape(line)}</span>")

    def _line(self, markup: str) -> None:
        """Ends the line before, if that is no block: what is selected and copied has each end once."""
        self.pieces += ["\n", markup] if self._is_inline else [markup]
        self._is_inline = True

    def _begin(self, line: str) -> None:
        if self._folds >= MAX_FOLDS or len(self._open) >= MAX_DEPTH:
            self._plain = 1
            self._line(f'<span class="l">{line}')
            return
        self._folds += 1
        self._open.append((len(self.pieces), 0))
        self.pieces += ["", f"{line}</summary>"]
        self._is_inline = False

    def _close(self, blanks: str, bracket: str) -> None:
        if self._open:
            self._end(self._open.pop(), bracket)
        self._line(f'<span class="l e">{blanks}{_escape(bracket)}</span>')

    def _count(self) -> None:
        if self._open:
            place, count = self._open[-1]
            self._open[-1] = (place, count + 1)

    def _end(self, opened: tuple[int, int], bracket: str = "") -> None:
        """Says in the summary what stands for the rest when that is folded: `4 … },`."""
        place, count = opened
        self.pieces[place] = f'<details open><summary data-n="{count} … {_escape(bracket)}">'
        self.pieces.append("</details>")
        self._is_inline = False

    def closed(self) -> Markup:
        """The whole, with what is still open closed."""
        if self._plain:
            self.pieces.append("</span>")
        for opened in reversed(self._open):
            self._end(opened)
        return Markup("".join(self.pieces))  # noqa: S704 - every word is escaped


def _escape(text: str) -> str:
    """For the text of an element, where quotes are just quotes: JSON is full of them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _scalar(name: str | None, value: str) -> str:
    comma = "," if value.endswith(",") else ""
    word = value.removesuffix(",")
    kind = _KINDS.get(word[:1], "mi" if word[:1].isdigit() or word[:1] == "-" else "")
    if not kind:
        return _escape(value)
    time = _time(name or "", word)
    beside = f' data-at="{time}"' if time else ""
    return f'<span class="{kind}"{beside}>{_escape(word)}</span>{comma}'


def _time(name: str, word: str) -> str | None:
    """The moment that a number of seconds, milliseconds or microseconds is, where its name says that it is one."""
    number = _NUMBER.fullmatch(word)
    if number is None or not _TIME_NAME.search(name.strip('"')):
        return None
    seconds = float(number[1])
    for unit in (1, 1_000, 1_000_000):
        if _YEARS[0] <= seconds / unit < _YEARS[1]:
            said = rfc3339(round(seconds / unit * SECOND))
            return f"{said[:10]} {said[11:19]} UTC"
    return None
