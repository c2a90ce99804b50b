"""Lists a page at a time: none is missed and none comes twice, while others are made and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import Server


def a_request(server: Server) -> Any:
    server.request("POST", "/b/paged")
    return server.get("/bins/paged/requests?limit=1")["data"][0]["id"]


def a_webhook(server: Server) -> Any:
    return server.register("http://localhost:1/", events=["never"], ping=False)["id"]


def a_delivery(server: Server) -> Any:
    return server.publish("paged.delivery")["deliveries"][0]["id"]


LISTS: dict[str, tuple[Callable[[Server], Any], str | None]] = {
    "/bins": (lambda server: server.post("/bins", {}).json()["id"], "/bins"),
    "/bins/paged/requests": (a_request, "/requests"),
    "/webhooks": (a_webhook, "/webhooks"),
    "/events": (lambda server: server.publish("paged")["id"], None),
    "/deliveries": (a_delivery, None),
}
"""How a row of each list is made, and where it is deleted, if it can be."""


@pytest.mark.parametrize("path", LISTS)
def test_paging_misses_and_repeats_nothing_while_rows_come_and_go(server: Server, path: str) -> None:
    make, deleted_at = LISTS[path]
    if path == "/deliveries":
        server.register(f"{server.url}/b/paged-to", events=["paged.delivery"], ping=False)
    made = [make(server) for _ in range(7)]
    seen: list[str] = []
    for page in server.pages(path, limit=3):
        seen += [row["id"] for row in page]
        make(server)
        if deleted_at is not None and len(seen) == 3:  # the cursor goes on without its row, and with it
            server.request("DELETE", f"{deleted_at}/{seen[-1]}")

    assert seen[:7] == made[::-1]
    assert len(seen) == len(set(seen))
