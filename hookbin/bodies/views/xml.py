"""XML laid out by its tokens. Nothing is parsed into a tree and no entity is ever resolved, so none can explode."""

from __future__ import annotations

import re

from hookbin.bodies import limits
from hookbin.bodies.match import Match
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View
from hookbin.text import size_text

_TOKEN = re.compile(
    r"(<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:]]>|\Z)|<\?.*?(?:\?>|\Z)|<![A-Za-z][^>\[]*+(?:\[[^]]*+(?:]|\Z))?[^>]*+>?)"
    r"|(<(?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+>)"
    r"|([^<]++|<)",
    re.DOTALL,
)
_MARKED, _TAG = 1, 2
_NAME = re.compile(r"</?\s*([^\s/>]{1,200})")
_OPENS = re.compile(r"\s{0,1000}<(?:\?xml[\s?]|[A-Za-z_][\w.:-]{0,100}[\s/>])")
_LOOKED_AT = 4 * limits.SHOWN


def xml_fit(reading: Reading) -> Match:
    if reading.text is None:
        return Match.NO
    if reading.media_type in ("application/xml", "text/xml") or reading.media_type.endswith("+xml"):
        return Match.DECLARED
    if reading.media_type == "text/html" or not _OPENS.match(reading.text.text):
        return Match.NO
    return Match.LOOKS if reading.text.text.lstrip()[:5] == "<?xml" else Match.MAYBE


def xml_view(reading: Reading) -> View | None:
    """One element a line; an element that holds text alone stays on one."""
    text = reading.text
    if text is None:
        return None
    lines = _Lines(limits.SHOWN)
    looked_at = text.text[:_LOOKED_AT]
    declares, stopped = False, False
    for match in _TOKEN.finditer(looked_at):
        if lines.full or reading.budget.spent():
            stopped = True
            break
        word = match[0]
        declares = declares or word[:9].upper() == "<!DOCTYPE"
        if match.lastindex == _TAG:
            lines.tag(word)
        elif match.lastindex == _MARKED or word.strip():
            lines.add(word.strip())
    cut = stopped or lines.full or len(looked_at) < len(text.text) or not text.whole
    notices = [text.notice] if text.notice else []
    if declares:
        notices.append("It declares a document type: its entities are shown as they are written, and not resolved.")
    if lines.unmatched and not (cut or reading.cut):
        notices.append(f"Not well-formed: {lines.unmatched}.")
    elif lines.open and not (cut or reading.cut):
        notices.append(f"Not well-formed: <{lines.open[-1][:100]}> is not closed.")
    if cut:
        notices.append(f"The first {size_text(limits.SHOWN)} are shown.")
    return View(
        name="xml",
        title="XML",
        text="\n".join(lines.done)[: limits.SHOWN],
        language="xml",
        truncated=cut,
        notice=" ".join(notices) or None,
    )


class _Lines:
    """Indented lines, until there are `most` characters of them."""

    def __init__(self, most: int) -> None:
        self.done: list[str] = []
        self.open: list[str] = []
        self.unmatched: str | None = None
        self._left = most
        self._text_in_last = 0
        """How many tokens the last line has, when it began with an opening tag: that tag, and its text."""

    @property
    def full(self) -> bool:
        return self._left <= 0

    def add(self, word: str) -> None:
        if self._text_in_last == 1 and "\n" not in word and not word.startswith("<"):
            self._extend(word)
            self._text_in_last = 2
        else:
            self._line(word)

    def tag(self, word: str) -> None:
        name = _NAME.match(word)
        called = name[1] if name else ""
        if word.startswith("</"):
            self._close(word, called)
        else:
            self._line(word)
            if not word.endswith("/>"):
                self.open.append(called)
                self._text_in_last = 1

    def _close(self, word: str, called: str) -> None:
        if self.open and self.open[-1] == called:
            self.open.pop()
        elif self.unmatched is None:
            last = f"<{self.open[-1][:100]}>" if self.open else "nothing"
            self.unmatched = f"</{called[:100]}> closes {last}"
        if self._text_in_last:
            self._extend(word)
            self._text_in_last = 0
        else:
            self._line(word)

    def _line(self, word: str) -> None:
        line = "  " * min(len(self.open), limits.DEPTH) + word
        self.done.append(line)
        self._left -= len(line) + 1
        self._text_in_last = 0

    def _extend(self, word: str) -> None:
        self.done[-1] += word
        self._left -= len(word)
