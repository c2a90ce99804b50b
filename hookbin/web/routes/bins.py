"""Bins."""

from __future__ import annotations

from hookbin import errors, shapes
from hookbin.web.api import bins
from hookbin.web.rest.routing import Route
from hookbin.web.routes.common import BODY_ERRORS, LIST

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST", path="/bins", handler=bins.create, tag="bins",
        summary="Make a bin", body=shapes.NewBin, body_optional=True, answer=shapes.BinShape, status=201,
        description="Every field has a default; an empty body makes a bin whose address is its random id.",
        raises=(*BODY_ERRORS[1:], errors.NameTaken, errors.TargetRefused),
    ),
    Route(
        method="GET", path="/bins", handler=bins.index, tag="bins",
        summary="List the bins", answer=shapes.Page[shapes.BinShape],
        description="Newest first.", **LIST,
    ),
    Route(
        method="GET", path="/bins/{bin}", handler=bins.read, tag="bins",
        summary="Read a bin", query=bins.ReadQuery, answer=shapes.BinShape,
        description="By name or id.", raises=(errors.BinNotFound,),
    ),
    Route(
        method="PATCH", path="/bins/{bin}", handler=bins.change, tag="bins",
        summary="Change a bin", body=shapes.BinChange, answer=shapes.BinShape,
        description="What is left out stays as it is; null puts the default back.",
        raises=(*BODY_ERRORS, errors.BinNotFound, errors.NameTaken, errors.TargetRefused),
    ),
    Route(
        method="POST", path="/bins/{bin}/sequence/reset", handler=bins.reset_sequence, tag="bins",
        summary="Begin a sequence again", answer=shapes.BinShape,
        description="The next request gets the first step.", raises=(errors.BinNotFound,),
    ),
    Route(
        method="DELETE", path="/bins/{bin}", handler=bins.delete, tag="bins",
        summary="Delete a bin", status=204,
        description="The bin and everything it captured are gone at once.", raises=(errors.BinNotFound,),
    ),
    Route(
        method="GET", path="/presets", handler=bins.presets, tag="bins",
        summary="List the presets", answer=shapes.Page[shapes.PresetShape],
        description="Responses by name, for `preset` of a bin.",
    ),
)  # fmt: skip
