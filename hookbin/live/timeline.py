"""The live feed: what was committed, handed to everyone who follows it.

A message's JSON is made once, whoever reads it, and only while somebody follows. Each follower
has a bounded queue; one that overflows is closed and comes back with the last number it saw, and
gets what it missed from the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct

from hookbin.models.announcements import LOG_ROWS, Announcement, Removed, RequestChanged, RequestsDeleted
from hookbin.models.bins import Bin
from hookbin.models.deliveries import AttemptSummary
from hookbin.models.events import EventSummary
from hookbin.models.pending_deletions import DeletionUndone, PendingDeletion
from hookbin.models.requests import RequestSummary
from hookbin.models.webhooks import Webhook

QUEUE = 1_000
"""Messages that may wait for one follower."""
COUNTED = (Bin, RequestsDeleted, PendingDeletion, DeletionUndone)
"""Of these the message holds how many requests a bin has: as many as at this commit, so it is made then."""
FOLLOWERS_A_COMMIT = 100
"""For each of so many followers one more commit is told at a time while more come: one write to each takes longer."""


class Later(Protocol):
    """Does work some time after a commit, in order; while more come, that of so many `together`."""

    def __call__(self, work: Callable[[], None], *, together: int) -> None: ...


def at_once(work: Callable[[], None], *, together: int) -> None:
    work()


class Message(Struct, frozen=True):
    """One line of the feed. `seq` is None for what stands beside the log: settings, and rows changed or deleted."""

    seq: int | None
    kind: str
    """`request`, `event`, `attempt`, `delivery`, `bin` or `webhook`."""
    bin_id: str | None
    webhook_id: str | None
    frame: bytes
    """As it goes out: a complete server-sent event."""


class Topic(Struct, frozen=True, kw_only=True):
    """What a follower wants; None stands for everything."""

    bin_id: str | None = None
    webhook_id: str | None = None
    kinds: frozenset[str] | None = None
    headlines: bool = False
    """Whether requests are told with a line that says what they are."""

    @property
    def is_everything(self) -> bool:
        return self.bin_id is None and self.webhook_id is None and self.kinds is None

    def wants(self, message: Message) -> bool:
        if self.kinds is not None and message.kind not in self.kinds:
            return False
        if self.bin_id is None and self.webhook_id is None:
            return True
        return (self.bin_id is not None and message.bin_id == self.bin_id) or (
            self.webhook_id is not None and message.webhook_id == self.webhook_id
        )


class Subscription:
    """One follower's place in the feed. `closed` says that nothing more will come."""

    def __init__(self, topic: Topic, *, position: int, session_id: str | None = None) -> None:
        self.topic = topic
        self.session_id = session_id
        """Of the browser that follows, where one had to sign in."""
        self.position = position
        """The log's number at which it began: later rows come through the queue."""
        self.closed = False
        self._waiting: list[Message] = []
        self._woken: asyncio.Future[None] | None = None
        """What the follower waits for; an event asks for the loop each time, which is a system call on Python 3.11."""
        self._loop: asyncio.AbstractEventLoop | None = None

    async def next(self) -> list[Message]:
        """All that is ready, at least one message; an empty list once it is closed."""
        while not self._waiting and not self.closed:
            self._loop = self._loop or asyncio.get_running_loop()
            self._woken = self._loop.create_future()
            await self._woken
        ready, self._waiting = self._waiting, []
        return ready

    def put(self, messages: Sequence[Message]) -> None:
        wanted = messages if self.topic.is_everything else [each for each in messages if self.topic.wants(each)]
        if len(self._waiting) + len(wanted) > QUEUE:
            self.close()
        elif wanted and not self.closed:
            self._waiting += wanted
            self._wake()

    def close(self) -> None:
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


class Timeline:
    """Listens to the writer, speaks to the followers."""

    def __init__(
        self,
        encode: Callable[[Announcement, bool], Message | None],
        *,
        position: int = 0,
        later: Later = at_once,
    ) -> None:
        """`encode` is told whether requests get a headline. `later` is given what tells the followers, in order."""
        self._encode = encode
        self._later = later
        self._subscriptions: set[Subscription] = set()
        self._closed = False
        self.position = position
        """The number of the last row that was announced."""

    @property
    def followers(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, topic: Topic, *, session_id: str | None = None) -> Subscription:
        subscription = Subscription(topic, position=self.position, session_id=session_id)
        if self._closed:
            subscription.close()
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    def end_session(self, id: str) -> None:
        """Nobody may follow by it any more."""
        for subscription in self._subscriptions:
            if subscription.session_id == id:
                subscription.close()

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Have those told who follow by now. Called after each commit, with its rows in order."""
        for row in reversed(rows):
            if isinstance(row, LOG_ROWS):
                self.position = row.seq
                break
        if self._subscriptions:
            followers = tuple(self._subscriptions)
            told = [self._encode(row, False) if isinstance(row, COUNTED) else row for row in rows]
            self._later(partial(self._tell, told, followers), together=1 + len(followers) // FOLLOWERS_A_COMMIT)

    def _tell(self, rows: Sequence[Announcement | Message | None], followers: Sequence[Subscription]) -> None:
        for headlines in {follower.topic.headlines for follower in followers}:
            made = (row if row is None or isinstance(row, Message) else self._encode(row, headlines) for row in rows)
            messages = [message for message in made if message is not None]
            for follower in followers:
                if follower.topic.headlines is headlines:
                    follower.put(messages)

    def close(self) -> None:
        """End every subscription: the server is stopping."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()


def place(row: Announcement) -> tuple[str, str | None, str | None]:
    """`(kind, bin_id, webhook_id)`: what a row is, and whose topics it belongs to."""
    match row:
        case RequestSummary():
            return "request", row.bin_id, None
        case RequestChanged():
            return "request", row.request.bin_id, None
        case RequestsDeleted():
            return "bin" if row.seq is None else "request", row.bin_id, None
        case PendingDeletion() | DeletionUndone():
            return "bin", row.target, None
        case EventSummary():
            return "event", None, None
        case AttemptSummary():
            return "attempt", None, row.webhook_id
        case Bin():
            return "bin", row.id, None
        case Webhook():
            return "webhook", None, row.id
        case Removed(kind="bin"):
            return "bin", row.id, None
        case Removed():
            return "webhook", None, row.id
        case _:
            return "delivery", None, row.webhook_id
