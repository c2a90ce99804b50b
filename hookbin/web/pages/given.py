"""The answer that a captured request got, whole, as far as it is known."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hookbin.answers.given import given_answer
from hookbin.capture.faults import sent_by
from hookbin.conditions.incoming import captured
from hookbin.models.common import Headers
from hookbin.models.requests import CapturedRequest
from hookbin.web.rest.services import Services
from hookbin.web.rest.viewer import Bytes, DrawnBody


class GivenAnswer(Struct, frozen=True, kw_only=True):
    """Header fields, without Date and those of the connection, and body as they went out."""

    headers: Headers
    body: DrawnBody
    from_template: bool
    """Then the body is the template: what it wrote is not kept."""


async def given(s: Services, request: CapturedRequest) -> GivenAnswer | None:
    """None when it is not known any more, and when there was none."""
    bin = s.stores.bins.find(request.bin_id)
    response = None if bin is None else await s.stores.bins.response_to(bin, request)
    answer = None if response is None else given_answer(response, request, captured(request))
    if answer is None:
        return None
    fields, content = sent_by(answer)
    if request.method == "HEAD":
        content = b""
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
    (body,) = await s.site.viewer.look(Bytes(body=content, headers=headers, size=len(content)))
    return GivenAnswer(
        headers=() if answer.template else headers,
        body=msgspec.structs.replace(body, tabs=()),
        from_template=answer.template is not None,
    )
