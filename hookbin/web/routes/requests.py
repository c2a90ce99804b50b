"""Captured requests."""

from __future__ import annotations

from hookbin import errors
from hookbin.web.api import requests, shapes
from hookbin.web.routing import Route

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET", path="/bins/{bin}/requests", handler=requests.index, tag="requests",
        summary="List what a bin captured", answer=shapes.Page[shapes.RequestRow],
        description="Newest first, without headers and bodies. A search looks at 10,000 requests and reads 16 MiB of "
        "bodies at most: a page may be short or empty and still have a `next_cursor` that goes on.",
        query=requests.ListQuery, raises=(errors.FieldsInvalid, errors.BinNotFound),
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
)  # fmt: skip
