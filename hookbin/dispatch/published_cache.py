"""A cache of what was published just now and waits for its first attempt, which so needs no look-up."""

from __future__ import annotations

from collections import OrderedDict

from hookbin.models.deliveries import Delivery
from hookbin.models.events import Event

MAX_DELIVERIES = 10_000
MAX_BYTES = 16 * 1024 * 1024
"""Of bodies, counted for each delivery. Beyond either bound the oldest are forgotten, and read when needed."""


class PublishedCache:
    """Deliveries with their events as they were committed. Whatever is announced of one later ends its stay."""

    def __init__(self, *, max_deliveries: int = MAX_DELIVERIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_deliveries = max_deliveries
        self._max_bytes = max_bytes
        self._held: OrderedDict[str, tuple[Delivery, Event]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def add(self, delivery: Delivery, event: Event) -> None:
        self._held[delivery.id] = (delivery, event)
        self._bytes += event.size
        while len(self._held) > self._max_deliveries or self._bytes > self._max_bytes:
            self._subtract(self._held.popitem(last=False)[1])

    def take(self, delivery_id: str) -> tuple[Delivery, Event] | None:
        """Hand it over; it is held no longer."""
        found = self._held.pop(delivery_id, None)
        if found is not None:
            self._subtract(found)
        return found

    def forget_webhook(self, webhook_id: str) -> None:
        for delivery_id in [id for id, (delivery, _) in self._held.items() if delivery.webhook_id == webhook_id]:
            self.take(delivery_id)

    def forget_all(self) -> None:
        self._held.clear()
        self._bytes = 0

    def _subtract(self, held: tuple[Delivery, Event]) -> None:
        self._bytes -= held[1].size
