"""The bounds of open connections: how many there are, of whom, and how long one may stay that owes something.

- A peer has a share of them, so that nobody takes all; a proxy that is trusted has none, since all stand behind it.
- Some room is kept for who comes first: this machine and whoever is signed in, so that an owner gets to the page.
- Whoever finds no room gets that of the connection that is idle for longest, which costs its peer a new one (RFC 9112,
  9.3). If all have requests under way, it gets that of the oldest whose sender is not done, of the peer that has most
  (max-min fairness). Only then is one more refused, with a 503.
- No connection has a timer of its own: all are looked at in turn, now and then, and only while there are any. So a
  request that comes in one piece costs nothing.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from heapq import nsmallest
from typing import Protocol, TypeAlias

from hookbin.peers import peer_of
from hookbin.wire.patience import LOOKS

SPARE_FILES = 512
"""File descriptors for what is no connection to us: attempts, the database, templates."""
SHARE = 2
"""One peer has a half of the connections."""
KEPT = 10
"""A tenth of them is kept for who comes first."""
_CANDIDATES = 32
"""Connections that one search for them finds."""
_SEARCH_SECONDS = 0.1
"""Between two searches of which the first found none."""


Waiting: TypeAlias = tuple[bool, float]
"""Whether a request has begun on a connection, and since when its peer is waited for, by the loop's time."""


class Watched(Protocol):
    """A connection, as far as this module knows it."""

    address: str
    """Of the peer."""

    @property
    def waits_since(self) -> Waiting | None:
        """None while it is our turn."""

    def looked_at(self) -> None:
        """Close when the sender has owed something for too many looks."""

    def give_way(self) -> None:
        """Close, for another one's sake, and tell a sender that was not done."""


class Connections:
    """`most` that are open at once, and `patience`: seconds that a sender is waited for."""

    def __init__(
        self,
        *,
        most: int,
        patience: float,
        is_proxy: Callable[[str], bool] = lambda address: False,
        comes_first: Callable[[str], bool] = lambda address: False,
    ) -> None:
        self.patience = patience
        self._most = most
        self._is_proxy = is_proxy
        self._comes_first = comes_first
        self._of_peer: Counter[str] = Counter()
        self._yielding: list[tuple[Waiting, Watched]] = []
        """Some that have to give way, as it was when that was last looked for, the first one last."""
        self._searched = 0.0
        self._armed = False

    def admit(self, newest: Watched, connections: Collection[Watched], loop: asyncio.AbstractEventLoop) -> bool:
        """Whether the newest of these may stay; from now on they are watched, until `leave`."""
        if not self._armed:
            self._armed = True
            loop.call_later(self.patience / LOOKS, self._look, connections, loop)
        peer = peer_of(newest.address)
        self._of_peer[peer] += 1
        if self._of_peer[peer] > max(1, self._most // SHARE) and not self._is_proxy(newest.address):
            return False
        unkept = self._most - self._most // KEPT
        if len(connections) <= unkept:
            return True
        room = self._most if self._comes_first(newest.address) else unkept
        return len(connections) <= room or self._make_room(newest, connections, loop.time())

    def leave(self, connection: Watched) -> None:
        peer = peer_of(connection.address)
        self._of_peer[peer] -= 1
        if not self._of_peer[peer]:
            del self._of_peer[peer]

    def _make_room(self, newest: Watched, connections: Collection[Watched], now: float) -> bool:
        """Whether one had to give way."""
        while True:
            while self._yielding:
                since, connection = self._yielding.pop()
                if connection.waits_since == since:
                    connection.give_way()
                    return True
            if now - self._searched < _SEARCH_SECONDS:
                return False
            self._yielding = nsmallest(_CANDIDATES, self._search(newest, connections), key=lambda pair: pair[0])[::-1]
            if not self._yielding:
                self._searched = now

    def _search(self, newest: Watched, connections: Collection[Watched]) -> Iterator[tuple[Waiting, Watched]]:
        """Those that may have to give way: the idle ones, and of the peer that has most those with half a request."""
        (heaviest, count), *_ = self._of_peer.most_common(1)
        is_heavier = count > self._of_peer[peer_of(newest.address)]
        for each in connections:
            since = each.waits_since
            if since is None or each is newest:
                continue
            has_begun, _ = since
            is_of_heavier = is_heavier and peer_of(each.address) == heaviest and not self._is_proxy(each.address)
            if is_of_heavier or not has_begun:
                yield since, each

    def _look(self, connections: Collection[Watched], loop: asyncio.AbstractEventLoop) -> None:
        for connection in tuple(connections):
            connection.looked_at()
        self._armed = bool(connections)
        if self._armed:
            loop.call_later(self.patience / LOOKS, self._look, connections, loop)


def room_for(most: int) -> int:
    """As many connections of `most` as the process may have files open, once its soft limit is raised as needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return min(most, max(soft // 2, soft - SPARE_FILES))
    return most
