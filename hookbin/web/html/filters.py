"""The filters of the templates: hostile text shown, words and numbers made into what a page needs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that show nothing, or change how others are shown."""
_TIME_OR_DELIVERY = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|dlv_[0-9a-z]{26})")


def reveal(text: str) -> Markup:
    """Escaped, with characters that hide or reorder text shown by their code."""
    shown = _ODD.sub(lambda match: f'<span class="odd">U+{ord(match[0]):04X}</span>', str(escape(text)))
    return Markup(shown)  # noqa: S704 - escaped above; what was added is ours


def with_code(text: str) -> Markup:
    """Words between backticks as code."""
    shown = re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text)))
    return Markup(shown)  # noqa: S704 - escaped above; what was added is ours


def split_sentence(sentence: str) -> list[tuple[str, str]]:
    """Pieces of a sentence, each with what it is: a `time`, the id of a `delivery`, or nothing of these."""
    pieces = enumerate(_TIME_OR_DELIVERY.split(sentence))
    return [
        (piece, "" if place % 2 == 0 else "delivery" if piece.startswith("dlv_") else "time")
        for place, piece in pieces
        if piece
    ]


def rule_words(rule: str | None) -> str:
    """What of a bin's response chose an answer, as people say it: `step 2 of the sequence`."""
    if rule is None:
        return "the answer itself"
    kind, _, which = rule.replace(":", "[").rstrip("]").partition("[")
    match kind:
        case "sequence":
            return f"step {int(which) + 1} of the sequence"
        case "rules":
            return f"rule {int(which) + 1}"
        case "handshake":
            return f"the handshake of {which}"
        case _:
            return "CORS" if kind == "cors" else rule


def bare(url: str) -> str:
    """A URL without its scheme, where room is short."""
    return url.removeprefix("http://").removeprefix("https://")


def bars(counts: Sequence[int]) -> str:
    """The path of a bar for each count over zero: 4 wide with its gap, at most 16 high."""
    most = max(counts, default=0)
    return "".join(
        f"M{4 * place} 16v-{1 + round(15 * count / most)}h3v{1 + round(15 * count / most)}z"
        for place, count in enumerate(counts)
        if count
    )


def attempt_number(attempt_id: str | None) -> str:
    """`attempt 3` for a request that one of our own attempts sent, from the attempt's id."""
    return "" if attempt_id is None else f"attempt {attempt_id.rpartition('_')[2]}"
