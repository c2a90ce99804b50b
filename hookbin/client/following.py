"""Following a hookbin's stream over lost connections, without loss or repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from hookbin.client.remote import Parameter, Remote, RemoteError, StreamEvent

Say = Callable[[str], None]
SILENCE = 40.0
"""Seconds after which a connection is taken for lost: the stream pings every 15."""
MAX_PAUSE = 10
"""Seconds between two tries to connect anew, at most; the first comes after one."""
NOWHERE = 2**62
"""No log has come so far: a stream that is asked to begin behind it answers with a `gap` that says where the log is."""


def follow(remote: Remote, *, say: Say, pause: Callable[[float], object], **query: Parameter) -> Iterator[StreamEvent]:
    """What is committed from now on, and a `gap` where more was missed than the stream sends again.

    `say` is told when it begins and when a connection is lost, `pause` waits so many seconds. Raises `RemoteError` when
    the server can't be reached at first, or refuses later.
    """
    after, tries = NOWHERE, 0
    while True:
        try:
            with closing(remote.stream(patience=SILENCE, after=after, **query)) as events:
                for event in events:
                    if event is None or event.id is None:
                        continue
                    begins, after = after == NOWHERE, event.id
                    if begins or tries:
                        say(f"following {remote.url}" if begins else "connected again")
                        tries = 0
                    if not begins:
                        yield event
        except RemoteError as error:
            if after == NOWHERE or not error.temporary:
                raise
        tries += 1
        if tries == 1:
            say("the connection is lost; trying again, ctrl-C stops")
        pause(min(2 ** (tries - 1), MAX_PAUSE))
