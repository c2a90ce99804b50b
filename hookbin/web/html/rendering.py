"""Templates: where they are, what they can use, and a page made from one."""

from __future__ import annotations

from typing import Any

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hookbin import text
from hookbin.clock import rfc3339
from hookbin.web.html import assets, choices, filters
from hookbin.web.html.static import FILES
from hookbin.web.rest.services import services
from hookbin.web.rest.sessions import session_of

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(assets.folder("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(choices.GLOBALS)
_templates.filters.update(
    ago=text.ago,
    attempt_number=filters.attempt_number,
    bare=filters.bare,
    bars=filters.bars,
    duration=text.duration,
    json=lambda value: msgspec.json.encode(value).decode(),
    reveal=filters.reveal,
    rfc3339=rfc3339,
    rule_words=filters.rule_words,
    seconds_list=text.seconds_list,
    size=text.size_text,
    split_sentence=filters.split_sentence,
    wire=text.wire,
    with_code=filters.with_code,
)


def render(request: Request, template: str, /, *, status: int = 200, **context: Any) -> Response:
    """The page made from `template`; `base_url`, `bins_url`, `now`, `static` and `session` are there for every one."""
    s = services(request)
    addresses = s.site.addresses
    page = _templates.get_template(template).render(
        base_url=addresses.base_url,
        bins_url=addresses.bins_url,
        now=s.site.clock.now(),
        static=FILES.base,
        session=session_of(request),
        **context,
    )
    return HTMLResponse(page, status_code=status)
