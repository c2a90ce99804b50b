"""JSON and newline-delimited JSON as views."""

from __future__ import annotations

from hookbin.bodies import limits
from hookbin.bodies.charsets import Text
from hookbin.bodies.json_text import lay_out
from hookbin.bodies.json_values import opens_json
from hookbin.bodies.match import Match
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import BrokenAt, View, place_of
from hookbin.text import size_text

_SAMPLE = 256
"""Tokens that are read to tell whether undeclared text is JSON."""
_AROUND = 60
"""Characters shown on either side of an error."""
_DEEP = 200
"""Levels from which nesting is worth a word."""
_LINE_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines",
               "application/x-jsonlines", "application/json-seq", "application/stream+json")  # fmt: skip


def json_fit(reading: Reading) -> Match:
    text = reading.text
    if text is None:
        return Match.NO
    if is_json(reading.media_type):
        return Match.DECLARED
    return looks_like_json(text, reading)


def is_json(media_type: str) -> bool:
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def looks_like_json(text: Text, reading: Reading) -> Match:
    if not opens_json(text.text):
        return Match.NO
    sample = lay_out(
        text.text, budget=reading.budget, most=0, whole=text.whole and not reading.cut, most_tokens=_SAMPLE
    )
    return Match.MAYBE if sample.broken else Match.LOOKS


def json_view(reading: Reading) -> View | None:
    text = reading.text
    if text is None:
        return None
    whole = text.whole and not reading.cut
    start = reading.start
    layout = lay_out(text.text, budget=reading.budget, most=limits.SHOWN, skip=start, whole=whole)
    notices = [text.notice] if text.notice else []
    if layout.depth >= _DEEP:
        notices.append(f"Nested {layout.depth:,} levels deep.")
    if not layout.broken and (layout.stopped or not text.whole):
        checked = size_text(text.offset(layout.read))
        notices.append(f"The syntax of the first {checked} of {size_text(len(reading.body))} was checked.")
    if layout.broken:
        shown, cut = text.text[: limits.SHOWN], len(text.text) > limits.SHOWN
        return View(
            name="json",
            title="JSON",
            text=shown,
            truncated=cut or not text.whole,
            broken=broken_at(text, *layout.broken),
            notice=" ".join([*notices, "It is not valid JSON, so it is shown as it came.", *_first(cut)]),
        )
    shown, cut = layout.text, layout.cut
    if not cut and not whole and not layout.stopped:  # a long string may begin here, and end behind what was read
        rest = text.text[layout.read :]
        cut = len(shown) + len(rest) > limits.SHOWN
        shown = (shown + rest)[: limits.SHOWN]
    if start:
        notices.append(f"Characters {start + 1:,} to {start + len(shown):,}{', and there are more' if cut else ''}.")
    return View(
        name="json",
        title="JSON",
        text=shown,
        language="json",
        truncated=cut or layout.stopped or not text.whole or start > 0,
        notice=" ".join([*notices, *_first(cut and not start)]) or None,
        place=place_of(start, limits.SHOWN, more=cut),
    )


def _first(cut: bool) -> list[str]:
    return [f"The first {size_text(limits.SHOWN)} are shown."] if cut else []


def broken_at(text: Text, place: int, message: str) -> BrokenAt:
    line_start = text.text.rfind("\n", 0, place) + 1
    return BrokenAt(
        message=message,
        line=text.text.count("\n", 0, place) + 1,
        column=place - line_start + 1,
        offset=text.offset(place),
        before=text.text[max(0, place - _AROUND) : place],
        after=text.text[place : place + _AROUND],
    )


def lines_fit(reading: Reading) -> Match:
    text = reading.text
    if text is None:
        return Match.NO
    if reading.media_type in _LINE_TYPES:
        return Match.DECLARED
    first, _, rest = text.text[: limits.SHOWN].partition("\n")
    second, newline, _ = rest.partition("\n")
    alike = _is_row(first, reading) and second.strip() and (_is_row(second, reading) or not newline)
    return Match.LOOKS if alike else Match.NO


def _is_row(line: str, reading: Reading) -> bool:
    if not opens_json(line):
        return False
    layout = lay_out(line, budget=reading.budget, most=0)
    return not layout.broken


def lines_view(reading: Reading) -> View | None:
    """Each line laid out by itself; a line that is broken stays as it is."""
    text = reading.text
    if text is None:
        return None
    pieces: list[str] = []
    left, number, start, broken, cut = limits.SHOWN, 0, 0, None, False
    while start < len(text.text) and not cut:
        end = text.text.find("\n", start)
        end = len(text.text) if end < 0 else end
        line = text.text[start:end].strip(" \t\r\x1e")
        if left <= 0 or reading.budget.spent():
            cut = True
        elif line:
            number += 1
            layout = lay_out(line, budget=reading.budget, most=left, whole=end < len(text.text) or text.whole)
            piece = line[:left] if layout.broken else layout.text
            cut = cut or layout.cut or (len(line) > left and layout.broken is not None)
            left -= len(piece) + 2
            pieces.append(piece)
            if layout.broken and broken is None:
                skipped = text.text.index(line, start)
                broken = broken_at(text, skipped + layout.broken[0], layout.broken[1])
        start = end + 1
    notices = [text.notice] if text.notice else []
    notices += [f"{number:,} lines of JSON{', and more' if cut or not text.whole else ''}."]
    return View(
        name="ndjson",
        title="JSON lines",
        text="\n\n".join(pieces),
        language="json" if broken is None else None,
        truncated=cut or not text.whole,
        broken=broken,
        notice=" ".join([*notices, *_first(cut)]),
    )
