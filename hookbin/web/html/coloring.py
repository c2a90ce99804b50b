"""Text of a view as safe markup: escaped, what hides in it revealed, and coloured while time lasts."""

from __future__ import annotations

from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers.html import HtmlLexer, XmlLexer
from pygments.token import STANDARD_TYPES

from hookbin.bodies.budget import Budget
from hookbin.web.html.filters import reveal
from hookbin.web.html.json_tree import folded

_LEXERS: dict[str, Lexer] = {"html": HtmlLexer(), "xml": XmlLexer()}
_LONGEST_LINE = 4 * 1024
"""Characters of a line of markup that are coloured: the lexers of HTML and XML may look ahead again and again."""
_MARKUP = 256 * 1024
"""Characters of markup that colours may lead to; the rest stays plain."""
_PLAIN = {"", "w", "err"}


def colored(text: str, language: str | None, budget: Budget) -> Markup:
    """Spans with the class names of Pygments; JSON can be folded. What it can't do in time stays without colour."""
    if language == "json":
        return reveal(folded(text, budget))
    lexer = _LEXERS.get(language or "")
    if lexer is None or max(map(len, text.split("\n"))) > _LONGEST_LINE:
        return reveal(text)
    pieces: list[str] = []
    done = length = 0
    for place, kind, word in lexer.get_tokens_unprocessed(text):
        name = STANDARD_TYPES.get(kind, "")
        shown = str(escape(word))
        pieces.append(shown if name in _PLAIN else f'<span class="{name}">{shown}</span>')
        done = place + len(word)
        length += len(pieces[-1])
        if length > _MARKUP or budget.spent():
            break
    pieces.append(str(escape(text[done:])))
    return reveal(Markup("".join(pieces)))  # noqa: S704 - every word is escaped
