"""Wrong tokens, by the address that they come from: slowed, and told in the log."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from hookbin.clock import Clock
from hookbin.errors import TooManyTries
from hookbin.models.common import SECOND
from hookbin.peers import peer_of

FREE = 10
"""Wrong tokens of an address that are answered at once; then one a second is."""
MAX_WAITING = 5
"""Wrong tokens of an address that wait for their answers; while there are as many, another one is not looked at."""
MAX_ADDRESSES = 10_000
"""Addresses that are remembered; the one that was longest quiet is forgotten first."""

logger = logging.getLogger("hookbin")


class WrongTokens:
    """Counts them as a leaky bucket does, that a second takes one out of (the generic cell rate algorithm)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._empty_at: OrderedDict[str, int] = OrderedDict()
        """When an address has made up for its wrong tokens, by the clock's ticks."""

    def check(self, client: str) -> None:
        """Call it before a token is looked at. Raises `TooManyTries`."""
        if self._left(peer_of(client)) > (FREE + MAX_WAITING - 1) * SECOND:
            raise TooManyTries("too many wrong tokens came from this address; try again in a few seconds")

    async def add(self, client: str) -> None:
        """Count a wrong one, and return when it may be answered."""
        address = peer_of(client)
        left = self._left(address) + SECOND
        self._empty_at[address] = self._clock.ticks() + left
        self._empty_at.move_to_end(address)
        if len(self._empty_at) > MAX_ADDRESSES:
            self._empty_at.popitem(last=False)
        logger.warning("a wrong token came from %s", address)
        if left > FREE * SECOND:
            await self._clock.wait(asyncio.Event(), until=self._clock.ticks() + left - FREE * SECOND)

    def _left(self, address: str) -> int:
        """Microseconds until it has made up for all."""
        return max(0, self._empty_at.get(address, 0) - self._clock.ticks())
