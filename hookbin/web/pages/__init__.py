"""The pages for people, rendered from the same shapes that the API answers with: a module for each."""

from __future__ import annotations

from starlette.routing import Route

from hookbin.web.pages import bin, compare, console, delivery, event, lists, overview, request, webhook

ROUTES = [
    Route("/ui", overview.page),
    Route("/ui/", overview.page),
    Route("/ui/bins", lists.bins),
    Route("/ui/bins/{bin}", bin.page),
    Route("/ui/webhooks", lists.webhooks),
    Route("/ui/webhooks/{id}", webhook.page),
    Route("/ui/deliveries/{id}", delivery.page),
    Route("/ui/events/{id}", event.page),
    Route("/ui/requests/{id}", request.page),
    Route("/ui/requests/{id}/diff/{other}", compare.page),
    Route("/ui/send", console.page),
]
