"""The hook for a way past ASGI: who takes requests inside the protocol, without a task and a cycle.

A lane is asked once a request, when its head is whole, and only about plain ones: a body whose length is declared
and small, and no sender that waits to be asked for it. What it takes it is given when the body is in, and it answers
later, once, through the exchange. Until then the connection reads nothing further, so two answers never get in each
other's way; keep-alive, `connection: close` at the stop, HEAD and the date are the protocol's, not the lane's.

A request that it wanted goes the way of all others after all when its body does not come in whole: its sender hangs
up, takes too long, or the server stops. Its taker is never called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from hookbin.wire.exchange import Exchange
from hookbin.wire.head import Head

MAX_LANE_BODY = 64 * 1024
"""Bytes of a body that a lane is asked about. The protocol holds them until they are all there."""


Taker: TypeAlias = Callable[[Exchange, Head, bytes], None]
"""Takes a request that is whole, with its body. Ends in one `exchange.answer`, `break_off` or `drop`, now or later.

When its sender has gone meanwhile these do nothing. One that can't keep the request answers with the error.
"""


class Lane(Protocol):
    """Called on the event loop; neither it nor its taker may raise, block or await."""

    def taker_of(self, head: Head) -> Taker | None:
        """Who takes this request; None when it goes the way of all others."""
