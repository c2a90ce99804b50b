"""Captured requests."""

from __future__ import annotations

from hookbin import errors
from hookbin.web.api import paging, requests, shapes
from hookbin.web.routing import Route

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET", path="/bins/{bin}/requests", handler=requests.index, tag="requests",
        summary="List what a bin captured", answer=shapes.Page[shapes.RequestRow],
        description="Newest first, without headers and bodies.",
        query=paging.PageQuery, raises=(errors.FieldsInvalid, errors.BinNotFound),
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
