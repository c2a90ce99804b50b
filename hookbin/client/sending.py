"""`hookbin send`: an event published through a running hookbin, and its deliveries followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from hookbin.client.remote import Remote
from hookbin.clock import Clock

Say = Callable[[str], None]


class Message(Struct, frozen=True, kw_only=True):
    """What is to be sent: JSON data that gets an envelope, or with a content type the body itself."""

    type: str
    content: bytes
    content_type: str | None = None
    idempotency_key: str | None = None


def publish(
    remote: Remote, message: Message, *, clock: Clock, wait: float, say: Say, tell: Callable[[Any], None]
) -> bool:
    """Publish, tell of each attempt as it is made, and end when no delivery is pending or after `wait` seconds.

    Returns whether every delivery succeeded. Raises `RemoteError`.
    """
    event = _post(remote, message)
    count = len(event["deliveries"])
    say(f"{event['id']}  {event['type']}  {count} {'delivery' if count == 1 else 'deliveries'}")
    if not count:
        say("no webhook wants this type; GET /webhooks shows what each one wants")
        return True
    return tell_outcomes(remote, [event], clock=clock, wait=wait, say=say, tell=tell)


def tell_outcomes(
    remote: Remote, events: Sequence[Any], *, clock: Clock, wait: float, say: Say, tell: Callable[[Any], None]
) -> bool:
    """Tell of each attempt at the events' deliveries, until none is pending or `wait` seconds are over.

    Returns whether every delivery succeeded. Raises `RemoteError`.
    """
    until = clock.monotonic() + wait
    states: dict[str, str] = {delivery["id"]: delivery["state"] for event in events for delivery in event["deliveries"]}
    first = min(event["seq"] for event in events)
    for attempt in remote.follow("attempt", after=first, left=lambda: until - clock.monotonic()):
        if attempt["delivery_id"] in states:
            states[attempt["delivery_id"]] = attempt["delivery_state"]
            tell(attempt)
        if "pending" not in states.values():
            return set(states.values()) == {"succeeded"}
    pending = sum(state == "pending" for state in states.values())
    say(f"{pending} of {len(states)} still pending after {wait:g} s; see {remote.url}/ui/")
    return False


def _post(remote: Remote, message: Message) -> Any:
    headers = {} if message.idempotency_key is None else {"idempotency-key": message.idempotency_key}
    if message.content_type is not None:
        headers["content-type"] = message.content_type
        return remote.post_raw("/events", message.content, query={"type": message.type}, headers=headers)
    return remote.post("/events", {"type": message.type, "data": msgspec.Raw(message.content)}, **headers)


def told(attempt: Mapping[str, Any]) -> str:
    """`name  attempt 1: 200 in 3 ms, succeeded`; the name is as its owner wrote it."""
    outcome = attempt["status"] if attempt["error"] is None else attempt["error"]
    after = f"next at {attempt['next_attempt_at']}" if attempt["next_attempt_at"] else attempt["delivery_state"]
    took = f"{attempt['duration_ms']:.0f} ms"
    return f"{attempt['webhook_name']}  attempt {attempt['number']}: {outcome} in {took}, {after}"
