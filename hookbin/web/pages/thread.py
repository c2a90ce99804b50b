"""What belongs together: an event, its deliveries, their attempts, what was captured of them and sent on again.

The tree begins with what nothing of ours led to: an event that was published, or a request that somebody else sent.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

from markupsafe import Markup
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from hookbin.clock import parse_seq_id, seq_id
from hookbin.delivery.headers import masked
from hookbin.errors import DeliveryNotFound, EventNotFound, HookbinError, RequestNotFound
from hookbin.models.deliveries import Attempt, Delivery, delivery_of
from hookbin.models.events import EventSummary
from hookbin.models.requests import RequestSummary
from hookbin.shapes.common import Body, body_shape
from hookbin.store.sending_search import DeliveryFilter, EventFilter
from hookbin.web.html import assets
from hookbin.web.html.rendering import render
from hookbin.web.rest.downloads import disposition
from hookbin.web.rest.services import Stores, services

MAX_NODES = 200
"""Of one tree; what is further down is not shown."""
MAX_IN_FILE = 60
"""Of a tree as a file, which has all headers and up to `MAX_BYTES` of each body."""
MAX_BYTES = 64 * 1024
MAX_CHILDREN = 25
"""Of one node, the newest attempts and the first of everything else."""
MAX_STEPS = 40
"""From what was asked for to the beginning."""
_STYLES = assets.folder("static") / "css" / "thread_file.css"
T = TypeVar("T")
Row: TypeAlias = EventSummary | Delivery | Attempt | RequestSummary


class Node(Struct, kw_only=True):
    """One of the tree; `cut` says that it has more children than are shown."""

    kind: Literal["event", "delivery", "attempt", "request"]
    id: str
    row: Row
    children: list[Node]
    cut: bool = False
    headers: list[tuple[str, list[tuple[str, str]]]] = []
    """For a file: what they are, and the pairs."""
    bodies: list[tuple[str, Body]] = []


async def page(request: Request) -> Response:
    """The tree; with `?file` as one HTML file that needs nothing else."""
    s = services(request)
    id, as_file = request.path_params["id"], "file" in request.query_params
    async with s.stores.database.snapshot():
        tree = await Tree(s.stores, room=MAX_IN_FILE if as_file else MAX_NODES, whole=as_file).around(id)
    bins = {bin.id: bin.name or bin.id for bin in s.stores.bins.all()}
    webhooks = {webhook.id: webhook.name for webhook in s.stores.webhooks.all()}
    answer = render(
        request,
        "thread_file.html" if as_file else "thread.html",
        after=s.live.timeline.position,
        asked=id,
        tree=tree,
        styles=Markup(f"<style>\n{_STYLES.read_text()}</style>"),  # noqa: S704  # a sheet of ours
        names={"bins": bins, "webhooks": webhooks},
    )
    if as_file:
        answer.headers["content-disposition"] = disposition(f"hookbin-{id}.html")
    return answer


class Tree:
    """Reads one, and no more of it than there is room for."""

    def __init__(self, stores: Stores, *, room: int, whole: bool) -> None:
        self._stores = stores
        self._room = room
        self._whole = whole

    async def around(self, id: str) -> Node:
        """The tree that the event, delivery or request of this id stands in. Raises its `NotFound`."""
        row = await self._beginning(id)
        return await (self._event(row) if isinstance(row, EventSummary) else self._request(row))

    async def _beginning(self, id: str) -> EventSummary | RequestSummary:
        row = await self._asked(id)
        for _ in range(MAX_STEPS):
            above = await self._above(row)
            if above is None:
                break
            row = above
        return row

    async def _asked(self, id: str) -> EventSummary | RequestSummary:
        found: EventSummary | RequestSummary | None = None
        missing: type[HookbinError] = RequestNotFound
        if id.startswith("evt_"):
            found, missing = await self._stores.events.get(id), EventNotFound
        elif id.startswith("dlv_"):
            pair, missing = await self._stores.events.with_delivery(id), DeliveryNotFound
            found = None if pair is None else pair[1]
        elif (seq := parse_seq_id("req_", id)) is not None:
            found = await self._stores.requests.get(seq)
        if found is None:
            raise missing(f"nothing has the id {id[:64]!r}; it may have been deleted or trimmed")
        return found

    async def _above(self, row: EventSummary | RequestSummary) -> EventSummary | RequestSummary | None:
        if isinstance(row, EventSummary):
            seq = parse_seq_id("req_", row.request_id or "")
            return None if seq is None else await self._stores.requests.get(seq)
        if row.attempt_id is None:
            return None
        pair = await self._stores.events.with_delivery(delivery_of(row.attempt_id))
        return None if pair is None else pair[1]

    def _node(self, kind: Literal["event", "delivery", "attempt", "request"], id: str, row: Row) -> Node:
        self._room -= 1
        return Node(kind=kind, id=id, row=row, children=[])

    async def _event(self, event: EventSummary) -> Node:
        node = self._node("event", event.id, event)
        wanted = DeliveryFilter(event_id=event.id)
        found = await self._stores.sending_search.deliveries(wanted, limit=MAX_CHILDREN + 1)
        for delivery in self._fitting(node, [row.delivery for row in reversed(found.rows)]):
            node.children.append(await self._delivery(delivery))
        if self._whole and (whole := await self._stores.events.get(event.id)) is not None:
            node.bodies = [("Body", body_shape(whole.body, size=whole.size, limit=MAX_BYTES))]
        return node

    async def _delivery(self, delivery: Delivery) -> Node:
        node = self._node("delivery", delivery.id, delivery)
        attempts = await self._stores.deliveries.attempts(delivery, newest=MAX_CHILDREN)
        node.cut = delivery.attempt_count > len(attempts)
        captures = await self._stores.requests.of_attempts([each.id for each in attempts])
        for attempt in self._fitting(node, attempts):
            child = self._node("attempt", attempt.id, attempt)
            for capture in self._fitting(child, captures[child.id]):
                child.children.append(await self._request(capture))
            if self._whole:
                answered = list(masked(attempt.response_headers or ()))
                child.headers = [("Sent", list(attempt.request_headers)), ("Answered", answered)]
                child.bodies = [("Answer", body_shape(attempt.response_body or b"", limit=MAX_BYTES))]
            node.children.append(child)
        return node

    async def _request(self, request: RequestSummary) -> Node:
        id = seq_id("req_", request.seq)
        node = self._node("request", id, request)
        found = await self._stores.sending_search.events(EventFilter(request_id=id), limit=MAX_CHILDREN + 1)
        for event in self._fitting(node, found.rows[::-1]):
            node.children.append(await self._event(event))
        if self._whole and (whole := await self._stores.requests.get(request.seq)) is not None:
            node.headers = [("Received", list(masked(whole.headers)))]
            node.bodies = [("Body", body_shape(whole.body, size=whole.size, limit=MAX_BYTES))]
        return node

    def _fitting(self, node: Node, rows: list[T]) -> list[T]:
        """As many of the children as may be shown; the node says when there are more."""
        fitting = rows[: max(0, min(MAX_CHILDREN, self._room))]
        node.cut = node.cut or len(fitting) < len(rows)
        return fitting
