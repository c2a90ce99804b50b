"""A bin as the API gives it, with what the stores know of it besides."""

from __future__ import annotations

from hookbin.models.bins import Bin
from hookbin.shapes.bins import BinShape, bin_shape
from hookbin.store.bins import BinStore
from hookbin.store.webhooks import WebhookStore
from hookbin.web.rest.addresses import Addresses


class BinShaper:
    """Called with a bin, gives its shape; its secret only when that is asked for."""

    def __init__(self, bins: BinStore, webhooks: WebhookStore, *, addresses: Addresses) -> None:
        self._bins = bins
        self._webhooks = webhooks
        self._addresses = addresses

    def __call__(self, bin: Bin, *, with_secret: bool = False) -> BinShape:
        return bin_shape(
            bin,
            url=self._addresses.of_bin(bin.name or bin.id),
            request_count=self._bins.count(bin),
            sequence_position=self._bins.sequence_position(bin),
            with_secret=with_secret,
            forward=self._webhooks.forwards_of(bin.id),
        )
