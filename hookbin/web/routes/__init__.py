"""Every route of the JSON API, once. `/openapi.json` and `/docs` are made from this table."""

from __future__ import annotations

from hookbin.web.rest.routing import Route
from hookbin.web.routes import bins, deliveries, events, operations, requests, webhooks

ROUTES: tuple[Route, ...] = (
    *bins.ROUTES,
    *requests.ROUTES,
    *webhooks.ROUTES,
    *events.ROUTES,
    *deliveries.ROUTES,
    *operations.ROUTES,
)
