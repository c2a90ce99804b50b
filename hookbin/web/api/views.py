"""Views of a captured body, and what can be downloaded of it besides the raw bytes."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from hookbin.bodies import limits
from hookbin.bodies.multipart import file_name
from hookbin.bodies.shapes import View, Views
from hookbin.bodies.views import image
from hookbin.clock import seq_id
from hookbin.errors import PartNotFound, ViewNotFound, ViewsBusy
from hookbin.models.requests import CapturedRequest
from hookbin.web.api.requests import find
from hookbin.web.rest.downloads import INERT, attachment
from hookbin.web.rest.route import Call, raises
from hookbin.web.rest.viewer import Bytes


class PageQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    start: Annotated[
        Annotated[int, Meta(ge=0, le=limits.PACKED)],
        Meta(description="Where the page begins, as `place` of `text`, `html`, `json` and `hex` say."),
    ] = 0


class PictureQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    part: Annotated[
        Annotated[int, Meta(ge=1, le=limits.PARTS)] | None, Meta(description="The image in this part of the body.")
    ] = None


def bytes_of(request: CapturedRequest, *, start: int = 0) -> Bytes:
    """A captured body as the viewer takes it."""
    cut = request.truncated or request.incomplete
    return Bytes(body=request.body, headers=request.headers, size=request.size, cut=cut, start=start)


@raises(ViewsBusy)
async def list_views(call: Call[None, None]) -> Views:
    """See a captured body in every way that applies.

    The best view first. Made on demand, under limits of size and time that docs/settings.md lists; what was
    left out is said in `notice`. `text` is plain text, never markup.
    """
    return await call.site.viewer.every(bytes_of(await find(call)))


@raises(ViewsBusy)
async def read_view(call: Call[PageQuery, None]) -> View:
    """See a captured body in one way.

    `image`, `multipart`, `ndjson`, `json`, `form`, `html`, `xml`, `jwt`, `protobuf`, `text`, `hex` or `sent`
    (the bytes before decompression, in hex).
    """
    request = await find(call)
    name = call.path["view"]
    view = await call.site.viewer.named(bytes_of(request, start=call.query.start), name)
    if view is None:
        raise ViewNotFound(
            f"this body has no view {name[:40]!r}; GET /requests/{call.path['request']}/views lists those it has"
        )
    return view


@raises(ViewNotFound, ViewsBusy)
async def decoded(call: Call[None, None]) -> Response:
    """Download a captured body decompressed.

    gzip, deflate, Brotli and Zstandard undone, up to 16 MiB; `hookbin-truncated: true` says that it is not all.
    """
    request = await find(call)
    unpacked = await call.site.viewer.unpacked(bytes_of(request))
    if not unpacked.encodings:
        raise ViewNotFound("this body is not compressed in a way that is known here; download it as it is from /body")
    response = attachment(unpacked.body, f"{seq_id('req_', request.seq)}-decoded.bin")
    response.headers["hookbin-truncated"] = "true" if unpacked.cut else "false"
    return response


@raises(ViewsBusy)
async def part(call: Call[None, None]) -> Response:
    """Download one part of a multipart body.

    Counted from 1, as the view `multipart` lists them; an attachment that no browser renders, under a safe form
    of its file name.
    """
    request = await find(call)
    number = call.path["number"]
    found = None
    if re.fullmatch(r"[0-9]{1,6}", number):
        found = await call.site.viewer.part(bytes_of(request), int(number))
    if found is None:
        raise PartNotFound(f"this body has no part {number[:40]!r} that can be downloaded; see the view `multipart`")
    return attachment(found.content, file_name(found) or f"{seq_id('req_', request.seq)}-part-{number}.bin")


@raises(ViewNotFound, ViewsBusy)
async def picture(call: Call[PictureQuery, None]) -> Response:
    """Show a captured image.

    A PNG, JPEG, GIF or WebP image, told by its first bytes whatever the sender called it. SVG is not served: it
    can hold script.
    """
    request = await find(call)
    if call.query.part is None:
        content = (await call.site.viewer.unpacked(bytes_of(request))).body
    else:
        found_part = await call.site.viewer.part(bytes_of(request), call.query.part)
        content = b"" if found_part is None else found_part.content
    found = image.describe(content)
    if found is None or not found.drawable:
        raise ViewNotFound("this is no PNG, JPEG, GIF or WebP image of a size that can be drawn; download it instead")
    return Response(content, media_type=found.media_type, headers={**INERT, "content-disposition": "inline"})
