"""Captured requests."""

from __future__ import annotations

from hookbin import errors, shapes
from hookbin.web.api import exports, requests, views, wait
from hookbin.web.rest.routing import Route
from hookbin.web.routes.common import BODY_ERRORS

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET", path="/bins/{bin}/requests", handler=requests.index, tag="requests",
        summary="List what a bin captured", answer=shapes.Page[shapes.RequestRow],
        description="Newest first, without headers and bodies. A search looks at 12,000 requests and reads 16 MiB of "
        "bodies at most: a page may be short or empty and still have a `next_cursor` that goes on.",
        query=requests.ListQuery, raises=(errors.FieldsInvalid, errors.BinNotFound),
    ),
    Route(
        method="DELETE", path="/bins/{bin}/requests", handler=requests.clear, tag="requests",
        summary="Delete what a bin captured", answer=shapes.Deleted, query=requests.DeleteQuery,
        description="All that was captured so far, or what a list with the same query shows; pinned ones only with "
        "`include_pinned` or `pinned=true`. With a query one call deletes up to 10,000 and looks no further than a "
        "search does: `next_cursor` goes on.",
        raises=(errors.FieldsInvalid, errors.BinNotFound),
    ),
    Route(
        method="GET", path="/bins/{bin}/wait", handler=wait.wait, tag="requests",
        summary="Wait for requests", answer=shapes.Page[shapes.RequestShape], query=wait.WaitQuery,
        description="Answers with `count` requests in the order they came, as soon as so many are there; those already "
        "there count, the newest of them (looked for as far as a search goes). After `timeout` seconds 408 with "
        "`nearest`: of the newest 100 those that lack the least, and what.",
        raises=(errors.BinNotFound, errors.WaitTimedOut, errors.TooManyWaiting, errors.ShuttingDown),
    ),
    Route(
        method="PATCH", path="/requests/{request}", handler=requests.change, tag="requests",
        summary="Note something on a captured request, or pin it", body=shapes.RequestChange,
        answer=shapes.RequestShape,
        description="A pinned request is not trimmed, and does not count towards `max_requests`.",
        raises=(*BODY_ERRORS, errors.RequestNotFound, errors.TooManyPinned),
    ),
    Route(
        method="DELETE", path="/requests/{request}", handler=requests.delete, tag="requests",
        summary="Delete a captured request", status=204,
        description="It is gone at once.", raises=(errors.RequestNotFound,),
    ),
    Route(
        method="GET", path="/requests/{request}", handler=requests.read, tag="requests",
        summary="Read a captured request", answer=shapes.RequestShape,
        description="With its headers and up to 256 KiB of its body.", raises=(errors.RequestNotFound,),
    ),
    Route(
        method="GET", path="/requests/{request}/body", handler=requests.body, tag="requests",
        summary="Download a captured body", answer=bytes, answer_media="application/octet-stream",
        description="The bytes as they came, as an attachment that no browser renders.",
        raises=(errors.RequestNotFound,),
    ),
    Route(
        method="GET", path="/requests/{request}/views", handler=views.list_views, tag="requests",
        summary="See a captured body in every way that applies", answer=shapes.Views,
        description="The best view first. Made on demand, under limits of size and time that docs/settings.md lists; what was left out is said in `notice`. `text` is plain text, never markup.",
        raises=(errors.RequestNotFound, errors.ViewsBusy),
    ),
    Route(
        method="GET", path="/requests/{request}/views/{view}", handler=views.read_view, tag="requests",
        summary="See a captured body in one way", answer=shapes.View,
        description="`image`, `multipart`, `ndjson`, `json`, `form`, `html`, `xml`, `jwt`, `protobuf`, `text`, `hex` or `sent` (the bytes before decompression, in hex).",
        raises=(errors.RequestNotFound, errors.ViewNotFound, errors.ViewsBusy),
    ),
    Route(
        method="GET", path="/requests/{request}/decoded", handler=views.decoded, tag="requests",
        summary="Download a captured body decompressed", answer=bytes, answer_media="application/octet-stream",
        description="gzip, deflate, Brotli and Zstandard undone, up to 16 MiB; `hookbin-truncated: true` says that it is not all.",
        raises=(errors.RequestNotFound, errors.ViewNotFound, errors.ViewsBusy),
    ),
    Route(
        method="GET", path="/requests/{request}/parts/{number}", handler=views.part, tag="requests",
        summary="Download one part of a multipart body", answer=bytes, answer_media="application/octet-stream",
        description="Counted from 1, as the view `multipart` lists them; an attachment that no browser renders, under a safe form of its file name.",
        raises=(errors.RequestNotFound, errors.PartNotFound, errors.ViewsBusy),
    ),
    Route(
        method="GET", path="/requests/{request}/image", handler=views.picture, tag="requests",
        summary="Show a captured image", answer=bytes, answer_media="image/png",
        description="A PNG, JPEG, GIF or WebP image, told by its first bytes whatever the sender called it. SVG is not served: it can hold script.",
        raises=(errors.RequestNotFound, errors.ViewNotFound, errors.ViewsBusy),
    ),
    Route(
        method="GET", path="/requests/{request}/export", handler=exports.of_request, tag="requests",
        summary="Take a captured request out", query=exports.RequestExportQuery, answer=bytes, answer_media="*/*",
        description="`curl` and `httpie` are scripts for `sh`, `python` is a program with httpx, `raw` the message as RFC 9112 has it (a chunked body as one chunk), `har` is HAR 1.2. Hop-by-hop fields go along, so that the copy is the same; with `to`, Host gets the new destination.",
        raises=(errors.FieldsInvalid, errors.RequestNotFound),
    ),
    Route(
        method="GET", path="/requests/{request}/diff/{other}", handler=exports.diff, tag="requests",
        summary="Compare two captured requests", answer=shapes.Difference,
        description="Headers and query by name, JSON by structure (numbers as they were written), text by lines, else the first byte that differs. Bodies over 256 KiB, and more than 300 lines that differ, are compared as bytes, which `notice` says.",
        raises=(errors.RequestNotFound,),
    ),
    Route(
        method="GET", path="/bins/{bin}/export", handler=exports.of_bin, tag="requests",
        summary="Take out what a bin captured", query=exports.BinExportQuery, answer=bytes, answer_media="*/*",
        description="Oldest first, as a stream: HAR 1.2, NDJSON (a request a line with its whole body), or CSV, where a cell that a spreadsheet would take for a formula has an apostrophe in front. What comes meanwhile is not waited for.",
        raises=(errors.FieldsInvalid, errors.BinNotFound),
    ),
    Route(
        method="POST", path="/requests/{request}/replay", handler=requests.replay, tag="requests",
        summary="Send a captured request on", body=shapes.NewReplay, answer=shapes.Replayed, status=202,
        description="As it came (method, path below the bin, query, headers, bytes) to a destination or a webhook, "
        "with its own signature or a fresh one. Each time is an event of type `request.replayed` with one delivery; "
        "`GET /events?request=` lists them.",
        raises=(
            *BODY_ERRORS, errors.RequestNotFound, errors.RequestIncomplete, errors.TargetRefused, errors.WebhookDisabled,
        ),
    ),
)  # fmt: skip
