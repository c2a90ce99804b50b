"""URL-encoded forms as a view, with JSON inside a field laid out: Slack and GitHub send `payload=` so."""

from __future__ import annotations

from hookbin.bodies import limits
from hookbin.bodies.forms import FormField, form_match
from hookbin.bodies.json_text import lay_out
from hookbin.bodies.json_values import opens_json
from hookbin.bodies.match import Match
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View, ViewField

_NAME = 1_000
"""Characters of a name that are shown."""


def form_fit(reading: Reading) -> Match:
    return form_match(reading.body, reading.media_type)


def form_view(reading: Reading) -> View | None:
    """Order and repeated names are kept."""
    form = reading.form
    if form is None:
        return None
    fields: list[ViewField] = []
    left, end = limits.SHOWN, 0
    for one in form:
        if len(fields) == limits.FIELDS or left <= 0 or reading.budget.spent():
            break
        field = _field(one, left, reading)
        left -= len(field.name) + len(field.value) + len(field.json or "")
        fields.append(field)
        end = one.end
    cut = end < len(reading.body)
    notices = [f"Cut: {len(fields):,} fields are shown; there is more."] if cut else []
    return View(
        name="form",
        title="Form",
        fields=fields,
        truncated=cut or any(field.truncated for field in fields),
        notice=" ".join(filter(None, (form.notice, *notices))) or None,
    )


def _field(field: FormField, left: int, reading: Reading) -> ViewField:
    name, value = field.name[: min(left, _NAME)], field.value
    laid_out = None
    if opens_json(value) and not field.cut:
        layout = lay_out(value, budget=reading.budget, most=left)
        laid_out = None if layout.broken or layout.stopped else layout.text
    room = max(0, left - len(name) - len(laid_out or ""))
    return ViewField(
        name=name,
        value=value[:room],
        truncated=field.cut or len(value) > room or len(field.name) > len(name),
        json=laid_out,
    )
