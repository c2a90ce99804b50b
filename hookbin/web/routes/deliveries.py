"""Deliveries and their attempts."""

from __future__ import annotations

from hookbin import errors, shapes
from hookbin.web.api import deliveries
from hookbin.web.rest.routing import Route

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET", path="/deliveries", handler=deliveries.index, tag="deliveries",
        summary="List the deliveries", query=deliveries.ListQuery, answer=shapes.Page[shapes.DeliveryRow],
        description="Newest first, without attempts.", raises=(errors.FieldsInvalid,),
    ),
    Route(
        method="GET", path="/deliveries/{delivery}", handler=deliveries.read, tag="deliveries",
        summary="Read a delivery", answer=shapes.DeliveryShape,
        description="With every attempt as it went over the wire and a sentence on how it stands.",
        raises=(errors.DeliveryNotFound,),
    ),
    Route(
        method="POST", path="/deliveries/{delivery}/retry", handler=deliveries.retry, tag="deliveries",
        summary="Retry a delivery now", answer=shapes.DeliveryRow, status=202,
        description="One manual attempt, at once. Not for one that has succeeded or is being sent.",
        raises=(errors.DeliveryNotFound, errors.NotRetryable, errors.AttemptInFlight),
    ),
    Route(
        method="POST", path="/deliveries/{delivery}/cancel", handler=deliveries.cancel, tag="deliveries",
        summary="Cancel a delivery", answer=shapes.DeliveryRow,
        description="Nothing more is sent. An attempt that is under way is not called back: it is recorded, and if it "
        "gets through, the delivery has succeeded.",
        raises=(errors.DeliveryNotFound, errors.NotCancellable),
    ),
)  # fmt: skip
